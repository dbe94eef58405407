package store_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
)

func sealer(t *testing.T, secrets ...byte) *store.Sealer {
	t.Helper()
	var keys [][]byte
	for _, b := range secrets {
		keys = append(keys, bytes.Repeat([]byte{b}, 32))
	}
	s, err := store.NewSealer(keys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A sealed value opens for its record, with the key that sealed it, as long as that key is among the
// configured ones.
func TestSealedValueOpensForItsRecordOnly(t *testing.T) {
	t.Parallel()
	first := sealer(t, 1)
	sealed := first.Seal("target a", "secret")
	if strings.Contains(sealed, "secret") || sealed == first.Seal("target a", "secret") {
		t.Errorf("it is sealed as %q", sealed)
	}
	for name, c := range map[string]struct {
		with           *store.Sealer
		record, sealed string
		old, opens     bool
	}{
		"the same key":       {first, "target a", sealed, false, true},
		"a newer key before": {sealer(t, 2, 1), "target a", sealed, true, true},
		"another key":        {sealer(t, 2), "target a", sealed, false, false},
		"another record":     {first, "target b", sealed, false, false},
		"a changed byte":     {first, "target a", sealed[:len(sealed)-1] + "!", false, false},
		"another format":     {first, "target a", "2" + sealed[1:], false, false},
		"no value":           {first, "target a", "", false, false},
		"a short value":      {first, "target a", "1.AAAA", false, false},
	} {
		secret, old, err := c.with.Open(c.record, c.sealed)
		if (err == nil) != c.opens || old != c.old || c.opens && secret != "secret" || !c.opens && !errors.Is(err, store.ErrSealed) {
			t.Errorf("with %s: %q, old %t, %v", name, secret, old, err)
		}
	}
	if _, err := store.NewSealer(nil); err == nil {
		t.Error("a sealer without a key is made")
	}
}

func TestPasswordsAreRandom(t *testing.T) {
	t.Parallel()
	if a, b := store.NewPassword(), store.NewPassword(); a == b || len(a) < 40 {
		t.Errorf("passwords are %q and %q", a, b)
	}
}
