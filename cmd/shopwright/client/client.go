// Package client asks the JSON API of a Shopwright that runs somewhere, with a token. It
// shares the API's types, so that both change together.
package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"shopwright.dev/shopwright/handlers/api/v1"
)

// patience is how long an answer may take to begin.
const patience = 30 * time.Second

// Client asks one Shopwright.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// New asks the Shopwright at that URL with that token.
func New(base, token string) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = patience
	return &Client{
		base: strings.TrimSuffix(base, "/") + v1.Prefix, token: token,
		// A token goes nowhere but to the host that it was meant for.
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// UnreachableError says that nobody answered, or not as a Shopwright does.
type UnreachableError struct {
	URL   string
	cause error
}

// Error implements error.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("Shopwright isn’t responding at %s: check the URL and the network (%v)", e.URL, e.cause)
}

// Unwrap returns what went wrong.
func (e *UnreachableError) Unwrap() error { return e.cause }

func (c *Client) unreachable(err error) error {
	return &UnreachableError{URL: strings.TrimSuffix(c.base, v1.Prefix), cause: err}
}

// Me returns whose token this is.
func (c *Client) Me(ctx context.Context) (v1.Me, error) {
	return ask[v1.Me](ctx, c, http.MethodGet, "/me", nil)
}

// Stores returns all stores that match, page by page, up to so many; all of them for zero.
func (c *Client) Stores(ctx context.Context, query url.Values, most int) (stores []v1.Store, err error) {
	for {
		page, err := ask[v1.StoreList](ctx, c, http.MethodGet, "/stores?"+query.Encode(), nil)
		if err != nil {
			return nil, err
		}
		stores = append(stores, page.Stores...)
		if most > 0 && len(stores) >= most {
			return stores[:most], nil
		}
		if page.Next == "" {
			return stores, nil
		}
		query.Set("cursor", page.Next)
	}
}

// Create asks for a store. It may be called again with the same key.
func (c *Client) Create(ctx context.Context, n v1.NewStore, key string) (v1.Store, error) {
	return ask[v1.Store](ctx, c, http.MethodPost, "/stores", n, "Idempotency-Key", key)
}

// Store returns what is known of a store.
func (c *Client) Store(ctx context.Context, id string) (v1.StoreDetail, error) {
	return ask[v1.StoreDetail](ctx, c, http.MethodGet, storePath(id), nil)
}

// Delete asks for the removal of a store.
func (c *Client) Delete(ctx context.Context, id string, backup bool) (v1.Store, error) {
	return ask[v1.Store](ctx, c, http.MethodDelete, storePath(id)+"?backup="+strconv.FormatBool(backup), nil)
}

// Rebuild asks for a store that has lost its data to be opened anew, with that restore point or empty.
func (c *Client) Rebuild(ctx context.Context, id, point string) (v1.Store, error) {
	return ask[v1.Store](ctx, c, http.MethodPost, storePath(id, "rebuild"), v1.Rebuild{Point: point})
}

// Request asks for one of retry, repair, check and cancel.
func (c *Client) Request(ctx context.Context, id, job string) (v1.Store, error) {
	return ask[v1.Store](ctx, c, http.MethodPost, storePath(id, job), nil)
}

// ChangeOwner asks for another owner's address of a store.
func (c *Client) ChangeOwner(ctx context.Context, id, email string) (v1.Store, error) {
	return ask[v1.Store](ctx, c, http.MethodPut, storePath(id, "owner"), v1.Owner{Email: email})
}

// Releases returns the history of a store's release, and what is offered for it.
func (c *Client) Releases(ctx context.Context, id string) (v1.Releases, error) {
	return ask[v1.Releases](ctx, c, http.MethodGet, storePath(id, "releases"), nil)
}

// PreviewUpgrade returns what an upgrade would change.
func (c *Client) PreviewUpgrade(ctx context.Context, id string, images map[string]string) (v1.Comparison, error) {
	query := url.Values{}
	for name, version := range images {
		query.Add("image", name+"="+version)
	}
	return ask[v1.Comparison](ctx, c, http.MethodGet, storePath(id, "upgrade")+"?"+query.Encode(), nil)
}

