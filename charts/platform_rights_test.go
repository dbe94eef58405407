package charts_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/uuid"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// The roles of the platform's chart: in the cluster, in a store's namespace, and in its own,
// where a Role has the name of the first.
const (
	platformRole = "shopwright"
	storeRole    = "shopwright-store"
	ownRole      = "shopwright in its own namespace"
)

// right is one verb on one resource, or on one object of it.
type right struct{ group, resource, name, verb string }

func (r right) String() string { return strings.TrimSpace(r.verb + " " + r.resource + " " + r.name) }

// shared are the values with which the chart has secrets copied to the stores.
var shared = values{"stores": values{
	"imagePullSecret": "pull", "tls": values{"mode": "secret", "secretName": "wildcard"}, "smtp": values{"existingSecret": "mail"},
}}

// rulesOf are those of a role of the chart.
func rulesOf(t *testing.T, role string) (rules []rbacv1.PolicyRule) {
	t.Helper()
	objects := platform(t, shared)
	if role == ownRole {
		return only[*rbacv1.Role](t, objects).Rules
	}
	enginetest.Each(objects, func(r *rbacv1.ClusterRole) {
		if r.Name == role {
			rules = r.Rules
		}
	})
	return rules
}

// rightsIn are what the rules say, one by one.
func rightsIn(rules []rbacv1.PolicyRule) (rights []right) {
	for _, rule := range rules {
		names := rule.ResourceNames
		if len(names) == 0 {
			names = []string{""}
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, name := range names {
					for _, verb := range rule.Verbs {
						rights = append(rights, right{group, resource, name, verb})
					}
				}
			}
		}
	}
	return rights
}

// without are the rules less one right.
func without(rules []rbacv1.PolicyRule, taken right) (left []rbacv1.PolicyRule) {
	for _, r := range rightsIn(rules) {
		if r == taken {
			continue
		}
		rule := rbacv1.PolicyRule{APIGroups: []string{r.group}, Resources: []string{r.resource}, Verbs: []string{r.verb}}
		if r.name != "" {
			rule.ResourceNames = []string{r.name}
		}
		left = append(left, rule)
	}
	return left
}

// TestMain has lists and watches asked for one after the other, as of an API server that
// cannot tell in a watch what there is already.
func TestMain(m *testing.M) {
	if err := os.Setenv("KUBE_FEATURE_WatchListClient", "false"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// TestEveryRightIsNeeded lets an account do all that the platform does: with its whole
// roles, and with each right taken away in turn, which must be missed.
func TestEveryRightIsNeeded(t *testing.T) {
	t.Parallel()
	for role, deeds := range map[string]func(*deputy) []deed{
		platformRole: (*deputy).aroundStores, storeRole: (*deputy).inStore, ownRole: (*deputy).atHome,
	} {
		rules := rulesOf(t, role)
		t.Run(role+" whole", func(t *testing.T) {
			t.Parallel()
			d := newDeputy(t, role, rules)
			d.perform(deeds(d))
			for _, refusal := range d.said.refused() {
				t.Error(refusal)
			}
		})
		for _, taken := range rightsIn(rules) {
			t.Run(role+" without "+taken.String(), func(t *testing.T) {
				t.Parallel()
				d := newDeputy(t, role, without(rules, taken))
				d.perform(deeds(d))
				d.wantMissed(taken)
			})
		}
	}
}

// deputy is an account in place of the platform's that has one of its roles, or a part of it.
type deputy struct {
	t     *testing.T
	name  string
	owner kube.Owner
	home  string // namespace in place of the platform's own
	admin kubernetes.Interface
	set   kubernetes.Interface
	kube  *kube.Client
	helm  *helm.Client
	said  answers
}

func newDeputy(t *testing.T, role string, rules []rbacv1.PolicyRule) *deputy {
	t.Helper()
	mark := uuid.NewString()[24:]
	d := &deputy{
		t: t, name: "deputy-" + mark, home: "home-deputy-" + mark, admin: kubetest.Admin(t),
		owner: kube.Owner{Namespace: "store-deputy-" + mark, StoreID: enginetest.Spec("local").StoreID},
	}
	config := kubetest.Impersonating(t, rest.ImpersonationConfig{UserName: d.name})
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return listener{&d.said, next} })
	var err error
	if d.set, err = kubernetes.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	if d.kube, err = kube.NewClient(config); err != nil {
		t.Fatal(err)
	}
	if d.helm, err = helm.NewClient(config); err != nil {
		t.Fatal(err)
	}
	d.grant(role, rules)
	return d
}

