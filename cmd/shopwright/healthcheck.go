package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// healthcheckCmd asks the server at the configured address whether it is ready. It is for containers,
// whose image has no other program for that.
type healthcheckCmd struct {
	config `embed:""`
}

const healthTimeout = 4 * time.Second

// Run implements the subcommand.
func (c *healthcheckCmd) Run(ctx context.Context, stdout io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+hereAt(c.Addr)+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("no response from %s: %w", c.Addr, err)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	said, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return errors.New(strings.TrimSpace(string(said)))
	}
	_, err = stdout.Write(said)
	return err
}

// hereAt returns the address at which this machine can reach a server that listens on addr.
func hereAt(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return addr
}
