package notify_test

import (
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// Those who run the team are told of a drill that failed, where to look, and that the shop is well.
func TestTeamIsToldOfADrillThatFailed(t *testing.T) {
	t.Parallel()
	url := "sqlite:" + filepath.Join(t.TempDir(), "shopwright.db")
	db, office := storetest.Open(t, url), openPostOffice(t)
	actor, team := storetest.Actor(t, db, "mara")
	c := create(t, db, actor, team, "Käse & Brot")
	run(t, db, office.server(), io.Discard)
	sell(t, db, c)
	office.next() // that it is ready
	for _, statement := range []string{
		`INSERT INTO backup_targets VALUES ('target', 'Off-site', 'https://s3.example.com', 'shops', '', '', FALSE, '', 'key', 'sealed', TRUE, 1, 2)`,
		`INSERT INTO restore_points (id, store_id, target_id, reason, manifest, began_at, ended_at) SELECT 'point', id, 'target', 'manual', '{"snapshot":"c"}', 1, 2 FROM stores`,
	} {
		if _, err := storetest.Beside(t, url).ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	drill, err := db.StartDrill(t.Context(), actor, c.Store.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	claim, ok, err := db.Claim(t.Context(), "worker", time.Hour, store.Concurrency{})
	if err != nil || !ok || claim.Store.ID != drill.ID {
		t.Fatalf("claimed is %+v, %v", claim.Store, err)
	}
	if _, err := db.Fail(t.Context(), claim, store.Failure{Code: store.RestoreStepFailed, Facts: store.Facts{Doing: "files", ExitCode: 1, Quote: "no <b>space</b>"}}); err != nil {
		t.Fatal(err)
	}
	told := office.next()
	if told.subject != "The restore drill of “Käse & Brot” failed" || !strings.Contains(told.text, "Restore failed: files.") ||
		!strings.Contains(told.text, "no <b>space</b>") || strings.Contains(told.html, "<b>") || !strings.Contains(told.text, "tries again tomorrow") ||
		!strings.Contains(told.text, "/stores/"+c.Store.ID+"/backups") || strings.Contains(told.text, drill.ID) || strings.Contains(told.text, "Retry") {
		t.Errorf("told %+v", told)
	}
	for _, statement := range []string{`UPDATE restore_points SET ended_at = 2`, `INSERT INTO counters (name, value) VALUES ('drills', 1)`} {
		if _, err := storetest.Beside(t, url).ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := db.UnguardedTellOverdueDrills(t.Context(), c.Store.ClusterID); n != 1 || err != nil {
		t.Fatalf("%d are overdue, %v", n, err)
	}
	told = office.next()
	if told.subject != "The restore drill of “Käse & Brot” is overdue" || !strings.Contains(told.text, "proven to work") || !strings.Contains(told.text, "/stores/"+c.Store.ID+"/backups") {
		t.Errorf("told %+v", told)
	}
}
