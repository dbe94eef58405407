package provisioner

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"shopwright.dev/shopwright/store"
)

const (
	addressTimeout  = 10 * time.Second
	addressAgain    = 2 * time.Second
	addressPatience = 3 * time.Minute // a certificate may have to be issued first
)

// probeAddress asks the shop's public address for its first page, as a browser would. Where
// the address leads nowhere from here, that is no judgement on the shop.
func (w *worker) probeAddress(ctx context.Context) store.Reached {
	if w.claim.Store.IsDrill() {
		return store.Reached{Outcome: store.NotFromHere, Note: store.Note{Code: store.AddressOfDrill}}
	}
	if w.cluster.State().Simulated {
		return store.Reached{Outcome: store.NotFromHere, Note: store.Note{Code: store.AddressSimulated}}
	}
	return reach(ctx, w.storeURL(w.claim.Store))
}

// askAddress asks again after a pause where the answer was wrong.
func (w *worker) askAddress(ctx context.Context, _ *connection, _ observed) (store.Note, error) {
	if w.settled.address.Outcome == store.WrongAnswer {
		if err := sleep(ctx, addressAgain); err != nil {
			return store.Note{}, err
		}
	}
	w.settled.address = w.probeAddress(ctx)
	return w.settled.address.Note, nil
}

func reach(ctx context.Context, address string) store.Reached {
	ctx, cancel := context.WithTimeout(ctx, addressTimeout)
	defer cancel()
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/", nil)
	if err != nil {
		return store.Reached{Outcome: store.WrongAnswer, Note: store.Quote(firstLine(err))}
	}
	began := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return unreached(address, err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is read
	if response.StatusCode >= http.StatusBadRequest {
		return elsewhere(address, store.Note{Code: store.AddressFails, Facts: store.Facts{Name: address, Status: response.Status}})
	}
	if to, err := response.Location(); err == nil && to.Host != request.URL.Host {
		return store.Reached{Outcome: store.NotFromHere, Note: store.Note{Code: store.AddressRedirects, Facts: store.Facts{Name: to.Host}}}
	}
	return store.Reached{Outcome: store.Answers, Note: store.Note{Code: store.AddressResponds, Facts: store.Facts{After: time.Since(began)}}}
}

// unreached tells a wrong certificate, which customers would see too, from an address that
// leads nowhere from here.
func unreached(address string, err error) store.Reached {
	cause := err
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		cause = wrapped.Err
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return elsewhere(address, store.Note{Code: store.CertificateInvalid, Facts: store.Facts{Name: address, Quote: cause.Error()}})
	}
	return store.Reached{Outcome: store.NotFromHere, Note: store.Note{Code: store.AddressUnreachable, Facts: store.Facts{Quote: firstLine(cause)}}}
}

// elsewhere judges a wrong answer. On this very machine it may be any program's.
func elsewhere(address string, problem store.Note) store.Reached {
	u, err := url.Parse(address)
	if err == nil && isHere(u.Hostname()) {
		return store.Reached{Outcome: store.NotFromHere, Note: store.Note{Code: store.AddressTaken}}
	}
	return store.Reached{Outcome: store.WrongAnswer, Note: problem}
}

func isHere(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

func addressWrong(r store.Reached) store.Failure {
	return store.Failure{Code: store.AddressWrong, Note: r.Note}
}
