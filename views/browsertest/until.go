package browsertest

import (
	"context"
	"time"

	"github.com/chromedp/chromedp"
)

// patience bounds how long a test waits for what takes seconds on a machine that has nothing
// else to do.
const patience = 5 * time.Minute

// Until returns when a JavaScript expression is true in the page, or in the page that
// follows it.
func (b *Browser) Until(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, patience)
	defer cancel()
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[bool](expression))
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			b.t.Fatalf("waiting for %s: %v", expression, err)
		}
	}
}
