package engine_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/provisioner/engine/enginetest"
)

func mailing(t *testing.T, smtp engine.SMTP, closed bool) []runtime.Object {
	t.Helper()
	spec := enginetest.Spec("local")
	spec.SMTP = smtp
	if closed {
		spec.Values = engine.Values{"woocommerce": {"egress": map[string]any{"internet": false}}}
	}
	return enginetest.Objects(t, enginetest.Request(t, engine.WooCommerce{}, spec))
}

// The server is reached by what sends mail, on its port only: in a private network, and where
// the internet is closed.
func TestMailServerIsReachedByWhatSendsMail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		smtp engine.SMTP
		want []string
		port int
	}{
		"private": {engine.SMTP{SecretName: "smtp", Port: 2525, CIDR: "10.0.3.0/24"}, []string{"10.0.3.0/24"}, 2525},
		"public":  {engine.SMTP{SecretName: "smtp"}, []string{"0.0.0.0/0", "::/0"}, 587},
		"none":    {engine.SMTP{Port: 587, CIDR: "10.0.3.0/24"}, nil, 0},
	} {
		objects := mailing(t, c.smtp, true)
		var networks []string
		for _, block := range blocks(objects) {
			networks = append(networks, block.CIDR)
		}
		if !slices.Equal(networks, c.want) {
			t.Errorf("%s: the ways out are %q, want %q", name, networks, c.want)
		}
		enginetest.Each(objects, func(p *networkingv1.NetworkPolicy) {
			if p.Name != "mail" {
				return
			}
			if ports := p.Spec.Egress[0].Ports; len(ports) != 1 || ports[0].Port.IntValue() != c.port {
				t.Errorf("%s: let out on %v", name, ports)
			}
			for _, w := range enginetest.Workloads(objects) {
				component := w.Template.Labels["app.kubernetes.io/component"]
				if got, want := selects(t, &p.Spec.PodSelector, w), component == "wordpress" || component == "cron"; got != want {
					t.Errorf("%s: %s reaches the mail server: %t", name, w.Name, got)
				}
			}
		})
	}
}

// What sends mail has the Secret as files, and nothing else has it.
func TestMailLoginIsMountedWhereMailIsSent(t *testing.T) {
	t.Parallel()
	for _, w := range enginetest.Workloads(mailing(t, engine.SMTP{SecretName: "smtp"}, false)) {
		mounted := slices.ContainsFunc(w.Template.Spec.Volumes, func(v corev1.Volume) bool {
			return v.Secret != nil && v.Secret.SecretName == "smtp"
		})
		component := w.Template.Labels["app.kubernetes.io/component"]
		if want := component == "wordpress" || component == "cron"; mounted != want {
			t.Errorf("%s has the login: %t", w.Name, mounted)
		}
	}
}

func TestWhatIsOffIsTold(t *testing.T) {
	t.Parallel()
	spec := enginetest.Spec("production")
	for _, e := range engine.Offered().All() {
		if off := e.Off(spec); len(off) != 1 || !strings.HasPrefix(off[0], "Order mail is off: ") {
			t.Errorf("%s: %q", e.Name(), off)
		}
	}
	spec.SMTP = engine.SMTP{SecretName: "smtp"}
	if off := (engine.WooCommerce{}).Off(spec); len(off) > 0 {
		t.Errorf("with a mail server: %q", off)
	}
	spec = enginetest.Spec("production")
	spec.Values = engine.Values{"woocommerce": {"smtp": map[string]any{"existingSecret": "mine"}}}
	if off := (engine.WooCommerce{}).Off(spec); len(off) > 0 {
		t.Errorf("with a mail server among the operator's values: %q", off)
	}
}

// mailer stands in for WordPress, which hands its PHPMailer to whoever wants to change it.
const mailer = `<?php
define('ABSPATH', '/');
$hooks = [];
function add_filter($name, $do) {}
function is_email($address) { return filter_var($address, FILTER_VALIDATE_EMAIL); }
function add_action($name, $do) { global $hooks; $hooks[$name] = $do; }
class Mailer {
	public $Host = 'localhost', $Port = 25, $SMTPSecure = '', $SMTPAuth = false, $Username = '', $Password = '', $Timeout = 300;
	public $From = 'wordpress@shop.localhost', $FromName = 'Käse', $way = 'mail';
	function isSMTP() { $this->way = 'smtp'; }
	function setFrom($address, $name, $auto) { $this->From = $address; $this->FromName = $name; }
}
require $argv[1];
$mailer = new Mailer();
$hooks['phpmailer_init']($mailer);
echo implode(' ', [$mailer->way, $mailer->Host, $mailer->Port, $mailer->SMTPSecure, var_export($mailer->SMTPAuth, true),
	$mailer->Username, $mailer->Password, $mailer->From, $mailer->FromName]);
`

func TestMailGoesThroughTheServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := ""
	enginetest.Each(shop(t, unchanged), func(c *corev1.ConfigMap) { script += c.Data["shopwright.php"] })
	for name, text := range map[string]string{
		"plugin.php": script, "wordpress.php": mailer,
		"named/host": "mail.example.com", "named/from": "Tea shop <shop@example.com>\n", "none/host": "mail.example.com", "none/from": "Tea shop",
		"open/host": "mail.example.com\n", "login/host": "mail.example.com", "login/from": "shops@example.com", "login/username": "shops", "login/password": "s3cret\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for env, want := range map[string]string{
		"": "mail localhost 25  false   wordpress@shop.localhost Käse",
		"SMTP_PORT=25 SMTP_FOLDER=" + dir + "/named":  "smtp mail.example.com 25  false   shop@example.com Käse",
		"SMTP_PORT=25 SMTP_FOLDER=" + dir + "/none":   "smtp mail.example.com 25  false   wordpress@shop.localhost Käse",
		"SMTP_PORT=25 SMTP_FOLDER=" + dir + "/open":   "smtp mail.example.com 25  false   wordpress@shop.localhost Käse",
		"SMTP_PORT=587 SMTP_FOLDER=" + dir + "/login": "smtp mail.example.com 587 tls true shops s3cret shops@example.com Käse",
		"SMTP_PORT=465 SMTP_FOLDER=" + dir + "/login": "smtp mail.example.com 465 ssl true shops s3cret shops@example.com Käse",
	} {
		cmd := exec.CommandContext(t.Context(), "php", filepath.Join(dir, "wordpress.php"), filepath.Join(dir, "plugin.php"))
		cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, strings.Fields(env)...)
		if out, err := cmd.Output(); err != nil || string(out) != want {
			t.Errorf("with %q: %v\n%s\nwant\n%s", env, err, out, want)
		}
	}
}