// grant gives the deputy the rules in place of the role.
func (d *deputy) grant(role string, rules []rbacv1.PolicyRule) {
	d.t.Helper()
	d.t.Cleanup(d.revoke)
	switch role {
	case platformRole:
		d.must(second(d.admin.RbacV1().ClusterRoles().Create(d.t.Context(), &rbacv1.ClusterRole{
			ObjectMeta: metav1.ObjectMeta{Name: d.name}, Rules: rules,
		}, metav1.CreateOptions{})))
		d.must(second(d.admin.RbacV1().ClusterRoleBindings().Create(d.t.Context(), &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: d.name}, Subjects: d.subjects(),
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: d.name},
		}, metav1.CreateOptions{})))
		d.untilAllowed("", rules)
	case storeRole:
		d.settle(d.owner.Namespace, rules)
	case ownRole:
		d.settle(d.home, rules)
		d.settle(d.owner.Namespace, rulesOf(d.t, storeRole))
	}
}

func (d *deputy) subjects() []rbacv1.Subject {
	return []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: d.name}}
}

// settle makes a namespace in which the deputy may do what the rules say.
func (d *deputy) settle(namespace string, rules []rbacv1.PolicyRule) {
	d.t.Helper()
	ctx, api := d.t.Context(), d.admin.RbacV1()
	d.must(second(d.admin.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: namespace},
	}, metav1.CreateOptions{})))
	d.must(second(api.Roles(namespace).Create(ctx, &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: d.name}, Rules: rules,
	}, metav1.CreateOptions{})))
	d.must(second(api.RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: d.name}, Subjects: d.subjects(),
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: d.name},
	}, metav1.CreateOptions{})))
	d.untilAllowed(namespace, rules)
	kubetest.Within(d.t, "pods can be made in the namespace", func() bool {
		_, err := d.admin.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{})
		return err == nil
	})
}

func (d *deputy) revoke() {
	ctx, o := context.Background(), metav1.DeleteOptions{}
	_ = d.admin.CoreV1().Namespaces().Delete(ctx, d.owner.Namespace, o)
	_ = d.admin.CoreV1().Namespaces().Delete(ctx, d.home, o)
	_ = d.admin.RbacV1().ClusterRoleBindings().Delete(ctx, d.name, o)
	_ = d.admin.RbacV1().ClusterRoles().Delete(ctx, d.name, o)
}

func (d *deputy) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func second[T any](_ T, err error) error { return err }

// untilAllowed returns when the first right of the rules is in force, and with it all that
// were given at the same time.
func (d *deputy) untilAllowed(namespace string, rules []rbacv1.PolicyRule) {
	d.t.Helper()
	kubetest.Within(d.t, "the rights are in force", func() bool {
		allowed, err := rightsIn(rules)[0].isAllowed(d.t.Context(), d.set, namespace)
		return err == nil && allowed
	})
}

// isAllowed asks the API server whether an account has the right in a namespace, or in all
// where that is empty.
func (r right) isAllowed(ctx context.Context, as kubernetes.Interface, namespace string) (bool, error) {
	resource, subresource, _ := strings.Cut(r.resource, "/")
	answer, err := as.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: namespace, Group: r.group, Resource: resource, Subresource: subresource, Name: r.name, Verb: r.verb,
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return answer.Status.Allowed, nil
}

// deed is something that the platform does.
type deed struct {
	what string
	do   func(context.Context) error
}

// perform does one deed after the other until something is forbidden.
func (d *deputy) perform(deeds []deed) {
	d.t.Helper()
	for _, deed := range deeds {
		err := deed.do(d.t.Context())
		switch {
		case len(d.said.refused()) > 0:
			d.t.Logf("cannot %s: %v", deed.what, err)
			return
		case err != nil:
			d.t.Fatalf("%s: %v", deed.what, err)
		}
	}
}

