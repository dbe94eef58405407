package main_test

import (
	"strings"
	"testing"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/provisioner/kube/kubetest"
)

func TestDrillsFromTheCommandLine(t *testing.T) {
	t.Parallel()
	p := launch(t, kubetest.PlatformKubeconfig(t))
	p.start()
	c := p.administrator()
	st := c.open("Rehearsed")
	c.addTarget()
	waiting := []string{"--wait", "--timeout", patience.String()}
	if _, said := c.want(1, "stores", "drill", st.Slug); !strings.Contains(said, "This store has no restore point. Back it up first.") {
		t.Errorf("without a point it says %s", said)
	}
	out, _ := c.want(0, append([]string{"stores", "backup", st.Slug, "-o", "json"}, waiting...)...)
	point := decode[v1.Backup](t, out).ID
	if out, said := c.want(0, "stores", "drills", st.Slug); strings.Contains(out, point) || !strings.Contains(said, "The next restore drill is due on ") {
		t.Errorf("at first there are\n%s%s", out, said)
	}
	out, said := c.want(0, append([]string{"stores", "drill", st.Slug, "--point", point}, waiting...)...)
	if !strings.Contains(out, "passed") || !strings.Contains(out, "simulated") || !strings.Contains(out, point) || !strings.Contains(said, "Data") {
		t.Errorf("the drill is\n%s%s", out, said)
	}
	if out, _ := c.want(0, "stores", "drills", st.Slug); !strings.Contains(out, point) || !strings.Contains(out, "passed") {
		t.Errorf("afterwards there are\n%s", out)
	}
	if _, said := c.want(0, "stores", "points", st.Slug); !strings.Contains(said, "The newest restore drill passed ") || strings.Contains(said, "overdue") {
		t.Errorf("the points say %s", said)
	}
	if out, _ := c.want(0, "stores", "list"); strings.Contains(out, "Drill of") {
		t.Errorf("the list is\n%s", out)
	}
	c.want(3, "stores", "drill", st.Slug, "--point", "none")
	if _, said := c.want(6, "stores", "drill", st.Slug, "--wait", "--timeout", "1ms"); !strings.Contains(said, "the drill is still in progress") {
		t.Errorf("without any time it says %s", said)
	}
	out, _ = c.want(0, "stores", "drills", st.Slug, "-o", "json")
	list := decode[v1.DrillList](t, out)
	if len(list.Drills) != 2 || list.Drills[1].State != v1.DrillPassed || list.Drills[1].Point != point {
		t.Errorf("there are %s", out)
	}
	c.want(0, append([]string{"stores", "delete", st.Slug, "--yes", "--no-backup"}, waiting...)...)
	kubetest.Within(t, "its drill is gone, too", func() bool {
		code, _, _ := c.run("", "stores", "show", list.Drills[0].ID)
		return code == 3
	})
}
