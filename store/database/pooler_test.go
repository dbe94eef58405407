package database_test

import (
	"fmt"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/storetest"
)

func TestPoolerOfSessions(t *testing.T) {
	t.Parallel()
	name := fmt.Sprintf("test%d", databases.Add(1))
	direct, err := postgres.CreateDatabase(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	pooled := setup(t, postgres.Pooler(t, "session", name))
	other := storetest.Open(t, direct)
	events := other.Subscribe()
	defer events.Close()
	pooled.create(t, "Through the pooler")
	if e := <-events.Events; e.Kind != store.StoreCreated {
		t.Errorf("got the event %s", e.Kind)
	}
}

func TestPoolerOfTransactionsIsRefused(t *testing.T) {
	t.Parallel()
	name := fmt.Sprintf("test%d", databases.Add(1))
	if _, err := postgres.CreateDatabase(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	_, err := database.Open(t.Context(), postgres.Pooler(t, "transaction", name))
	if store.ErrorCode(err) != store.Invalid || !strings.Contains(err.Error(), "pool_mode = session") {
		t.Errorf("got %v", err)
	}
}

func TestNoPartOfAPasswordIsPrinted(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"host=127.0.0.1 port=5432 user=sw password=hunter2hunter2 dbname=sw",
		"hunter2hunter2",
		"postgres://sw:hunter2/hunter2@127.0.0.1:1/sw",
		"postgres://sw:2/hunter2?hunter2@127.0.0.1:1/sw",
		"postgres://sw:hunter2#hunter2@127.0.0.1:1/sw",
		"postgres://sw:hunter2%hunter2@127.0.0.1:1/sw",
		"postgres://sw:hunter2@127.0.0.1:1/sw?sslmode=hunter2",
		"postgres://sw:hunter2 hunter2@127.0.0.1:1/sw",
		"postgres://sw:hunter2[hunter2@127.0.0.1:1/sw",
		"postgres://sw:hunter2@hunter2@127.0.0.1:1/sw",
	} {
		_, err := database.Open(t.Context(), url)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", url, err)
		}
	}
}
