// Package api is the little of a Kubernetes client that a development cluster needs to furnish itself: server-side
// apply and plain JSON requests over net/http, signed in with a client certificate. Helm and client-go stay out, so
// that the program which builds everything else is itself built in seconds.
package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// requestTimeout bounds one request; none of ours is a watch. A busy machine may take half a minute for one.
const requestTimeout = time.Minute

// fieldManager is who owns the fields that Apply sets.
const fieldManager = "devcluster"

// Client sends requests to one API server as one user.
type Client struct {
	server string
	http   *http.Client
}

// NewClient signs in at server, an https URL, with the certificate NAME.crt in the directory of certificates pki,
// and trusts its ca.crt only.
func NewClient(server, pki, name string) (*Client, error) {
	cert, err := tls.LoadX509KeyPair(filepath.Join(pki, name+".crt"), filepath.Join(pki, name+".key"))
	if err != nil {
		return nil, fmt.Errorf("load the certificate of %s: %w", name, err)
	}
	roots, err := Roots(pki)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}},
		ForceAttemptHTTP2: true,
	}
	return &Client{server: server, http: &http.Client{Transport: transport, Timeout: requestTimeout}}, nil
}

// Roots is the certificate authority of the directory of certificates pki.
func Roots(pki string) (*x509.CertPool, error) {
	raw, err := os.ReadFile(filepath.Join(pki, "ca.crt"))
	if err != nil {
		return nil, fmt.Errorf("read the certificate authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(raw) {
		return nil, fmt.Errorf("no certificate in %s", filepath.Join(pki, "ca.crt"))
	}
	return roots, nil
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Apply makes the object at path what manifest, one YAML document, says, creating it where it is missing.
func (c *Client) Apply(ctx context.Context, path string, manifest []byte) error {
	query := "?force=true&fieldManager=" + fieldManager
	return c.send(ctx, http.MethodPatch, path+query, "application/apply-patch+yaml", manifest, nil)
}

// Get reads the object or list at path into out.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	return c.send(ctx, http.MethodGet, path, "", nil, out)
}

// Create posts in as JSON to path and reads the answer into out, which may be nil.
func (c *Client) Create(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode the body of POST %s: %w", path, err)
	}
	return c.send(ctx, http.MethodPost, path, "application/json", body, out)
}

// MergePatch changes the object at path by an RFC 7396 merge patch and reads it, as it is then, into out.
func (c *Client) MergePatch(ctx context.Context, path string, patch []byte, out any) error {
	return c.send(ctx, http.MethodPatch, path, "application/merge-patch+json", patch, out)
}

// Delete removes the object at path; one that is gone already is no error.
func (c *Client) Delete(ctx context.Context, path string) error {
	err := c.send(ctx, http.MethodDelete, path, "", nil, nil)
	if IsNotFound(err) {
		return nil
	}
	return err
}

func (c *Client) send(ctx context.Context, method, path, contentType string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.server+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request %s %s: %w", method, path, err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask the API server: %w", err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("read the answer to %s %s: %w", method, path, err)
	}
	return decode(res.StatusCode, raw, out, method+" "+path)
}

func decode(code int, raw []byte, out any, request string) error {
	if code >= 300 {
		return fmt.Errorf("%s: %w", request, newStatusError(code, raw))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("decode the answer to %s: %w", request, err)
	}
	return nil
}

// StatusError is an answer other than success: the HTTP status and the message of the Kubernetes Status object.
type StatusError struct {
	Code    int
	Message string
}

func newStatusError(code int, raw []byte) *StatusError {
	var status struct {
		Message string `json:"message"`
	}
	if err := json.Unmarshal(raw, &status); err != nil || status.Message == "" {
		status.Message = strings.TrimSpace(string(raw))
	}
	return &StatusError{Code: code, Message: status.Message}
}

func (e *StatusError) Error() string { return fmt.Sprintf("%d: %s", e.Code, e.Message) }

// IsNotFound reports whether the API server answered that there is no such object.
func IsNotFound(err error) bool {
	status, ok := errors.AsType[*StatusError](err)
	return ok && status.Code == http.StatusNotFound
}
