package charts_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// Where the platform is on the development control plane, and as whom.
const (
	platformNamespace = "shopwright-system"
	platformAccount   = "system:serviceaccount:" + platformNamespace + ":shopwright"
)

// attempt is something that the platform's account tries. What it would change stays as it
// is, whatever comes of it.
type attempt func(context.Context, kubernetes.Interface) error

// The ways of a request that only asks whether it would be done.
var (
	dryCreate = metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	dryPatch  = metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}}
	dryDelete = metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}}
)

func createNamespace(labels map[string]string) attempt {
	return func(ctx context.Context, as kubernetes.Interface) error {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "store-" + uuid.NewString(), Labels: labels}}
		return second(as.CoreV1().Namespaces().Create(ctx, ns, dryCreate))
	}
}

func deleteNamespace(name string) attempt {
	return func(ctx context.Context, as kubernetes.Interface) error {
		return as.CoreV1().Namespaces().Delete(ctx, name, dryDelete)
	}
}

func labelNamespace(name string) attempt {
	patch := []byte(`{"metadata": {"labels": {"app.kubernetes.io/managed-by": "shopwright", "shopwright.dev/store-id": "mine"}}}`)
	return func(ctx context.Context, as kubernetes.Interface) error {
		return second(as.CoreV1().Namespaces().Patch(ctx, name, types.MergePatchType, patch, dryPatch))
	}
}

func bind(namespace, kind, role string, subjects ...rbacv1.Subject) attempt {
	return func(ctx context.Context, as kubernetes.Interface) error {
		return second(as.RbacV1().RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "tried"}, Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: role},
		}, dryCreate))
	}
}

func createSecret(namespace string) attempt {
	return func(ctx context.Context, as kubernetes.Interface) error {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "tried"}}
		return second(as.CoreV1().Secrets(namespace).Create(ctx, secret, dryCreate))
	}
}

func listSecrets(namespace string) attempt {
	return func(ctx context.Context, as kubernetes.Interface) error {
		return second(as.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{}))
	}
}

// grounds are the namespaces of the attempts: one of a store's, one of a store's whose
// managed-by label another tool has changed, and one that is somebody else's.
type grounds struct{ store, relabelled, foreign string }

func newGrounds(t *testing.T) grounds {
	t.Helper()
	mark, admin := uuid.NewString()[24:], kubetest.Admin(t)
	g := grounds{store: "store-ground-" + mark, relabelled: "store-relabelled-" + mark, foreign: "foreign-ground-" + mark}
	relabelled := storeLabels()
	relabelled[kube.LabelManagedBy] = "Helm"
	for name, labels := range map[string]map[string]string{g.store: storeLabels(), g.relabelled: relabelled, g.foreign: nil} {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
		if _, err := admin.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = admin.CoreV1().Namespaces().Delete(context.Background(), name, metav1.DeleteOptions{}) })
	}
	// A namesake of the platform's role, which somebody might be bound to instead.
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: storeRole}}
	if _, err := admin.RbacV1().Roles(g.store).Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	// What is missing is never forbidden.
	kubetest.Within(t, "the foreign namespace has its account", func() bool {
		_, err := admin.CoreV1().ServiceAccounts(g.foreign).Get(t.Context(), "default", metav1.GetOptions{})
		return err == nil
	})
	return g
}

func storeLabels() map[string]string {
	return map[string]string{
		kube.LabelManagedBy: "shopwright", kube.LabelStoreID: "01939f1c-7a60-7c4e-9d5b-6f1d2c3b4a59",
		"pod-security.kubernetes.io/enforce": "restricted",
	}
}

func less(labels map[string]string, key string) map[string]string {
	delete(labels, key)
	return labels
}

