package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
)

// socketName is the control socket's name in its directory.
const socketName = "gate.sock"

// control serves the list of faults: POST, GET and DELETE /faults, DELETE /faults/ID, GET /faults/ID/hit.
func control(f *faults) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) { answer(w, f.list(), nil) })
	mux.HandleFunc("POST /faults", func(w http.ResponseWriter, req *http.Request) {
		var fault Fault
		err := json.NewDecoder(req.Body).Decode(&fault)
		if err == nil {
			fault, err = f.add(fault)
		}
		answer(w, fault, err)
	})
	mux.HandleFunc("DELETE /faults/{id}", func(w http.ResponseWriter, req *http.Request) {
		answer(w, nil, f.clear(req.PathValue("id")))
	})
	mux.HandleFunc("DELETE /faults", func(w http.ResponseWriter, _ *http.Request) {
		f.clearAll()
		answer(w, nil, nil)
	})
	mux.HandleFunc("GET /faults/{id}/hit", func(w http.ResponseWriter, req *http.Request) {
		answer(w, nil, f.wait(req.Context(), req.PathValue("id")))
	})
	return mux
}

func answer(w http.ResponseWriter, value any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	// The other end is our own command; when it is gone, nobody waits for the answer.
	_ = json.NewEncoder(w).Encode(value)
}

// shortPath names a file in dir by way of an open directory, because the address of a unix socket holds 107 bytes
// at most and a state directory may lie deeper. It is good until release is called.
func shortPath(dir, name string) (path string, release func(), err error) {
	open, err := os.Open(dir)
	if err != nil {
		return "", nil, fmt.Errorf("open the directory of the gate's socket: %w", err)
	}
	return filepath.Join("/proc/self/fd", fmt.Sprint(open.Fd()), name), func() { open.Close() }, nil
}

func listenControl(ctx context.Context, dir string) (net.Listener, error) {
	path, release, err := shortPath(dir, socketName)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove an old control socket: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on the control socket: %w", err)
	}
	// The path is gone by the time the listener closes.
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	return listener, nil
}

func dialControl(ctx context.Context, dir string) (net.Conn, error) {
	path, release, err := shortPath(dir, socketName)
	if err != nil {
		return nil, err
	}
	defer release()
	return (&net.Dialer{}).DialContext(ctx, "unix", path)
}
