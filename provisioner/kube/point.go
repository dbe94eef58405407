package kube

import (
	"context"
	"fmt"
	"net/netip"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The suspended CronJobs of a chart whose templates make a restore point and load one. Their names begin
// those of what is made of them.
const (
	BackupTemplate  = "backup"
	RestoreTemplate = "restore"
)

// annotationRun says for which job of ours a Job or a pod works.
const annotationRun = "shopwright.dev/run"

// The templates' variable with the point, and their volume that the Secret is put into.
const (
	pointVariable = "POINT"
	targetVolume  = "target"
)

// PointRun is one run of a chart's template that makes a restore point or loads one.
type PointRun struct {
	Template string
	ID       string            // of our job
	Key      string            // part of the names, and the same for a replica that takes the run over
	Point    string            // id of the restore point
	Secret   map[string][]byte // files about the target, and about what to do with it
	Host     string            // of the target
}

// CreatePointRun creates the Job of a run, and the Secret and the NetworkPolicy that it needs, which are
// deleted with it. What exists is left as it is. It reports false if the chart in place has no such template.
func (c *Client) CreatePointRun(ctx context.Context, owner Owner, run PointRun) (bool, error) {
	cron, err := c.set.BatchV1().CronJobs(owner.Namespace).Get(ctx, run.Template, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read cron job %s/%s: %w", owner.Namespace, run.Template, err)
	}
	wanted := pointJob(owner, cron, run)
	job, err := c.set.BatchV1().Jobs(owner.Namespace).Create(ctx, wanted, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		job, err = c.set.BatchV1().Jobs(owner.Namespace).Get(ctx, wanted.Name, metav1.GetOptions{})
	}
	if err != nil {
		return true, fmt.Errorf("create job %s/%s: %w", owner.Namespace, wanted.Name, err)
	}
	meta := owner.meta(job.Name)
	meta.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind("Job"))}
	_, err = c.set.NetworkingV1().NetworkPolicies(owner.Namespace).Create(ctx, wayOut(meta, run), metav1.CreateOptions{})
	if err := unlessThere(err, "create network policy in "+owner.Namespace); err != nil {
		return true, err
	}
	_, err = c.set.CoreV1().Secrets(owner.Namespace).Create(ctx, &corev1.Secret{ObjectMeta: meta, Data: run.Secret}, metav1.CreateOptions{})
	return true, unlessThere(err, "create secret in "+owner.Namespace)
}

// pointJob is the chart's template with the point and the Secret of the run.
func pointJob(owner Owner, cron *batchv1.CronJob, run PointRun) *batchv1.Job {
	name := run.Template + "-" + run.Key
	job := &batchv1.Job{ObjectMeta: owner.meta(name), Spec: *cron.Spec.JobTemplate.Spec.DeepCopy()}
	for key, value := range cron.Spec.JobTemplate.Labels {
		if _, ours := job.Labels[key]; !ours {
			job.Labels[key] = value
		}
	}
	job.Annotations = map[string]string{annotationRun: run.ID}
	job.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "CronJob", Name: cron.Name, UID: cron.UID}}
	pod := &job.Spec.Template
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations[annotationRun] = run.ID
	env := map[string]string{pointVariable: run.Point}
	for i := range pod.Spec.InitContainers {
		override(&pod.Spec.InitContainers[i], env)
	}
	for i := range pod.Spec.Containers {
		override(&pod.Spec.Containers[i], env)
	}
	for i, v := range pod.Spec.Volumes {
		if v.Name == targetVolume {
			pod.Spec.Volumes[i].VolumeSource = corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: name, DefaultMode: new(int32(0o440))}}
		}
	}
	return job
}

// wayOut lets the pods of a run reach the target. Of a target that is named by its IP address nothing else
// can be reached; another one may be anywhere: in the cluster, in a private network or on the internet,
// but not at the metadata service of a cloud, nor in another store.
func wayOut(meta metav1.ObjectMeta, run PointRun) *networkingv1.NetworkPolicy {
	rule := networkingv1.NetworkPolicyEgressRule{To: []networkingv1.NetworkPolicyPeer{
		{NamespaceSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: LabelStoreID, Operator: metav1.LabelSelectorOpDoesNotExist}}}},
		{IPBlock: &networkingv1.IPBlock{CIDR: "0.0.0.0/0", Except: []string{"169.254.0.0/16"}}},
		{IPBlock: &networkingv1.IPBlock{CIDR: "::/0", Except: []string{"fe80::/10", "fd00:ec2::/32"}}},
	}}
	if address, err := netip.ParseAddr(run.Host); err == nil {
		rule.To = []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen()).String()}}}
	}
	return &networkingv1.NetworkPolicy{ObjectMeta: meta, Spec: networkingv1.NetworkPolicySpec{
		PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{batchv1.JobNameLabel: meta.Name}},
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress},
		Egress:      []networkingv1.NetworkPolicyEgressRule{rule},
	}}
}
