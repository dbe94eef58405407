package main_test

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"shopwright.dev/shopwright/provisioner/engine/enginetest"
	"shopwright.dev/shopwright/provisioner/helm"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

// settingNames are those of all settings, as the program prints them.
func settingNames(t *testing.T) (names []string) {
	t.Helper()
	_, printed := call(t, nil, "config")
	for line := range strings.Lines(printed) {
		name, _, _ := strings.Cut(line, "=")
		names = append(names, name)
	}
	return names
}

// A setting that a recipe or the chart names and the program does not know would do nothing.
func TestRecipesNameSettingsThatThereAre(t *testing.T) {
	t.Parallel()
	// The first is of the compose file itself, the last two are secrets of a restore, the others are of the command line as a client.
	known := append(settingNames(t), "SHOPWRIGHT_IMAGE", "SHOPWRIGHT_URL", "SHOPWRIGHT_TOKEN", "SHOPWRIGHT_TARGET_SECRET", "SHOPWRIGHT_RECOVERY_KEY")
	named := regexp.MustCompile(`SHOPWRIGHT_[A-Z_]*[A-Z]`)
	recipes(t, func(path string, text []byte) {
		for _, name := range named.FindAllString(string(text), -1) {
			if !slices.Contains(known, name) {
				t.Errorf("%s: there is no setting %s", path, name)
			}
		}
	}, "../../deploy/kind", "../../deploy/k3d", "../../deploy/k3s", "../../deploy/systemd", "../../deploy/compose", "../../charts/platform",
		"../../README.md", "../../deploy/docs")
}

// firstColumn is what the tables of a page have in code in their first column.
func firstColumn(t *testing.T, path string) (names []string) {
	t.Helper()
	code := regexp.MustCompile("`([^`]+)`")
	for line := range strings.Lines(string(contentOf(t, path))) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cell, _, _ := strings.Cut(strings.TrimPrefix(line, "|"), "|")
		for _, found := range code.FindAllStringSubmatch(cell, -1) {
			names = append(names, found[1])
		}
	}
	return names
}

// The tables of the configuration name every setting once, and no other.
func TestConfigurationNamesEverySetting(t *testing.T) {
	t.Parallel()
	var want []string
	for _, name := range settingNames(t) {
		want = append(want, strings.TrimPrefix(name, "SHOPWRIGHT_"))
	}
	named := firstColumn(t, "../../deploy/docs/configuration.md")
	slices.Sort(want)
	slices.Sort(named)
	if !slices.Equal(named, want) {
		t.Errorf("the tables name\n%q\nthe settings are\n%q", named, want)
	}
}

// Where the tables give one value as the default, it is what the program says without any setting.
func TestConfigurationNamesTheDefaults(t *testing.T) {
	t.Parallel()
	_, printed := call(t, nil, "config")
	row, compared := regexp.MustCompile("(?m)^\\| `(\\w+)`(?:, `\\w+`)* \\| `([^`]+)` \\|"), 0
	for _, found := range row.FindAllStringSubmatch(string(contentOf(t, "../../deploy/docs/configuration.md")), -1) {
		name, want := "SHOPWRIGHT_"+found[1], found[2]
		if d, err := time.ParseDuration(want); err == nil && strings.ContainsAny(want, "smh") {
			want = d.String()
		}
		if line := name + "=" + strconv.Quote(want); !strings.Contains("\n"+printed, "\n"+line+"\n") {
			t.Errorf("the table says %s, the program\n%s", line, printed)
		}
		compared++
	}
	if compared < 20 {
		t.Errorf("only %d defaults were compared", compared)
	}
}

// The tables of the command line name every command once, and no other.
func TestCommandLineNamesEveryCommand(t *testing.T) {
	t.Parallel()
	code, help := call(t, nil, "--help")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, help)
	}
	_, help, _ = strings.Cut(help, "\nCommands:\n")
	var want []string
	for _, found := range regexp.MustCompile(`(?m)^  ([a-z-]+(?: [a-z-]+)*)(?: [<\[-]|$)`).FindAllStringSubmatch(help, -1) {
		want = append(want, found[1])
	}
	named := firstColumn(t, "../../deploy/docs/cli.md")
	slices.Sort(want)
	slices.Sort(named)
	if len(want) == 0 || !slices.Equal(named, want) {
		t.Errorf("the tables name\n%q\nthe commands are\n%q", named, want)
	}
}

func TestRecipesAreYAML(t *testing.T) {
	t.Parallel()
	recipes(t, func(path string, text []byte) {
		var parsed map[string]any
		if err := yaml.UnmarshalStrict(text, &parsed); filepath.Ext(path) == ".yaml" && err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}, "../../deploy/kind", "../../deploy/k3s", "../../deploy/compose")
}

