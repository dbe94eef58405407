package main_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// A Shopwright that moved to Postgres continues there.
func TestMigrateCopy(t *testing.T) {
	t.Parallel()
	_, url := server(t)
	p := launch(t, "")
	p.start()
	page := p.create("Tea & Tonic", "tea-and-tonic")
	copying := []string{"migrate", "copy", "--from", filepath.Join(p.dataDir, "shopwright.db")}
	env := []string{"SHOPWRIGHT_DATABASE_URL=" + url}
	wantSaid(t, env, 1, "A Shopwright server uses", copying...)
	if code := p.stop(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	wantSaid(t, nil, 0, "Set SHOPWRIGHT_DATABASE_URL", append(copying, "--to", url)...)
	wantSaid(t, env, 1, "The target already has data", copying...)

	p.env = append(p.env, env...)
	p.start()
	if status, shown := p.get(page); status != http.StatusOK || !strings.Contains(shown, "Tea &amp; Tonic") {
		t.Errorf("the store's page: %d: %s", status, shown)
	}
	p.create("Coffee", "coffee")
}
