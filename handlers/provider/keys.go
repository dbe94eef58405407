package provider

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// withUsableKeys returns a client that leaves keys out of an issuer's key set which cannot be
// read, such as those of a curve that only other programs need. One of them would otherwise
// make all of them useless.
func withUsableKeys(client *http.Client) *http.Client {
	filtered := *client
	filtered.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		response, err := client.Transport.RoundTrip(r)
		if err != nil || response.StatusCode != http.StatusOK {
			return response, err
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close() // it was only read
		if err != nil {
			body = nil // what is too long is no answer
		}
		body = usableKeys(body)
		response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return response, nil
	})
	return &filtered
}

// usableKeys changes nothing that is not a key set.
func usableKeys(body []byte) []byte {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil || set.Keys == nil {
		return body
	}
	set.Keys = slices.DeleteFunc(set.Keys, func(raw json.RawMessage) bool {
		var key jose.JSONWebKey
		return key.UnmarshalJSON(raw) != nil || !key.Valid()
	})
	usable, err := json.Marshal(set)
	if err != nil {
		return body
	}
	return usable
}
