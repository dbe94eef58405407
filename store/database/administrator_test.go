package database_test

import (
	"fmt"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/store/storetest"
)

// made are the events that tell of somebody who was made an administrator.
func made(t *testing.T, db *database.DB) (all []store.Event) {
	t.Helper()
	events, err := db.Audit(t.Context(), store.Actor{Admin: true}, store.AuditQuery{Group: store.AuditSignIns, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Kind == store.AdminMade {
			all = append(all, e)
		}
	}
	return all
}

// Whichever way somebody becomes an administrator stands in the audit log, once.
func TestWhoBecomesAdministratorIsRecorded(t *testing.T) {
	t.Parallel()
	for way, comes := range map[string]func(t *testing.T, db *database.DB) store.Actor{
		"first user": func(t *testing.T, db *database.DB) store.Actor {
			return enter(t, db, person("a", "1", "mara@example.com", true), store.Admission{Domains: []string{store.Everybody}}).Actor
		},
		"settings": func(t *testing.T, db *database.DB) store.Actor {
			return enter(t, db, person("a", "1", "root@example.com", true), everybody).Actor
		},
		"login link":        func(t *testing.T, db *database.DB) store.Actor { return storetest.Admin(t, db) },
		"development login": developer,
	} {
		t.Run(way, func(t *testing.T) {
			onBoth(t, func(t *testing.T, url string) {
				db := storetest.Open(t, url)
				who := comes(t, db)
				comes(t, db)
				events := made(t, db)
				if !who.Admin || len(events) != 1 {
					t.Fatalf("recorded as %+v", events)
				}
				if e := events[0]; e.Data.UserID != who.UserID || e.ActorID != "" || e.Object != who.Name || e.TeamID != store.Installation ||
					!strings.Contains(phrase.Event(e).Message, way) || e.Data.Before != "user" || e.Data.After != "administrator" || e.RightsOf() != who.UserID {
					t.Errorf("recorded as %+v", e)
				}
			})
		})
	}
}

func developer(t *testing.T, db *database.DB) store.Actor {
	t.Helper()
	id, err := db.SignInAsAdministrator(t.Context(), store.Identity{Provider: "development login", Subject: "developer", Name: "Developer"}, store.Browser{})
	if err != nil {
		t.Fatal(err)
	}
	session, err := db.Session(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return session.Actor
}

// The next sign-in would give an administrator whom the settings name the role back.
func TestNamedAdministratorsCannotBeRevoked(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		root := storetest.Admin(t, db)
		who := enter(t, db, person("a", "1", "root@example.com", true), everybody)
		err := db.RevokeAdmin(t.Context(), root, who.User.ID, everybody)
		if store.ErrorCode(err) != store.Conflict || !strings.Contains(err.Error(), "SHOPWRIGHT_ADMINS names root@example.com") {
			t.Errorf("revoked: %v", err)
		}
		guest := enter(t, db, person("partner", "1", "guest@example.com", true), everybody)
		if err := db.MakeAdmin(t.Context(), root, guest.User.ID); err != nil {
			t.Fatal(err)
		}
		if err := db.AddIdentity(t.Context(), guest.Actor, person("partner", "2", "root@example.com", true)); err != nil {
			t.Fatal(err)
		}
		if err := db.RevokeAdmin(t.Context(), root, guest.User.ID, everybody); err != nil {
			t.Errorf("an address that another provider claims protects its user: %v", err)
		}
		if enter(t, db, person("partner", "2", "root@example.com", true), everybody).Actor.Admin {
			t.Error("the claim of another provider makes an administrator")
		}
		if err := db.RevokeAdmin(t.Context(), root, who.User.ID, store.Admission{}); err != nil {
			t.Fatal(err)
		}
		if enter(t, db, person("a", "1", "root@example.com", true), store.Admission{}).Actor.Admin {
			t.Error("an administrator whom nobody names any more is one again")
		}
	})
}

func TestLoginLinksAreRecorded(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		secret, err := db.CreateLoginLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		events, err := db.Audit(t.Context(), store.Actor{Admin: true}, store.AuditQuery{Group: store.AuditSignIns, Limit: 9})
		if err != nil || len(events) != 1 || events[0].Kind != store.LoginLinkMade || events[0].ActorID != "" || strings.Contains(fmt.Sprint(events), secret) {
			t.Errorf("recorded as %+v, %v", events, err)
		}
	})
}
