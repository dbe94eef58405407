package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// Client tells a running gate which requests go wrong.
type Client struct {
	http *http.Client
}

// NewClient speaks to the gate whose control socket lies in dir.
func NewClient(dir string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return dialControl(ctx, dir) }
	return &Client{http: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// Add puts a fault in force and returns its ID. When Add returns, every new request is subject to it.
func (c *Client) Add(ctx context.Context, f Fault) (id string, err error) {
	body, err := json.Marshal(f)
	if err != nil {
		return "", fmt.Errorf("encode a fault: %w", err)
	}
	err = c.do(ctx, http.MethodPost, "/faults", body, &f)
	return f.ID, err
}

// List returns the faults in force in the order in which they are tried.
func (c *Client) List(ctx context.Context) (list []Fault, err error) {
	err = c.do(ctx, http.MethodGet, "/faults", nil, &list)
	return list, err
}

// Wait returns when the fault has hit a request, or with an error when ctx ends.
func (c *Client) Wait(ctx context.Context, id string) error {
	err := c.do(ctx, http.MethodGet, "/faults/"+id+"/hit", nil, nil)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no request met fault %s in time", id)
	}
	return err
}

// Clear ends one fault, or all when id is empty. Requests it held go on to the API server.
func (c *Client) Clear(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, strings.TrimSuffix("/faults/"+id, "/"), nil, nil)
}

func (c *Client) do(ctx context.Context, method, path string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://gate"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make a request to the gate: %w", err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask the gate: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		raw, err := io.ReadAll(res.Body)
		return errors.Join(errors.New(strings.TrimSpace(string(raw))), err)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return fmt.Errorf("decode the gate's answer: %w", err)
	}
	return nil
}
