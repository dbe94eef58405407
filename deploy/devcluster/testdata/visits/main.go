// Command visits is what the tests run in a pod: it counts in a file how often it was asked. How often that was before
// it asks at its other address, and whoever gets no answer is not counted.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net/http"
	"os"
)

func main() {
	file, peer := os.Args[1], os.Args[2]
	http.HandleFunc("/count", func(w http.ResponseWriter, _ *http.Request) {
		visits, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, bytes.Count(visits, []byte("\n")))
	})
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		count, err := ask(r.Context(), peer)
		if err == nil {
			err = write(file, r.Header.Get("X-Forwarded-Host"))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, count+1)
	})
	log.Print("listening")
	log.Fatal(http.ListenAndServe(":8080", nil))
}

func ask(ctx context.Context, peer string) (count int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, peer+"/count", nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = fmt.Fscan(answer.Body, &count)
	return count, err
}

func write(file, from string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, from)
	return err
}