// forbidden are attempts that the policy must not let through, whatever RBAC says of them.
func (g grounds) forbidden() map[string]attempt {
	us := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: platformNamespace, Name: "shopwright"}
	namesake := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: g.store, Name: "shopwright"}
	everybody := rbacv1.Subject{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: "system:authenticated"}
	return map[string]attempt{
		"make a namespace that is nobody's":           createNamespace(nil),
		"make a namespace of no store":                createNamespace(less(storeLabels(), kube.LabelStoreID)),
		"make a namespace that is not ours":           createNamespace(less(storeLabels(), kube.LabelManagedBy)),
		"make a namespace for any pods":               createNamespace(less(storeLabels(), "pod-security.kubernetes.io/enforce")),
		"delete somebody else's namespace":            deleteNamespace(g.foreign),
		"delete kube-system":                          deleteNamespace(metav1.NamespaceSystem),
		"delete its own namespace":                    deleteNamespace(platformNamespace),
		"make somebody else's namespace a store's":    labelNamespace(g.foreign),
		"change a store's namespace":                  labelNamespace(g.store),
		"bind itself in somebody else's namespace":    bind(g.foreign, "ClusterRole", storeRole, us),
		"bind itself in kube-system":                  bind(metav1.NamespaceSystem, "ClusterRole", storeRole, us),
		"bind itself in its own namespace":            bind(platformNamespace, "ClusterRole", storeRole, us),
		"bind itself to an administrator's role":      bind(g.store, "ClusterRole", "cluster-admin", us),
		"bind itself to a role of the namespace":      bind(g.store, "Role", storeRole, us),
		"bind everybody":                              bind(g.store, "ClusterRole", storeRole, everybody),
		"bind everybody beside itself":                bind(g.store, "ClusterRole", storeRole, us, everybody),
		"bind a namesake":                             bind(g.store, "ClusterRole", storeRole, namesake),
		"bind nobody":                                 bind(g.store, "ClusterRole", storeRole),
		"write a secret in somebody else's namespace": createSecret(g.foreign),
		"write a secret in kube-system":               createSecret(metav1.NamespaceSystem),
		"bind itself everywhere": func(ctx context.Context, as kubernetes.Interface) error {
			return second(as.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
				ObjectMeta: metav1.ObjectMeta{Name: "tried-" + uuid.NewString()}, Subjects: []rbacv1.Subject{us},
				RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: storeRole},
			}, dryCreate))
		},
		"make a role": func(ctx context.Context, as kubernetes.Interface) error {
			return second(as.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{
				ObjectMeta: metav1.ObjectMeta{Name: "tried-" + uuid.NewString()},
			}, dryCreate))
		},
		"change its role": func(ctx context.Context, as kubernetes.Interface) error {
			return second(as.RbacV1().ClusterRoles().Patch(ctx, platformRole, types.MergePatchType, []byte(`{"rules": []}`), dryPatch))
		},
		"touch a node": func(ctx context.Context, as kubernetes.Interface) error {
			return second(as.CoreV1().Nodes().Patch(ctx, "sim-1", types.MergePatchType, []byte(`{"spec": {"unschedulable": true}}`), dryPatch))
		},
		"delete a node": func(ctx context.Context, as kubernetes.Interface) error {
			return as.CoreV1().Nodes().Delete(ctx, "sim-1", dryDelete)
		},
		"remove what the cluster's administrator granted": func(ctx context.Context, as kubernetes.Interface) error {
			return as.RbacV1().ClusterRoleBindings().Delete(ctx, platformRole, dryDelete)
		},
		"take the account of somebody else": func(ctx context.Context, as kubernetes.Interface) error {
			return second(as.CoreV1().ServiceAccounts(g.foreign).CreateToken(ctx, "default", &authenticationv1.TokenRequest{}, dryCreate))
		},
	}
}

// TestPolicyHoldsThePlatform lets the platform's account try what it must not, with all the
// rights of an administrator: only the policy is in its way.
func TestPolicyHoldsThePlatform(t *testing.T) {
	t.Parallel()
	g := newGrounds(t)
	as := impersonate(t, rest.ImpersonationConfig{UserName: platformAccount, Groups: []string{"system:masters"}})
	kubetest.Within(t, "the policy is in force", func() bool {
		return apierrors.IsForbidden(createSecret(g.foreign)(t.Context(), as))
	})
	for what, try := range g.forbidden() {
		if err := try(t.Context(), as); !apierrors.IsForbidden(err) {
			t.Errorf("the account can %s: %v", what, err)
		}
	}
	us := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: platformNamespace, Name: "shopwright"}
	for what, try := range map[string]attempt{
		"make a store's namespace":        createNamespace(storeLabels()),
		"delete a store's namespace":      deleteNamespace(g.store),
		"delete a relabelled namespace":   deleteNamespace(g.relabelled),
		"write a secret in that one":      createSecret(g.relabelled),
		"bind itself in it":               bind(g.store, "ClusterRole", storeRole, us),
		"write a secret in it":            createSecret(g.store),
		"write a secret in its own place": createSecret(platformNamespace),
	} {
		if err := try(t.Context(), as); err != nil {
			t.Errorf("the account cannot %s: %v", what, err)
		}
	}
}

// TestPolicyIsForThePlatformOnly lets an administrator and a namesake go on.
func TestPolicyIsForThePlatformOnly(t *testing.T) {
	t.Parallel()
	g := newGrounds(t)
	for _, name := range []string{"kubernetes-admin", "system:serviceaccount:" + g.foreign + ":shopwright"} {
		as := impersonate(t, rest.ImpersonationConfig{UserName: name, Groups: []string{"system:masters"}})
		for what, try := range g.forbidden() {
			if err := try(t.Context(), as); err != nil && strings.Contains(err.Error(), "ValidatingAdmissionPolicy 'shopwright'") {
				t.Errorf("%s cannot %s: %v", name, what, err)
			}
		}
	}
}

