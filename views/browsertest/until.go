package browsertest

import (
	"context"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// patience bounds how long a test waits for what takes seconds on a machine that has nothing
// else to do.
const patience = 15 * time.Minute

// retryInterval is how often the page is searched for an element that a test waits for. chromedp's own 5 ms keep a tenth
// of a processor busy for as long as the test waits.
const retryInterval = 25 * time.Millisecond

// onElement runs an action on an element. Where the page was replaced after the element was
// found, and before anything was done to it, it is looked for anew.
func (b *Browser) onElement(action chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, patience)
	defer cancel()
	for {
		err := chromedp.Do(ctx, action)
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "Could not find node with given id") || ctx.Err() != nil {
			b.t.Fatalf("in the browser: %v", err)
		}
	}
}

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
