package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof" // it registers handlers in http.DefaultServeMux, which no server uses
	"time"
)

// serveProfiles serves the profiles of this process, if an address is configured: see
// https://pkg.go.dev/net/http/pprof. Call end to stop.
func (c *config) serveProfiles(ctx context.Context, log *slog.Logger) (end func(), err error) {
	if c.PprofAddr == "" {
		return func() {}, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.PprofAddr)
	if err != nil {
		return nil, cannotListen("SHOPWRIGHT_PPROF_ADDR", c.PprofAddr, err)
	}
	paths := http.NewServeMux()
	paths.HandleFunc("/debug/pprof/", pprof.Index)
	paths.HandleFunc("/debug/pprof/profile", pprof.Profile)
	paths.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: paths, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("serve profiles", "error", err)
		}
	}()
	log.Info("serving profiles", "url", "http://"+listener.Addr().String()+"/debug/pprof/")
	return func() {
		logError(log, "stop serving profiles", server.Close())
		<-ended
	}, nil
}
