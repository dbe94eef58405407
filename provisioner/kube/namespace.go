package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ErrForeign says that a namespace of that name exists and is not this store's. It must
// not be touched.
var ErrForeign = errors.New("the namespace belongs to something else")

// Owner is a store's place in the cluster.
type Owner struct {
	Namespace string
	StoreID   string
}

func (o Owner) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: o.Namespace, Labels: o.labels()}
}

func (o Owner) labels() map[string]string {
	return map[string]string{LabelManagedBy: managedBy, LabelStoreID: o.StoreID}
}

// owns reports whether the object bears the store's id. Other tools write
// app.kubernetes.io/managed-by, so that label does not decide.
func (o Owner) owns(object metav1.Object) bool {
	return object.GetLabels()[LabelStoreID] == o.StoreID
}

// Phase is the state of a store's namespace.
type Phase string

// A namespace is missing, there, or on its way out.
const (
	Missing     Phase = "missing"
	Active      Phase = "active"
	Terminating Phase = "terminating"
)

// NamespaceState is what the cluster says of a namespace.
type NamespaceState struct {
	Phase Phase
	UID   types.UID
	// StoreID is the id of the owning store, from the label.
	StoreID string
	// Fresh tells that this very call has made it: there is nothing in it.
	Fresh bool
	// Blockers say what keeps a terminating namespace, in Kubernetes' own words.
	Blockers []string
}

// Same reports whether both are the same namespace in the same phase.
func (s NamespaceState) Same(other NamespaceState) bool {
	return s.Phase == other.Phase && s.UID == other.UID
}

// Namespace reads the state of the store's namespace, or returns ErrForeign.
func (c *Client) Namespace(ctx context.Context, owner Owner) (NamespaceState, error) {
	ns, err := c.set.CoreV1().Namespaces().Get(ctx, owner.Namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return NamespaceState{Phase: Missing}, nil
	}
	if err != nil {
		return NamespaceState{}, fmt.Errorf("read namespace %s: %w", owner.Namespace, err)
	}
	if !owner.owns(ns) {
		return NamespaceState{}, fmt.Errorf("namespace %s: %w", owner.Namespace, ErrForeign)
	}
	return stateOf(ns), nil
}

func stateOf(ns *corev1.Namespace) NamespaceState {
	if ns.DeletionTimestamp == nil {
		return NamespaceState{Phase: Active, UID: ns.UID, StoreID: ns.Labels[LabelStoreID]}
	}
	state := NamespaceState{Phase: Terminating, UID: ns.UID, StoreID: ns.Labels[LabelStoreID]}
	for _, condition := range ns.Status.Conditions {
		if condition.Status == corev1.ConditionTrue {
			state.Blockers = append(state.Blockers, strings.TrimSpace(condition.Message))
		}
	}
	return state
}

// CreateNamespace makes the store's namespace, which admits only pods that keep to the
// Pod Security standard "restricted". ErrForeign says that the name is somebody else's.
func (c *Client) CreateNamespace(ctx context.Context, owner Owner) (NamespaceState, error) {
	labels := owner.labels()
	for _, mode := range []string{"enforce", "warn", "audit"} {
		labels["pod-security.kubernetes.io/"+mode] = "restricted"
	}
	ns, err := c.set.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: owner.Namespace, Labels: labels},
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return c.Namespace(ctx, owner)
	}
	if err != nil {
		return NamespaceState{}, fmt.Errorf("create namespace %s: %w", owner.Namespace, err)
	}
	return NamespaceState{Phase: Active, UID: ns.UID, StoreID: owner.StoreID, Fresh: true}, nil
}

// DeleteNamespace asks for the namespace with that UID to go. Another of the same name is
// left alone.
func (c *Client) DeleteNamespace(ctx context.Context, name string, uid types.UID) error {
	err := c.set.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("delete namespace %s: %w", name, err)
	}
	return nil
}

// DeleteVolumes asks for all volume claims in the namespace to go.
func (c *Client) DeleteVolumes(ctx context.Context, namespace string) error {
	err := c.set.CoreV1().PersistentVolumeClaims(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete volume claims in %s: %w", namespace, err)
	}
	return nil
}

