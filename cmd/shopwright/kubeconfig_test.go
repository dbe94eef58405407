package main_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// kubeconfig writes the platform's kubeconfig as the test changes it.
func kubeconfig(t *testing.T, path string, change func(cluster *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo)) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(kubetest.PlatformKubeconfig(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range config.Contexts {
		change(config.Clusters[c.Cluster], config.AuthInfos[c.AuthInfo])
	}
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// kubectl takes paths from the folder of the kubeconfig, wherever it is called.
func TestKubeconfigWithRelativePaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := kubeconfig(t, filepath.Join(dir, "config"), func(cluster *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) {
		err := os.WriteFile(filepath.Join(dir, "ca.crt"), cluster.CertificateAuthorityData, 0o600)
		cluster.CertificateAuthority, cluster.CertificateAuthorityData = "ca.crt", nil
		if len(user.ClientCertificateData) > 0 {
			err = errors.Join(err, os.WriteFile(filepath.Join(dir, "client.crt"), user.ClientCertificateData, 0o600),
				os.WriteFile(filepath.Join(dir, "client.key"), user.ClientKeyData, 0o600))
			user.ClientCertificate, user.ClientKey, user.ClientCertificateData, user.ClientKeyData = "client.crt", "client.key", nil, nil
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	p := launch(t, path)
	connected := p.said.expect(t, "cluster is connected")
	p.startSignedOut()
	connected()
}

// Credentials that are refused are read again when somebody has renewed them.
func TestKubeconfigThatIsRenewed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config")
	p := launch(t, kubeconfig(t, path, func(_ *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) {
		*user = clientcmdapi.AuthInfo{Token: "expired"}
	}))
	refused := p.said.expect(t, "The cluster rejects the credentials.")
	p.startSignedOut()
	refused()
	connected := p.said.expect(t, "cluster is connected")
	kubeconfig(t, path, func(*clientcmdapi.Cluster, *clientcmdapi.AuthInfo) {})
	connected()
}

// A helper may wait for a person who is not there. The page names it, and the program ends when it is told to.
func TestKubeconfigWhoseHelperDoesNotEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	helper := filepath.Join(dir, "waits.sh")
	if err := os.WriteFile(helper, []byte("#!/bin/sh\nexec >&- 2>&-\nwhile [ -e \"$0\" ]; do sleep 0.1; done\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	p := launch(t, kubeconfig(t, filepath.Join(dir, "config"), func(_ *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) {
		*user = clientcmdapi.AuthInfo{Exec: &clientcmdapi.ExecConfig{
			APIVersion: "client.authentication.k8s.io/v1", Command: "./waits.sh", InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
		}}
	}))
	told := p.said.expect(t, "the program "+helper+", which provides the kubeconfig’s credentials, doesn’t finish")
	p.startSignedOut()
	told()
	if code := p.stop(); code != 0 {
		t.Errorf("it ends with %d", code)
	}
}

// What no client can use is refused at the start, with the reason.
func TestKubeconfigThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for reason, path := range map[string]string{
		"insecure flag is not allowed": kubeconfig(t, filepath.Join(dir, "insecure"), func(cluster *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) {
			cluster.InsecureSkipTLSVerify = true
		}),
		`no Auth Provider found for name "gcp"`: kubeconfig(t, filepath.Join(dir, "gcp"), func(_ *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) {
			*user = clientcmdapi.AuthInfo{AuthProvider: &clientcmdapi.AuthProviderConfig{Name: "gcp"}}
		}),
	} {
		env := []string{"SHOPWRIGHT_ADDR=127.0.0.1:0", "SHOPWRIGHT_DATA_DIR=" + t.TempDir(), "SHOPWRIGHT_KUBECONFIG=" + path}
		if code, said := call(t, env, "serve"); code != 2 || !strings.Contains(said, reason) || !strings.Contains(said, path) {
			t.Errorf("%s: exit code %d: %s", path, code, said)
		}
	}
}