// aroundStores is what the platform does in the cluster.
func (d *deputy) aroundStores() []deed {
	var account kube.Account
	var state kube.NamespaceState
	return []deed{
		{"recognise the cluster", func(ctx context.Context) error { return second(d.kube.Identity(ctx)) }},
		{"find out who it is", func(ctx context.Context) (err error) { account, err = d.kube.Account(ctx); return err }},
		{"watch", d.watch},
		{"count what the nodes hold", func(ctx context.Context) error { return second(d.kube.Nodes(ctx)) }},
		{"make a namespace", func(ctx context.Context) error { return second(d.kube.CreateNamespace(ctx, d.owner)) }},
		{"bind its role", func(ctx context.Context) error { return second(d.kube.BindRole(ctx, d.owner, account)) }},
		{"look at a namespace", func(ctx context.Context) (err error) { state, err = d.kube.Namespace(ctx, d.owner); return err }},
		{"count volumes", func(ctx context.Context) error { return second(d.kube.Volumes(ctx, d.owner.Namespace)) }},
		{"delete a namespace", func(ctx context.Context) error { return d.kube.DeleteNamespace(ctx, d.owner.Namespace, state.UID) }},
	}
}

// inStore is what the platform does in a store's namespace.
func (d *deputy) inStore() []deed {
	namespace, secret := d.owner.Namespace, enginetest.Spec("local").SecretName
	limits := kube.Limits{Quota: map[corev1.ResourceName]string{corev1.ResourcePods: "0"}} // nobody waits for any
	check := kube.CheckRun{Key: "any-1", Manifest: `{metadata: {name: check}, spec: {containers: [{name: check, image: check}]}}`}
	deeds := []deed{
		{"make a check", func(ctx context.Context) error { return d.kube.CreateCheck(ctx, d.owner, check) }},
		{"make limits", func(ctx context.Context) error { return d.kube.SetLimits(ctx, d.owner, limits) }},
		{"set limits that are there", func(ctx context.Context) error { return d.kube.SetLimits(ctx, d.owner, limits) }},
		{"look for limits", func(ctx context.Context) error { return second(d.kube.HasLimits(ctx, namespace, limits)) }},
		{"make a secret", func(ctx context.Context) error { return d.kube.CreateSecret(ctx, d.owner, secret, nil) }},
		{"look for a secret", func(ctx context.Context) error { return second(d.kube.HasSecret(ctx, namespace, secret)) }},
	}
	for _, e := range engine.Offered().All() {
		deeds = append(deeds, d.release(e)...)
	}
	for _, kind := range []string{"Deployment", "StatefulSet"} {
		workload := kube.Workload{Kind: kind, Name: "any"}
		deeds = append(deeds, deed{"nudge a " + kind, func(ctx context.Context) error { return d.kube.Nudge(ctx, namespace, workload) }})
	}
	return append(deeds,
		deed{"remove a job", func(ctx context.Context) error { return d.kube.DeleteJob(ctx, namespace, "any") }},
		deed{"remove a pod", func(ctx context.Context) error { return d.kube.DeletePods(ctx, namespace, []string{"any"}) }},
		deed{"remove volumes", func(ctx context.Context) error { return d.kube.DeleteVolumes(ctx, namespace) }},
		deed{"list events", func(ctx context.Context) error { return second(d.kube.Events(ctx, namespace)) }},
		deed{"watch events", d.watchEvents},
		deed{"read a log", d.readLog},
	)
}

// atHome is what the platform does in its own namespace: it copies secrets to the stores.
func (d *deputy) atHome() (deeds []deed) {
	var all []kube.Shared
	for _, name := range []string{"pull", "mail", "wildcard"} {
		d.must(second(d.admin.CoreV1().Secrets(d.home).Create(d.t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})))
		original := kube.Shared{Namespace: d.home, Name: name, Copy: "copy-of-" + name}
		all = append(all, original)
		deeds = append(deeds, deed{"copy " + name, func(ctx context.Context) error { return d.kube.ShareSecret(ctx, d.owner, original) }})
	}
	return append(deeds, deed{"watch what is copied", func(context.Context) error { return d.watchShared(all) }})
}

// watchShared returns when the watch of each secret is open, or one is forbidden.
func (d *deputy) watchShared(all []kube.Shared) error {
	_, end, err := d.kube.WatchShared(all)
	if err != nil {
		return err
	}
	defer end()
	kubetest.Within(d.t, "all watches are open", func() bool {
		return len(d.said.refused()) > 0 || d.said.watches("secrets") == len(all)
	})
	return nil
}

