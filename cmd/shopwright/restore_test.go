package main_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store/storetest"
)

// pointOf records a restore point of the store, for which there need not be a cluster.
func (p *process) pointOf(storeID string) (point string) {
	p.t.Helper()
	point = uuid.NewString()
	p.change(`INSERT INTO restore_points (id, store_id, target_id, reason, note, asked_by, asked_by_name, manifest, began_at, ended_at)
		SELECT $1, $2, id, 'manual', 'before the sale', '', 'Mara', '{"chart":"0.1.0","snapshot":"c","database":{"snapshot":"a","bytes":100000000},"files":{"snapshot":"b","bytes":154000000}}', 1000000, 4500000 FROM backup_targets`,
		point, storeID)
	return point
}

// change changes the program's database beside it.
func (p *process) change(statement string, args ...any) {
	p.t.Helper()
	if _, err := storetest.Beside(p.t, "sqlite:"+filepath.Join(p.dataDir, "shopwright.db")).ExecContext(p.t.Context(), statement, args...); err != nil {
		p.t.Fatal(err)
	}
}

func TestPointsAreRestoredFromTheCommandLine(t *testing.T) {
	t.Parallel()
	p := launch(t, "")
	p.start()
	c := p.administrator()
	c.addTarget()
	out, _ := c.want(0, "stores", "create", "Tea & Tonic", "--engine", "medusa", "--template", "demo", "--country", "CH", "-o", "json")
	st := decode[v1.Store](t, out)
	point := p.pointOf(st.ID)
	out, _ = c.want(0, "stores", "create", "Again", "--from", point, "-o", "json")
	again := decode[v1.Store](t, out)
	if again.Engine != "medusa" || again.Template != "demo" || again.Country != "CH" || again.Origin == nil || again.Origin.Point != point {
		t.Errorf("restored is %s", out)
	}
	if out, _ := c.want(0, "stores", "show", again.Slug); !strings.Contains(out, "from Tea & Tonic, point of 1970-01-01") || !strings.Contains(out, "step Data") {
		t.Errorf("the new store is\n%s", out)
	}
	if _, said := c.want(2, "stores", "create", "No", "--from", uuid.NewString()); !strings.Contains(said, "No such restore point, or you don’t have access to it.") {
		t.Errorf("of no point it says %s", said)
	}
	if _, said := c.want(2, "stores", "create", "No", "--from", point, "--engine", "woocommerce"); !strings.Contains(said, "The restore point has the engine medusa.") {
		t.Errorf("of another engine it says %s", said)
	}
	if out, _ := c.want(0, "stores", "deleted", "-o", "json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("at first the deleted stores are %s", out)
	}
	p.change(`UPDATE stores SET status = 'deleted', desired = 'absent', deleted_at = updated_at WHERE id = $1`, st.ID)
	if out, _ := c.want(0, "stores", "deleted"); !strings.Contains(out, st.ID) || !strings.Contains(out, "medusa") || !strings.Contains(out, "Tea & Tonic") {
		t.Errorf("the deleted stores are\n%s", out)
	}
	if out, said := c.want(0, "stores", "points", st.ID); !strings.Contains(out, point) || !strings.Contains(out, "254 MB") || said != "" {
		t.Errorf("its points are\n%s%s", out, said)
	}
	c.want(3, "stores", "points", st.Slug) // which another store may have by now
	c.want(0, "stores", "create", "Once more", "--from", point)
}
