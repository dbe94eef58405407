package storetest

import (
	"context"
	"path/filepath"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

// SQLite opens records in a new file, which goes when the test ends.
func SQLite(t testing.TB) *database.DB {
	t.Helper()
	return Open(t, "sqlite:"+filepath.Join(t.TempDir(), "shopwright.db"))
}

// Open opens the database at the URL until the test ends.
func Open(t testing.TB, url string, options ...database.Option) *database.DB {
	t.Helper()
	db, err := database.Open(context.Background(), url, options...)
	if err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close records: %v", err)
		}
	})
	return db
}

// Identity is by which a person of that name signs in.
func Identity(name string) store.Identity {
	return store.Identity{Provider: "test", Subject: name, Name: name, Email: name + "@example.com", Verified: true}
}

// Actor signs a person of that name in and returns who it is and the personal team.
func Actor(t testing.TB, db *database.DB, name string) (actor store.Actor, teamID string) {
	t.Helper()
	id, err := db.SignIn(t.Context(), Identity(name), store.Browser{})
	if err != nil {
		t.Fatalf("sign %s in: %v", name, err)
	}
	session, err := db.Session(t.Context(), id)
	if err != nil {
		t.Fatalf("find the session of %s: %v", name, err)
	}
	for team := range session.Actor.Roles {
		teamID = team
	}
	return session.Actor, teamID
}

// Admin signs an administrator of the installation in.
func Admin(t testing.TB, db *database.DB) store.Actor {
	t.Helper()
	secret, err := db.CreateLoginLink(t.Context())
	if err != nil {
		t.Fatalf("make a login link: %v", err)
	}
	id, err := db.SignInByLink(t.Context(), secret, store.Browser{})
	if err != nil {
		t.Fatalf("sign the administrator in: %v", err)
	}
	session, err := db.Session(t.Context(), id)
	if err != nil {
		t.Fatalf("find the administrator's session: %v", err)
	}
	return session.Actor
}

// Cluster records a cluster named "local" for stores under localhost.
func Cluster(t testing.TB, db *database.DB) store.Cluster {
	t.Helper()
	c, err := db.EnsureCluster(t.Context(), store.ClusterSettings{Name: "local", BaseDomain: "localhost"})
	if err != nil {
		t.Fatalf("record cluster: %v", err)
	}
	return c
}
