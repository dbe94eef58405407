package engine_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
)

// Points that are not kept are gone after the next backup, with the data that no other point uses.
func TestPointsAreDeletedByTheNextBackup(t *testing.T) {
	t.Parallel()
	port, query := mariaDBServer(t)
	b := newBackup(t, shop(t, unchanged), bucketServer(t).URL, port, "/var/www/html")
	first := b.point(t, "first")
	query("UPDATE wordpress.orders SET note = SHA2(id, 512)")
	second := b.point(t, "second")
	if c := second.Cleanup; c == nil || !c.Forgotten || c.Pruned || c.Failed != "" {
		t.Errorf("with nothing to delete the cleanup is %+v", c)
	}
	b.write(t, "target/forget", first.ids())
	b.write(t, "target/prune", "yes\n")
	var before, after struct {
		Bytes int64 `json:"total_size"`
	}
	size := []string{"stats", "--mode", "raw-data", "--json"}
	if err := json.Unmarshal([]byte(b.restic(t, size...)), &before); err != nil {
		t.Fatal(err)
	}
	third := b.point(t, "third")
	if c := third.Cleanup; c == nil || !c.Forgotten || !c.Pruned || c.Failed != "" {
		t.Errorf("the cleanup is %+v", c)
	}
	if n := b.snapshots(t, "first"); n != 0 {
		t.Errorf("%d snapshots are left of the first point", n)
	}
	if err := json.Unmarshal([]byte(b.restic(t, size...)), &after); err != nil || after.Bytes > before.Bytes*3/4 {
		t.Errorf("of %d bytes %d are left, %v", before.Bytes, after.Bytes, err)
	}
	b.wantSound(t, second, third)
	if again := b.point(t, "fourth"); again.Cleanup == nil || !again.Cleanup.Forgotten || again.Cleanup.Failed != "" {
		t.Errorf("what is gone already is told as %+v", again.Cleanup)
	}
}

// A target that deletes nothing doesn't fail the backup. It is told, and the next backup tries again.
func TestCleanupThatFailsLeavesThePoint(t *testing.T) {
	t.Parallel()
	port, _ := mariaDBServer(t)
	b, slow := pausableBackup(t, port)
	first := b.point(t, "first")
	usual := b.env
	b.env = append(slices.Clone(usual), "PATIENCE=5")
	for _, c := range []struct {
		about, held string
		ids         string
		forgotten   bool
	}{{"deleting snapshots", "/snapshots/", first.ids(), false}, {"deleting data", "/index/", "", true}} {
		b.write(t, "target/forget", c.ids)
		b.write(t, "target/prune", "yes\n")
		b.write(t, "files/"+c.held[1:]+"new.jpg", c.about) // so that there is something to prune
		slow.pause(http.MethodDelete, c.held)
		got := b.point(t, c.about)
		slow.goOn()
		if r := got.Cleanup; r == nil || r.Forgotten != c.forgotten || r.Pruned || r.Failed != "it didn’t end within 5 seconds" {
			t.Errorf("%s: the cleanup is %+v", c.about, r)
		}
		if n := b.snapshots(t, c.about); n != 3 {
			t.Errorf("%s: there are %d snapshots", c.about, n)
		}
	}
	b.env = usual
	b.write(t, "target/forget", first.ids())
	last := b.point(t, "last")
	if r := last.Cleanup; r == nil || !r.Forgotten || !r.Pruned || r.Failed != "" || b.snapshots(t, "first") != 0 {
		t.Errorf("afterwards the cleanup is %+v", r)
	}
	b.wantSound(t, last)
}

// A cleanup that is killed has its point, and the next backup finds no lock and finishes it.
func TestKilledCleanupIsFinishedByTheNextBackup(t *testing.T) {
	t.Parallel()
	port, query := mariaDBServer(t)
	b, slow := pausableBackup(t, port)
	b.neverTimesOut(t)
	kept := b.point(t, "kept")
	for i, at := range []struct{ method, path string }{
		{http.MethodDelete, "/snapshots/"}, {http.MethodDelete, "/index/"}, {http.MethodDelete, "/data/"},
	} {
		query(fmt.Sprintf("UPDATE wordpress.orders SET note = SHA2(id + %d, 512)", 1000*i))
		over := b.point(t, "over")
		query(fmt.Sprintf("UPDATE wordpress.orders SET note = SHA2(id + %d, 512)", 1000*i+500))
		b.write(t, "target/forget", over.ids())
		b.write(t, "target/prune", "yes\n")
		killed := fmt.Sprintf("killed at %s %s", at.method, at.path)
		for _, c := range slices.Concat(b.pod.InitContainers, b.pod.Containers) {
			cmd, said := b.command(t, c.Name, killed)
			if c.Name != "manifest" {
				if err := cmd.Run(); err != nil {
					t.Fatalf("%s: %s: %v: %s", killed, c.Name, err, said)
				}
				continue
			}
			slow.killAt(t, cmd, at.method, at.path)
		}
		point := b.reported(t)
		if point.Cleanup != nil {
			t.Errorf("%s it reports %+v", killed, point.Cleanup)
		}
		next := b.point(t, "after "+killed)
		if r := next.Cleanup; r == nil || !r.Forgotten || !r.Pruned || r.Failed != "" {
			t.Errorf("after one that was %s the cleanup is %+v", killed, r)
		}
		if n := b.snapshots(t, "over"); n != 0 {
			t.Errorf("after one that was %s, %d snapshots are left", killed, n)
		}
		b.write(t, "target/forget", "")
		b.write(t, "target/prune", "")
		b.wantSound(t, kept, point, next)
	}
}