// Volumes counts the volume claims in the namespace.
func (c *Client) Volumes(ctx context.Context, namespace string) (int, error) {
	list, err := c.set.CoreV1().PersistentVolumeClaims(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return 0, fmt.Errorf("list volume claims in %s: %w", namespace, err)
	}
	return len(list.Items), nil
}

// Limits are what a store may take of its cluster, in Kubernetes' quantities.
type Limits struct {
	Quota          map[corev1.ResourceName]string // of the namespace in all
	DefaultRequest map[corev1.ResourceName]string // of a container that names none
	Default        map[corev1.ResourceName]string // limit of a container that names none
	Max            map[corev1.ResourceName]string // of any container
}

const limitsName = "store"

// SetLimits makes the namespace's ResourceQuota and LimitRange, or brings those that exist to
// the limits. What somebody has added to them stays.
func (c *Client) SetLimits(ctx context.Context, owner Owner, l Limits) error {
	quota := &corev1.ResourceQuota{ObjectMeta: owner.meta(limitsName), Spec: l.quota()}
	quotas := c.set.CoreV1().ResourceQuotas(owner.Namespace)
	_, err := quotas.Create(ctx, quota, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		_, err = quotas.Patch(ctx, limitsName, types.MergePatchType, patchOf(quota.Spec), metav1.PatchOptions{})
	}
	if err != nil {
		return fmt.Errorf("set the resource quota of %s: %w", owner.Namespace, err)
	}
	limits := &corev1.LimitRange{ObjectMeta: owner.meta(limitsName), Spec: l.limitRange()}
	ranges := c.set.CoreV1().LimitRanges(owner.Namespace)
	_, err = ranges.Create(ctx, limits, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		_, err = ranges.Patch(ctx, limitsName, types.MergePatchType, patchOf(limits.Spec), metav1.PatchOptions{})
	}
	if err != nil {
		return fmt.Errorf("set the limit range of %s: %w", owner.Namespace, err)
	}
	return nil
}

func patchOf(spec any) []byte {
	patch, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		panic(err) // never: the specs of limits are plain data
	}
	return patch
}

func (l Limits) quota() corev1.ResourceQuotaSpec {
	return corev1.ResourceQuotaSpec{Hard: quantities(l.Quota)}
}

func (l Limits) limitRange() corev1.LimitRangeSpec {
	return corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
		Type:           corev1.LimitTypeContainer,
		DefaultRequest: quantities(l.DefaultRequest),
		Default:        quantities(l.Default),
		Max:            quantities(l.Max),
	}}}
}

// HasLimits reports whether the quota and the limit range are there, and give what they
// should.
func (c *Client) HasLimits(ctx context.Context, namespace string, l Limits) (bool, error) {
	quota, quotaErr := c.set.CoreV1().ResourceQuotas(namespace).Get(ctx, limitsName, metav1.GetOptions{})
	if apierrors.IsNotFound(quotaErr) {
		return false, nil
	}
	limits, rangeErr := c.set.CoreV1().LimitRanges(namespace).Get(ctx, limitsName, metav1.GetOptions{})
	if apierrors.IsNotFound(rangeErr) {
		return false, nil
	}
	if err := errors.Join(quotaErr, rangeErr); err != nil {
		return false, fmt.Errorf("read limits of %s: %w", namespace, err)
	}
	want := l.limitRange().Limits[0]
	return covers(quota.Spec.Hard, l.quota().Hard) && slices.ContainsFunc(limits.Spec.Limits, func(is corev1.LimitRangeItem) bool {
		return is.Type == want.Type && covers(is.DefaultRequest, want.DefaultRequest) && covers(is.Default, want.Default) && covers(is.Max, want.Max)
	}), nil
}

// covers reports whether the list has all the wanted quantities. It may have more: the API server
// adds defaults.
func covers(is, want corev1.ResourceList) bool {
	for name, quantity := range want {
		if now, there := is[name]; !there || now.Cmp(quantity) != 0 {
			return false
		}
	}
	return true
}

func quantities(from map[corev1.ResourceName]string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for name, quantity := range from {
		list[name] = resource.MustParse(quantity)
	}
	return list
}

func unlessThere(err error, doing string) error {
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}
