package database_test

import (
	"sync"
	"testing"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/phrase"
	"shopwright.dev/shopwright/store/storetest"
)

func TestSignInMethodIsAddedWhileSignedIn(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		mara := enter(t, db, person("google", "1", "mara@example.com", true), everybody)
		noa := enter(t, db, person("google", "2", "noa@example.com", true), everybody)
		second := person("github", "7", "mara@example.com", true)
		second.Name, second.Label = "Mara L.", "GitHub"
		if err := db.AddIdentity(t.Context(), mara.Actor, second); err != nil {
			t.Fatal(err)
		}
		wantError(t, db.AddIdentity(t.Context(), mara.Actor, second), store.Conflict, "")
		wantError(t, db.AddIdentity(t.Context(), noa.Actor, second), store.Conflict, "")
		wantError(t, db.AddIdentity(t.Context(), store.Actor{UserID: noa.User.ID, Token: "t"}, person("x", "1", "", false)), store.Forbidden, "")
		second.Email, second.Verified = "else@example.com", false
		after := enter(t, db, second, everybody)
		if after.User.ID != mara.User.ID || after.User.Name != "Mara L." || after.User.Email != "mara@example.com" {
			t.Errorf("the user is %+v", after.User)
		}
		linked, err := db.Identities(t.Context(), mara.Actor)
		if err != nil || len(linked) != 2 || linked[0].Provider != "google" || !linked[0].Verified || linked[1].Subject != "7" || linked[1].Verified || linked[1].LinkedAt.After(linked[1].UsedAt) {
			t.Errorf("linked are %+v, %v", linked, err)
		}
		story, err := db.Activity(t.Context(), mara.Actor, 0, 10)
		if err != nil || len(story) != 3 || story[1].Kind != store.IdentityLinked || phrase.Event(story[1]).Message != "GitHub, mara@example.com" || phrase.Event(story[0]).Message != "Signed in with GitHub" {
			t.Errorf("the story is %+v, %v", story, err)
		}
		if linked, err := db.Identities(t.Context(), noa.Actor); err != nil || len(linked) != 1 {
			t.Errorf("another one sees %+v, %v", linked, err)
		}
	})
}

// removal removes the sign-in method of the provider, in whose session nothing is kept.
func removal(provider string) store.Removal {
	return store.Removal{Provider: provider, Subject: "1", Label: provider, Usable: []string{"google", "work"}}
}

func TestLastSignInMethodStays(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		mara := enter(t, db, person("google", "1", "mara@example.com", true), everybody)
		wantError(t, db.RemoveIdentity(t.Context(), mara.Actor, removal("google")), store.Conflict, "")
		for _, provider := range []string{"gone", "work"} {
			if err := db.AddIdentity(t.Context(), mara.Actor, person(provider, "1", "", false)); err != nil {
				t.Fatal(err)
			}
		}
		other, _ := storetest.Actor(t, db, "somebody else")
		wantError(t, db.RemoveIdentity(t.Context(), other, removal("google")), store.NotFound, "")
		results := make([]error, 2)
		var both sync.WaitGroup
		for i, provider := range []string{"google", "work"} {
			both.Go(func() { results[i] = db.RemoveIdentity(t.Context(), mara.Actor, removal(provider)) })
		}
		both.Wait()
		if (results[0] == nil) == (results[1] == nil) {
			t.Fatalf("two removals at once: %v", results)
		}
		if linked, err := db.Identities(t.Context(), mara.Actor); err != nil || len(linked) != 2 {
			t.Errorf("left are %+v, %v", linked, err)
		}
		story, err := db.Activity(t.Context(), mara.Actor, 0, 10)
		if err != nil || story[0].Kind != store.IdentityRemoved || story[0].RightsOf() != mara.User.ID {
			t.Errorf("the story is %+v, %v", story, err)
		}
	})
}

// A session may have begun with the method that is removed.
func TestRemovalEndsOtherSessions(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := storetest.Open(t, url)
		who := person("google", "1", "mara@example.com", true)
		here, err := db.SignInWith(t.Context(), who, store.Browser{}, everybody)
		if err != nil {
			t.Fatal(err)
		}
		there, err := db.SignInWith(t.Context(), who, store.Browser{}, everybody)
		if err != nil {
			t.Fatal(err)
		}
		mara := session(t, db, here)
		if err := db.AddIdentity(t.Context(), mara.Actor, person("work", "1", "", false)); err != nil {
			t.Fatal(err)
		}
		r := removal("google")
		r.SessionID = here
		if err := db.RemoveIdentity(t.Context(), mara.Actor, r); err != nil {
			t.Fatal(err)
		}
		session(t, db, here)
		wantOver(t, db, there)
	})
}

func TestChangedSignInMethodsAreMailed(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		b.wantMail(t)
		who := enter(t, b.db, person("google", "1", "noa@example.com", true), everybody)
		if err := b.db.AddIdentity(t.Context(), who.Actor, person("work", "1", "else@example.com", true)); err != nil {
			t.Fatal(err)
		}
		for _, m := range b.wantMail(t, "Mara: identity.linked of ") {
			if m.To.Email != "noa@example.com" {
				t.Errorf("mailed to %s", m.To.Email)
			}
		}
		if err := b.db.RemoveIdentity(t.Context(), who.Actor, removal("work")); err != nil {
			t.Fatal(err)
		}
		b.wantMail(t, "Mara: identity.removed of ")
	})
}
