package gate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Options say where a gate listens and what lies behind it.
type Options struct {
	// Address is where clients connect, host:port.
	Address string
	// ControlDir is the directory of the control socket.
	ControlDir string
	// Upstream is the API server.
	Upstream *url.URL
	// ServerTLS holds the certificate shown to clients, UpstreamTLS the authority that the API server's is checked
	// against.
	ServerTLS, UpstreamTLS *tls.Config
	// Log takes what goes wrong.
	Log io.Writer
}

// Serve runs a gate until ctx ends.
func Serve(ctx context.Context, o Options) error {
	f := newFaults()
	logger := log.New(o.Log, "", log.LstdFlags)
	serverTLS := o.ServerTLS.Clone()
	serverTLS.NextProtos = []string{"http/1.1"}
	public, err := tls.Listen("tcp", o.Address, serverTLS)
	if err != nil {
		return fmt.Errorf("listen on the gate's port: %w", err)
	}
	defer public.Close()
	private, err := listenControl(ctx, o.ControlDir)
	if err != nil {
		return err
	}
	defer private.Close()
	// HTTP/1.1 alone: to drop a request is to close a connection, which under HTTP/2 carries others as well.
	return serveBoth(ctx, map[net.Listener]*http.Server{
		public:  newServer(handler(f, newProxy(o.Upstream, o.UpstreamTLS, logger)), logger),
		private: newServer(control(f), logger),
	})
}

func newServer(h http.Handler, logger *log.Logger) *http.Server {
	return &http.Server{Handler: h, ErrorLog: logger, ReadHeaderTimeout: time.Minute}
}

// serveBoth serves until ctx ends or a server fails, and returns when all have stopped.
func serveBoth(ctx context.Context, servers map[net.Listener]*http.Server) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(servers))
	for listener, server := range servers {
		go func() {
			defer cancel()
			ended <- server.Serve(listener)
		}()
	}
	<-ctx.Done()
	var failed error
	for _, server := range servers {
		failed = errors.Join(failed, server.Close())
	}
	for range servers {
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
