package database_test

import (
	"strings"
	"testing"

	"shopwright.dev/shopwright/store"
)

// What a cluster says may hold anything, and a work must not fail for it.
func TestTextsOfAClusterAreKept(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		st := b.create(t, "Shop")
		claim := b.claim(t, "one")
		for _, text := range []string{"a\x00b", "a\xffb", strings.Repeat("é", 1<<20)} {
			b.advance(t, &claim, store.Progress{Step: store.StepNamespace, Finished: store.Quote(text), Note: store.Quote(text)})
			if now := b.store(t, st.ID); now.Job.Note.Facts.Quote == "" || len(now.Job.Note.Facts.Quote) > 5<<10 {
				t.Errorf("of a text of %d bytes %d are kept", len(text), len(now.Job.Note.Facts.Quote))
			}
		}
		hostile := "said\x00\xff"
		if _, err := b.db.Fail(t.Context(), claim, store.Failure{
			Code: store.SetupFailed, Facts: store.Facts{Name: hostile, Names: []string{hostile}, Quote: strings.Repeat("x", 1<<20)}, HelmLog: []string{hostile},
			Evidence: []store.Evidence{{Object: hostile, Reason: hostile, Message: strings.Repeat("x", 1<<20)}},
		}); err != nil {
			t.Fatal(err)
		}
		f := b.store(t, st.ID).Job.Failure
		if !strings.HasPrefix(f.Facts.Name, "said") || len(f.Facts.Names) != 1 || len(f.Facts.Quote) > 5<<10 || len(f.Evidence) != 1 || len(f.Evidence[0].Message) > 5<<10 || len(f.HelmLog) != 1 {
			t.Errorf("kept as %+v", f)
		}
	})
}
