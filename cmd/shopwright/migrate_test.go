package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store/storetest"
)

func TestMigrateStatusAndUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, url := server(t)
	if err := os.WriteFile(filepath.Join(dir, "shopwright.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for kind, env := range map[string][]string{"SQLite": {"SHOPWRIGHT_DATA_DIR=" + dir}, "Postgres": {"SHOPWRIGHT_DATABASE_URL=" + url}} {
		wantSaid(t, env, 0, "00001_records.sql", "migrate", "status")
		wantSaid(t, env, 0, "Applied 00001_records.sql", "migrate", "up")
		wantSaid(t, env, 0, "up to date", "migrate", "up")
		code, said := call(t, env, "migrate", "status", "-o", "json")
		var status struct {
			Database                   string
			SchemaVersion, NewestKnown int64
			Pending                    []string
			Newer, Usable              bool
		}
		if err := json.Unmarshal([]byte(said), &status); err != nil || code != 0 {
			t.Fatalf("exit code %d, %v: %s", code, err, said)
		}
		if status.Database != kind || status.SchemaVersion < 1 || status.SchemaVersion != status.NewestKnown || len(status.Pending) > 0 || status.Newer || !status.Usable {
			t.Errorf("%s: %s", kind, said)
		}
		setVersion(t, env[0], 99999)
		wantSaid(t, env, 0, "The database is newer than this binary, which can still use it.", "migrate", "status")
		wantSaid(t, env, 0, "Nothing to do", "migrate", "up")
		change(t, env[0], `UPDATE counters SET value = $1 WHERE name = 'readers'`, 99999)
		wantSaid(t, env, 0, "Run the version of Shopwright that migrated it", "migrate", "status")
		wantSaid(t, env, 1, "newer version of Shopwright", "migrate", "up")
	}
}

// wantSaid expects the exit code and a sentence of the command.
func wantSaid(t *testing.T, env []string, want int, sentence string, args ...string) {
	t.Helper()
	if code, said := call(t, env, args...); code != want || !strings.Contains(said, sentence) {
		t.Errorf("%v: exit code %d: %s", args, code, said)
	}
}

// setVersion makes the schema of the database in the setting look like one of that version.
func setVersion(t *testing.T, setting string, version int64) {
	t.Helper()
	change(t, setting, `INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, $2)`, version, true)
}

// change runs a statement on the database in the setting.
func change(t *testing.T, setting, statement string, args ...any) {
	t.Helper()
	name, value, _ := strings.Cut(setting, "=")
	if name == "SHOPWRIGHT_DATA_DIR" {
		value = "sqlite:" + filepath.Join(value, "shopwright.db")
	}
	if _, err := storetest.Beside(t, value).ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

func TestMigrateWithoutADatabase(t *testing.T) {
	t.Parallel()
	env := []string{"SHOPWRIGHT_DATA_DIR=" + t.TempDir()}
	wantSaid(t, env, 1, "There is no database at", "migrate", "status")
	wantSaid(t, env, 1, "There is no database at", "migrate", "up")
}