// Upgrade asks for an upgrade.
func (c *Client) Upgrade(ctx context.Context, id string, u v1.Upgrade) (v1.Store, error) {
	return ask[v1.Store](ctx, c, http.MethodPost, storePath(id, "upgrade"), u)
}

// PreviewRollback returns what the way back to a revision would change.
func (c *Client) PreviewRollback(ctx context.Context, id string, revision int) (v1.Comparison, error) {
	return ask[v1.Comparison](ctx, c, http.MethodGet, storePath(id, "rollback")+"?to="+strconv.Itoa(revision), nil)
}

// Rollback asks for the way back to a revision.
func (c *Client) Rollback(ctx context.Context, id string, revision int) (v1.Store, error) {
	return ask[v1.Store](ctx, c, http.MethodPost, storePath(id, "rollback"), map[string]int{"to": revision})
}

// Points returns the restore points of a store, newest first, with its newest backup.
func (c *Client) Points(ctx context.Context, id string) (v1.PointList, error) {
	query := url.Values{"limit": {"100"}}
	all, err := ask[v1.PointList](ctx, c, http.MethodGet, storePath(id, "points")+"?"+query.Encode(), nil)
	for err == nil && all.Next != "" {
		query.Set("cursor", all.Next)
		var page v1.PointList
		page, err = ask[v1.PointList](ctx, c, http.MethodGet, storePath(id, "points")+"?"+query.Encode(), nil)
		all.Points, all.Next = append(all.Points, page.Points...), page.Next
	}
	return all, err
}

// DeletedStores returns the deleted stores that have restore points.
func (c *Client) DeletedStores(ctx context.Context) ([]v1.DeletedStore, error) {
	list, err := ask[v1.DeletedStoreList](ctx, c, http.MethodGet, "/backups", nil)
	return list.Stores, err
}

// Overview returns how the stores are backed up that the query selects.
func (c *Client) Overview(ctx context.Context, query url.Values) (v1.BackupOverview, error) {
	return ask[v1.BackupOverview](ctx, c, http.MethodGet, "/backups/overview?"+query.Encode(), nil)
}

// BackUp asks for a restore point of a store. It may be called again with the same key.
func (c *Client) BackUp(ctx context.Context, id string, n v1.NewBackup, key string) (v1.Backup, error) {
	return ask[v1.Backup](ctx, c, http.MethodPost, storePath(id, "backups"), n, "Idempotency-Key", key)
}

// Backup returns how far a backup of a store is.
func (c *Client) Backup(ctx context.Context, id, backup string) (v1.BackupDetail, error) {
	return ask[v1.BackupDetail](ctx, c, http.MethodGet, storePath(id, "backups", url.PathEscape(backup)), nil)
}

// Drill starts a drill of a store.
func (c *Client) Drill(ctx context.Context, id string, n v1.NewDrill) (v1.Drill, error) {
	return ask[v1.Drill](ctx, c, http.MethodPost, storePath(id, "drills"), n)
}

// Drills returns the newest drills of a store.
func (c *Client) Drills(ctx context.Context, id string) (v1.DrillList, error) {
	return ask[v1.DrillList](ctx, c, http.MethodGet, storePath(id, "drills"), nil)
}

// Targets returns the backup targets of the installation.
func (c *Client) Targets(ctx context.Context) ([]v1.Target, error) {
	list, err := ask[struct {
		Targets []v1.Target `json:"targets"`
	}](ctx, c, http.MethodGet, "/targets", nil)
	return list.Targets, err
}

// AddTarget adds a backup target.
func (c *Client) AddTarget(ctx context.Context, n v1.NewTarget) (v1.Target, error) {
	return ask[v1.Target](ctx, c, http.MethodPost, "/targets", n)
}

// ChangeTarget replaces the settings of a backup target.
func (c *Client) ChangeTarget(ctx context.Context, id string, n v1.ChangedTarget) (v1.Target, error) {
	return ask[v1.Target](ctx, c, http.MethodPut, targetPath(id), n)
}

