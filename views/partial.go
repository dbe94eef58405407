package views

import (
	"context"
	"io"

	"github.com/a-h/templ"
)

// Partial wraps a component for a stream of server-sent events: htmx swaps it into what
// target selects, in the way swap names, such as outerMorph. Where the page has no such
// element, nothing happens.
func Partial(target, swap string, c templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return partial(target, swap).Render(templ.WithChildren(ctx, c), w)
	})
}