// TestPlatformAccountReachesNothingElse lets the account try the same with its own rights,
// and to read what is not its business, which no admission policy sees.
func TestPlatformAccountReachesNothingElse(t *testing.T) {
	t.Parallel()
	g := newGrounds(t)
	as := kubetest.PlatformClient(t)
	attempts := g.forbidden()
	for what, try := range map[string]attempt{
		"read the secrets of kube-system":          listSecrets(metav1.NamespaceSystem),
		"read somebody else's secrets":             listSecrets(g.foreign),
		"read a store's secrets without a binding": listSecrets(g.store),
		"read all secrets":                         listSecrets(metav1.NamespaceAll),
		"read its own namespace's secrets":         listSecrets(platformNamespace),
		"write a secret in its own namespace":      createSecret(platformNamespace),
		"watch nodes": func(ctx context.Context, as kubernetes.Interface) error {
			return second(as.CoreV1().Nodes().Watch(ctx, metav1.ListOptions{}))
		},
		"speak to a kubelet": func(ctx context.Context, as kubernetes.Interface) error {
			return second(as.CoreV1().RESTClient().Get().AbsPath("/api/v1/nodes/sim-1/proxy/pods").DoRaw(ctx))
		},
		"read config maps": func(ctx context.Context, as kubernetes.Interface) error {
			return second(as.CoreV1().ConfigMaps(metav1.NamespaceAll).List(ctx, metav1.ListOptions{}))
		},
		"read logs": func(ctx context.Context, as kubernetes.Interface) error {
			return second(as.CoreV1().Pods(g.foreign).GetLogs("any", &corev1.PodLogOptions{}).DoRaw(ctx))
		},
		"run a pod elsewhere": func(ctx context.Context, as kubernetes.Interface) error {
			return second(as.CoreV1().Pods(g.foreign).Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "tried"}}, dryCreate))
		},
	} {
		attempts[what] = try
	}
	kubetest.Within(t, "the policy is in force", func() bool {
		return apierrors.IsForbidden(deleteNamespace(g.foreign)(t.Context(), as))
	})
	for what, try := range attempts {
		if err := try(t.Context(), as); !apierrors.IsForbidden(err) {
			t.Errorf("the account can %s: %v", what, err)
		}
	}
}

// TestPlatformAccountHasNoOtherRight has the API server list all that the account may do, in
// namespaces of each kind: it is what its roles name and what every account may, and nothing else.
func TestPlatformAccountHasNoOtherRight(t *testing.T) {
	t.Parallel()
	g, as := newGrounds(t), kubetest.PlatformClient(t)
	bound := g.bindPlatform(t)
	kubetest.Within(t, "the role is bound", func() bool {
		allowed, err := right{resource: "secrets", verb: "get"}.isAllowed(t.Context(), as, bound)
		return err == nil && allowed
	})
	nobody := impersonate(t, rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + g.foreign + ":nobody", Groups: []string{"system:serviceaccounts", "system:authenticated"},
	})
	everywhere := slices.Concat(rightsIn(rulesOf(t, platformRole)), rightsOf(t, nobody, g.foreign))
	inStore := slices.Concat(rightsIn(rulesOf(t, storeRole)), everywhere)
	for namespace, want := range map[string][]right{
		metav1.NamespaceSystem: everywhere, platformNamespace: everywhere, g.foreign: everywhere, g.store: everywhere, bound: inStore,
	} {
		has := rightsOf(t, as, namespace)
		for _, r := range has {
			if !slices.Contains(want, r) {
				t.Errorf("in %s the account may %s", namespace, r)
			}
		}
		for _, r := range want {
			if !slices.Contains(has, r) {
				t.Errorf("in %s the account may not %s", namespace, r)
			}
		}
	}
}

// rightsOf are all that the account has in the namespace, as the API server says.
func rightsOf(t *testing.T, as kubernetes.Interface, namespace string) []right {
	t.Helper()
	review, err := as.AuthorizationV1().SelfSubjectRulesReviews().Create(t.Context(), &authorizationv1.SelfSubjectRulesReview{
		Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace},
	}, metav1.CreateOptions{})
	if err != nil || review.Status.Incomplete || review.Status.EvaluationError != "" {
		t.Fatalf("the rules in %s: %+v, %v", namespace, review, err)
	}
	var rules []rbacv1.PolicyRule
	for _, r := range review.Status.ResourceRules {
		rules = append(rules, rbacv1.PolicyRule{APIGroups: r.APIGroups, Resources: r.Resources, ResourceNames: r.ResourceNames, Verbs: r.Verbs})
	}
	return rightsIn(rules)
}

// bindPlatform makes a store's namespace in which the platform's account has its role.
func (g grounds) bindPlatform(t *testing.T) (namespace string) {
	t.Helper()
	admin, namespace := kubetest.Admin(t), g.store+"-bound"
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: storeLabels()}}
	if _, err := admin.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = admin.CoreV1().Namespaces().Delete(context.Background(), namespace, metav1.DeleteOptions{})
	})
	if _, err := admin.RbacV1().RoleBindings(namespace).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "platform"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: platformNamespace, Name: "shopwright"}},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: storeRole},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return namespace
}

func impersonate(t *testing.T, who rest.ImpersonationConfig) kubernetes.Interface {
	t.Helper()
	as, err := kubernetes.NewForConfig(kubetest.Impersonating(t, who))
	if err != nil {
		t.Fatal(err)
	}
	return as
}
