package browsertest

import (
	"context"
	"time"

	"github.com/chromedp/chromedp"
)

// Until returns when a JavaScript expression is true in the page, or in the page that
// follows it.
func (b *Browser) Until(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, time.Minute)
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
