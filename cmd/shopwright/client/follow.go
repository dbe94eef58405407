package client

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// again is the pause before a stream that broke off is opened anew, at first and at most.
const (
	againFirst = time.Second
	againMost  = 15 * time.Second
)

// Follow signals, until the context is done, that something may have happened to the store:
// at each of its events, and whenever the stream of them was opened or broke off.
func (c *Client) Follow(ctx context.Context, storeID string) <-chan struct{} {
	changed := make(chan struct{}, 1)
	go func() {
		for pause := againFirst; ctx.Err() == nil; pause = min(2*pause, againMost) {
			if c.followOnce(ctx, storeID, changed) {
				pause = againFirst
			}
			signal(changed)
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	}()
	return changed
}

func signal(changed chan<- struct{}) {
	select {
	case changed <- struct{}{}:
	default:
	}
}

// followOnce reports whether there was a stream.
func (c *Client) followOnce(ctx context.Context, storeID string, changed chan<- struct{}) bool {
	response, err := c.send(ctx, http.MethodGet, "/events?store="+url.QueryEscape(storeID), nil)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	signal(changed)
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "data:") {
			signal(changed)
		}
	}
	return true
}
