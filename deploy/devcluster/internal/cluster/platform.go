package cluster

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"shopwright.dev/shopwright/deploy/devcluster/internal/api"
)

// platform is the name of Shopwright's service account, of its binding, and part of its namespace's.
const (
	platform          = "shopwright"
	platformNamespace = "shopwright-system"
)

// tokenLifetime is how long the platform's token is good for; every `up` issues another.
const tokenLifetime = 365 * 24 * time.Hour

// admit gives Shopwright's service account the rights in the files roles, and writes the kubeconfig that signs in as
// it. Without any file it does nothing.
func (c *Cluster) admit(ctx context.Context, admin *api.Client, roles []string) error {
	if len(roles) == 0 {
		return nil
	}
	manifests, err := platformManifests(roles)
	if err != nil {
		return err
	}
	for _, m := range manifests {
		if err := admin.Apply(ctx, m.path, []byte(m.text)); err != nil {
			return fmt.Errorf("set up Shopwright's service account: %w", err)
		}
	}
	token, err := requestToken(ctx, admin)
	if err != nil {
		return err
	}
	return c.writeKubeconfig(c.PlatformKubeconfig(), c.Server(), platform, credentials{Token: token})
}

// platformManifests are the account, what the files hold, and the binding of the account to the first of their
// ClusterRoles.
func platformManifests(roles []string) ([]manifest, error) {
	namespace := "/api/v1/namespaces/" + platformNamespace
	manifests := []manifest{
		{namespace, "{apiVersion: v1, kind: Namespace, metadata: {name: " + platformNamespace + "}}"},
		{namespace + "/serviceaccounts/" + platform, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: " + platform + "}}"},
	}
	for _, path := range roles {
		rights, err := readRights(path)
		if err != nil {
			return nil, err
		}
		manifests = append(manifests, rights...)
	}
	for _, m := range manifests {
		if role, is := strings.CutPrefix(m.path, rightsPaths["ClusterRole"]); is {
			return append(manifests, binding(role)), nil
		}
	}
	return nil, fmt.Errorf("%s must hold a ClusterRole with a name", strings.Join(roles, " and "))
}

func binding(role string) manifest {
	return manifest{"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/" + platform, fmt.Sprintf(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: %s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: %s}
subjects: [{kind: ServiceAccount, name: %s, namespace: %s}]`, platform, role, platform, platformNamespace)}
}

// rightsPaths are the kinds that say what an account may do, and where the API server keeps them.
var rightsPaths = map[string]string{
	"ClusterRole":                      "/apis/rbac.authorization.k8s.io/v1/clusterroles/",
	"ValidatingAdmissionPolicy":        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/",
	"ValidatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/",
}

// readRights reads a file of such objects. Where it is a template of a chart, it may name the release's namespace.
func readRights(path string) ([]manifest, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the platform's rights: %w", err)
	}
	text := strings.ReplaceAll(string(raw), "{{ .Release.Namespace }}", platformNamespace)
	var manifests []manifest
	for document := range strings.SplitSeq(text, "\n---\n") {
		var object struct {
			Kind     string
			Metadata struct{ Name string }
		}
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			return nil, fmt.Errorf("%s is no plain manifest: %w", path, err)
		}
		at := rightsPaths[object.Kind]
		if at == "" || object.Metadata.Name == "" {
			return nil, fmt.Errorf("%s must hold ClusterRoles and admission policies with names, and nothing else", path)
		}
		manifests = append(manifests, manifest{at + object.Metadata.Name, document})
	}
	return manifests, nil
}

func requestToken(ctx context.Context, admin *api.Client) (string, error) {
	var request struct {
		Spec struct {
			ExpirationSeconds int64 `json:"expirationSeconds"`
		} `json:"spec"`
		Status struct {
			Token string `json:"token"`
		} `json:"status,omitzero"`
	}
	request.Spec.ExpirationSeconds = int64(tokenLifetime.Seconds())
	path := "/api/v1/namespaces/" + platformNamespace + "/serviceaccounts/" + platform + "/token"
	if err := admin.Create(ctx, path, request, &request); err != nil {
		return "", fmt.Errorf("request a token for Shopwright's service account: %w", err)
	}
	return request.Status.Token, nil
}