// release installs the engine's chart, brings it to other values and another version, and
// back, and removes it.
func (d *deputy) release(e engine.Engine) (deeds []deed) {
	first := enginetest.Request(d.t, e, enginetest.Spec("local"))
	first.Namespace = d.owner.Namespace
	patient := first
	patient.Values = maps.Clone(first.Values)
	patient.Values["setup"] = map[string]any{"backoffLimit": 5}
	spec := enginetest.Spec("production")
	spec.TLS = engine.TLS{Mode: engine.TLSCertManager, Issuer: "any"}
	later := enginetest.Request(d.t, e, spec)
	later.Namespace, later.Chart = first.Namespace, nextVersion(d.t, e.Chart())
	for _, request := range []helm.Request{first, patient, later, first} {
		deeds = append(deeds, deed{"release " + e.Label(), func(ctx context.Context) error { return second(d.helm.Apply(ctx, request)) }})
	}
	return append(deeds, deed{"uninstall " + e.Label(), func(ctx context.Context) error {
		return d.helm.Uninstall(ctx, first.Namespace, first.Name)
	}})
}

// watch opens the watches of all stores, and returns when each is open or one is forbidden.
func (d *deputy) watch(ctx context.Context) error {
	watcher, err := kube.NewWatcher(d.kube)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { watcher.Run(ctx, func() {}) })
	defer running.Wait()
	defer stop()
	rights := slices.DeleteFunc(rightsIn(rulesOf(d.t, platformRole)), func(r right) bool { return r.verb != "watch" })
	kubetest.Within(d.t, "all watches are open", func() bool {
		return len(d.said.refused()) > 0 || !slices.ContainsFunc(rights, func(r right) bool { return !d.said.watched(r.resource) })
	})
	return nil
}

// watchEvents returns when the watch of the store's events is open or forbidden.
func (d *deputy) watchEvents(context.Context) error {
	watch, err := d.kube.WatchEvents(d.owner.Namespace)
	if err != nil {
		return err
	}
	defer watch.Close()
	kubetest.Within(d.t, "the watch is open", func() bool { return len(d.said.refused()) > 0 || d.said.watched("events") })
	return nil
}

// readLog asks for the log of a pod that is not there.
func (d *deputy) readLog(ctx context.Context) error {
	_, err := d.kube.Log(ctx, d.owner.Namespace, "any", "any", kube.LogOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// nextVersion is the chart with another version of what it installs.
func nextVersion(t *testing.T, chart fs.FS) fs.FS {
	t.Helper()
	next := fstest.MapFS{}
	err := fs.WalkDir(chart, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(chart, path)
		if path == "Chart.yaml" {
			data = regexp.MustCompile("(?m)^appVersion:.*$").ReplaceAll(data, []byte(`appVersion: "99"`))
		}
		next[path] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// wantMissed checks that something was refused for want of the right.
func (d *deputy) wantMissed(r right) {
	d.t.Helper()
	want := fmt.Sprintf("cannot %s resource %q in API group %q", r.verb, r.resource, r.group)
	if r.verb == "bind" {
		want = "attempting to grant RBAC permissions not currently held"
	}
	if !slices.ContainsFunc(d.said.refused(), func(refusal string) bool { return strings.Contains(refusal, want) }) {
		d.t.Errorf("nobody needs to %s", r)
	}
}

// answers are what the API server has refused, and which watches it has opened.
type answers struct {
	mu       sync.Mutex
	refusals []string
	opened   []string // watches, by resource
}

func (a *answers) refused() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.refusals)
}

func (a *answers) watched(resource string) bool { return a.watches(resource) > 0 }

// watches counts those of a resource that were opened.
func (a *answers) watches(resource string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, opened := range a.opened {
		if opened == resource {
			n++
		}
	}
	return n
}

// listener takes down answers on their way.
type listener struct {
	said *answers
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (l listener) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	l.said.mu.Lock()
	defer l.said.mu.Unlock()
	switch {
	case response.StatusCode == http.StatusForbidden:
		body, err := io.ReadAll(response.Body)
		l.said.refusals = append(l.said.refusals, strings.ReplaceAll(string(body), `\"`, `"`)) // in JSON
		response.Body = io.NopCloser(bytes.NewReader(body))
		return response, err
	case r.URL.Query().Get("watch") != "":
		l.said.opened = append(l.said.opened, path.Base(r.URL.Path))
	}
	return response, nil
}
