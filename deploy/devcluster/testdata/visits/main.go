// Command visits is what the tests run in a pod: it counts in a file how often it was asked, and reads the same from
// its other address.
package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	file, peer := os.Args[1], os.Args[2]
	http.HandleFunc("/count", func(w http.ResponseWriter, _ *http.Request) {
		visits, err := os.ReadFile(file)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, bytes.Count(visits, []byte("\n")))
	})
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if err := visit(file, r.Header.Get("X-Forwarded-Host")); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer, err := http.Get(peer + "/count")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		_, _ = io.Copy(w, answer.Body)
	})
	log.Print("listening")
	log.Fatal(http.ListenAndServe(":8080", nil))
}

func visit(file, from string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, from)
	return err
}