func recipes(t *testing.T, check func(path string, text []byte), folders ...string) {
	t.Helper()
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			check(path, text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// wantConfigured wants the program to take the environment that a recipe makes.
func wantConfigured(t *testing.T, env map[string]string) {
	t.Helper()
	var lines []string
	for name, value := range env {
		lines = append(lines, name+"="+value)
	}
	if code, said := call(t, lines, "config"); code != 0 {
		t.Errorf("exit code %d: %s", code, said)
	}
}

// parseYAML reads a file of the repository.
func parseYAML[T any](t *testing.T, path string) (parsed T) {
	t.Helper()
	if err := yaml.Unmarshal(contentOf(t, path), &parsed); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return parsed
}

// over lays values over others, as Helm does.
func over(base, more map[string]any) map[string]any {
	merged := maps.Clone(base)
	for name, value := range more {
		below, isMap := merged[name].(map[string]any)
		if above, both := value.(map[string]any); both && isMap {
			value = over(below, above)
		}
		merged[name] = value
	}
	return merged
}

// TestChartConfiguresTheProgram gives the program what the chart makes of the values that
// people install it with.
func TestChartConfiguresTheProgram(t *testing.T) {
	t.Parallel()
	const chart = "../../charts/platform"
	local, production := parseYAML[map[string]any](t, chart+"/values-local.yaml"), parseYAML[map[string]any](t, chart+"/values-prod.yaml")
	for name, values := range map[string]map[string]any{
		"local": local, "production": production, "k3s": over(production, parseYAML[map[string]any](t, "../../deploy/k3s/values.yaml")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{}
			enginetest.Each(enginetest.Objects(t, helm.Request{
				Namespace: "shopwright", Name: "shopwright", Chart: os.DirFS(chart), Values: values,
			}), func(d *appsv1.Deployment) { env = literals(d.Spec.Template.Spec.Containers[0]) })
			env["SHOPWRIGHT_SECRET_KEY"] = sessionKey
			wantConfigured(t, env)
		})
	}
}

// literals are the variables that do not come from a Secret.
func literals(c corev1.Container) map[string]string {
	env := map[string]string{}
	for _, v := range c.Env {
		if v.ValueFrom == nil {
			env[v.Name] = v.Value
		}
	}
	return env
}

func TestComposeConfiguresTheProgram(t *testing.T) {
	t.Parallel()
	file := parseYAML[struct {
		Services map[string]struct{ Environment map[string]string }
	}](t, "../../deploy/compose/compose.yaml")
	set := map[string]string{"SHOPWRIGHT_SECRET_KEY": sessionKey, "POSTGRES_PASSWORD": "0123456789abcdef"}
	variable := regexp.MustCompile(`\$\{(\w+)(?::([-?])([^}]*))?\}`)
	env := map[string]string{}
	for name, value := range file.Services["shopwright"].Environment {
		env[name] = variable.ReplaceAllStringFunc(value, func(text string) string {
			found := variable.FindStringSubmatch(text)
			if found[2] == "-" {
				return found[3]
			}
			return set[found[1]]
		})
	}
	if env["SHOPWRIGHT_KUBECONFIG"] == "" || !strings.Contains(env["SHOPWRIGHT_DATABASE_URL"], ":0123456789abcdef@") {
		t.Errorf("the environment is %v", env)
	}
	env["SHOPWRIGHT_KUBECONFIG"] = kubetest.PlatformKubeconfig(t)
	wantConfigured(t, env)
}

// TestSystemdConfiguresTheProgram has systemd itself look at the unit, and the program at the
// environment that it gets there.
func TestSystemdConfiguresTheProgram(t *testing.T) {
	t.Parallel()
	const installed = "/usr/local/bin/shopwright"
	content := string(contentOf(t, "../../deploy/systemd/shopwright.service"))
	if !strings.Contains(content, "ExecStart="+installed+" ") {
		t.Fatalf("the unit starts something else than %s", installed)
	}
	unit := filepath.Join(t.TempDir(), "shopwright.service")
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(content, installed, binary(t))), 0o600); err != nil {
		t.Fatal(err)
	}
	// Without its documentation, which is not installed here.
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze: %v\n%s", err, out)
	}
	env := map[string]string{}
	for line := range strings.Lines(string(contentOf(t, "../../deploy/systemd/shopwright.env"))) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			env[name] = value
		}
	}
	if env["SHOPWRIGHT_TRUSTED_PROXIES"] == "" {
		t.Error("behind the proxy that the README names all people share one address")
	}
	env["SHOPWRIGHT_SECRET_KEY"], env["SHOPWRIGHT_KUBECONFIG"] = sessionKey, kubetest.PlatformKubeconfig(t)
	wantConfigured(t, env)
}
