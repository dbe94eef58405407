package kube

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"k8s.io/client-go/rest"
)

// line is a transport that opens a single connection. What its first request finds out about the
// other end therefore holds for all requests on it.
type line struct {
	http.RoundTripper
	with    *access
	open    dial
	dropped func(*line) // when the connection has closed

	mu     sync.Mutex
	dialed bool
	ended  bool
	conn   net.Conn
}

type dial func(ctx context.Context, network, address string) (net.Conn, error)

// errOneConnection is the error of a request that was not sent, because the line's
// connection is closed or has no room for it.
var errOneConnection = errors.New("a line has one connection only")

func newLine(with *access, dropped func(*line)) (*line, error) {
	l := &line{with: with, open: with.config.Dial, dropped: dropped}
	if l.open == nil {
		l.open = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	config := rest.CopyConfig(with.config)
	config.Dial = l.dial
	transport, err := rest.TransportFor(config)
	if err != nil {
		return nil, fmt.Errorf("prepare a connection to the cluster: %w", err)
	}
	l.RoundTripper = transport
	return l, nil
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	l.mu.Lock()
	first := !l.dialed
	l.dialed = true
	l.mu.Unlock()
	if !first {
		return nil, errOneConnection
	}
	conn, err := l.open(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		_ = conn.Close()
		return nil, errOneConnection
	}
	l.conn = conn
	return lineConn{Conn: conn, line: l}, nil
}

// end closes the connection, also one that is still being opened.
func (l *line) end() {
	l.mu.Lock()
	conn := l.conn
	l.ended = true
	l.mu.Unlock()
	if conn != nil {
		_ = conn.Close()
	}
}

func (l *line) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}

// lineConn notifies its line when it closes.
type lineConn struct {
	net.Conn
	line *line
}

// Close implements net.Conn.
func (c lineConn) Close() error {
	c.line.end()
	c.line.dropped(c.line)
	return nil
}