// DeleteTarget deletes a backup target that holds no restore points.
func (c *Client) DeleteTarget(ctx context.Context, id string) error {
	response, err := c.send(ctx, http.MethodDelete, targetPath(id), nil)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// TestTarget tries whether a backup target can be used.
func (c *Client) TestTarget(ctx context.Context, id string) (v1.TargetTest, error) {
	return ask[v1.TargetTest](ctx, c, http.MethodPost, targetPath(id, "test"), nil)
}

// Credentials returns the admin login of a store.
func (c *Client) Credentials(ctx context.Context, id string) (v1.Credentials, error) {
	return ask[v1.Credentials](ctx, c, http.MethodGet, storePath(id, "credentials"), nil)
}

// Log writes the log that the query names, for as long as it goes on.
func (c *Client) Log(ctx context.Context, id string, query url.Values, to io.Writer) error {
	response, err := c.send(ctx, http.MethodGet, storePath(id, "logs")+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	return errors.Join(copyLines(to, response.Body), response.Body.Close())
}

// copyLines leaves out the empty lines, which only keep the connection.
func copyLines(to io.Writer, from io.Reader) error {
	lines := bufio.NewReader(from)
	for begins := true; ; {
		part, err := lines.ReadSlice('\n')
		if !begins || string(part) != "\n" {
			if _, err := to.Write(part); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			begins = false
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		default:
			begins = true
		}
	}
}

// FirstEngine returns the name of the engine that the installation offers first.
func (c *Client) FirstEngine(ctx context.Context) (string, error) {
	list, err := ask[struct {
		Engines []v1.Engine `json:"engines"`
	}](ctx, c, http.MethodGet, "/engines", nil)
	if err != nil || len(list.Engines) == 0 {
		return "", err // which creating then says
	}
	return list.Engines[0].Name, nil
}

// Tokens returns the user's tokens.
func (c *Client) Tokens(ctx context.Context) ([]v1.Token, error) {
	list, err := ask[struct {
		Tokens []v1.Token `json:"tokens"`
	}](ctx, c, http.MethodGet, "/tokens", nil)
	return list.Tokens, err
}

// RevokeToken ends one of the user's tokens.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	response, err := c.send(ctx, http.MethodDelete, "/tokens/"+url.PathEscape(id), nil)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func storePath(id string, parts ...string) string {
	return "/stores/" + strings.Join(append([]string{url.PathEscape(id)}, parts...), "/")
}

func targetPath(id string, parts ...string) string {
	return "/targets/" + strings.Join(append([]string{url.PathEscape(id)}, parts...), "/")
}

// ask sends something, or nothing for nil, and reads the answer.
func ask[T any](ctx context.Context, c *Client, method, path string, sent any, headers ...string) (answer T, err error) {
	response, err := c.send(ctx, method, path, sent, headers...)
	if err != nil {
		return answer, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return answer, c.unreachable(fmt.Errorf("can’t read the response: %w", err))
	}
	return answer, nil
}

// send returns an answer of success, of which the caller closes the body. The error of
// another is an *api.Problem.
func (c *Client) send(ctx context.Context, method, path string, sent any, headers ...string) (*http.Response, error) {
	var body io.Reader = http.NoBody
	if sent != nil {
		text, err := json.Marshal(sent)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, c.unreachable(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	if sent != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := c.http.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, c.unreachable(err)
	}
	if response.StatusCode >= 300 {
		return nil, c.problem(response)
	}
	return response, nil
}

func (c *Client) problem(response *http.Response) error {
	defer func() { _ = response.Body.Close() }()
	problem := &v1.Problem{}
	err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(problem)
	if err != nil || problem.Detail == "" {
		return c.unreachable(fmt.Errorf("the server returned %s", response.Status))
	}
	problem.Retry, _ = strconv.Atoi(response.Header.Get("Retry-After")) // or nobody knows
	return problem
}
