package simulate

import (
	"maps"
	"strings"
	"testing"
)

func TestParseChange(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args      string
		component string
		switches  map[string]string
		mistakes  []string
	}{
		{args: "fail=image-pull", switches: map[string]string{"fail": "image-pull"}},
		{args: "fail=none start-delay=", switches: map[string]string{"fail": "", "start-delay": ""}},
		{args: "component=mariadb job-duration=1m30s", component: "mariadb", switches: map[string]string{"job-duration": "1m30s"}},
		{args: "component=mariadb", mistakes: []string{"which switch"}},
		{args: "", mistakes: []string{"which switch"}},
		{args: "fail=often start-delay=5 color=red oops job-duration=-1s", mistakes: []string{
			"fail=often is unknown", "start-delay=5 is not", `no switch "color"`, `"oops" is not of the form`, "job-duration=-1s is not",
		}},
	} {
		change, err := ParseChange(strings.Fields(test.args))
		if len(test.mistakes) == 0 {
			if err != nil || change.Component != test.component || !maps.Equal(change.Switches, test.switches) {
				t.Errorf("%q: %+v, error %v", test.args, change, err)
			}
			continue
		}
		for _, mistake := range test.mistakes {
			if err == nil || !strings.Contains(err.Error(), mistake) {
				t.Errorf("%q: error %v does not say %q", test.args, err, mistake)
			}
		}
	}
}

func TestChangeAppliesToWhatIsThere(t *testing.T) {
	t.Parallel()
	before := map[string]string{"fail": "crash-loop", "mariadb.fail": "image-pull"}
	for _, test := range []struct {
		args string
		want map[string]string
	}{
		{"start-delay=5s", map[string]string{"fail": "crash-loop", "mariadb.fail": "image-pull", "start-delay": "5s"}},
		{"fail=none", map[string]string{"mariadb.fail": "image-pull"}},
		{"fail= component=mariadb", map[string]string{"fail": "crash-loop"}},
		{"fail=never-ready component=web", map[string]string{"fail": "crash-loop", "mariadb.fail": "image-pull", "web.fail": "never-ready"}},
	} {
		change, err := ParseChange(strings.Fields(test.args))
		if err != nil {
			t.Fatal(err)
		}
		if got := change.apply(before); !maps.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.args, got, test.want)
		}
	}
	if got := (Change{}).apply(nil); got == nil || len(got) != 0 {
		t.Errorf("no change of nothing: %v", got)
	}
}
