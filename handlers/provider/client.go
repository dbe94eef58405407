package provider

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
)

// longestAnswer is how much of an answer is read, in bytes.
const longestAnswer = 1 << 20

// roundTrip is a function that carries requests.
type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// newClient returns a client that gives up in time, reads no more of an answer than is sane,
// follows nobody elsewhere with what is secret, and speaks plainly only where that is wanted
// and to this machine.
func newClient(plain bool) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return &http.Client{
		Timeout:       answerWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: closing{transport, func(r *http.Request) (*http.Response, error) {
			if !maySpeakTo(r.URL, plain) {
				return nil, errors.New("it is not under https")
			}
			response, err := transport.RoundTrip(r)
			if err == nil {
				response.Body = http.MaxBytesReader(nil, response.Body, longestAnswer)
			}
			return response, err
		}},
	}
}

// closing lets the connections of the transport below be closed.
type closing struct {
	*http.Transport
	carry roundTrip
}

// RoundTrip implements http.RoundTripper.
func (c closing) RoundTrip(r *http.Request) (*http.Response, error) { return c.carry(r) }

// within returns a client for one sign-in, which goth does not tell when to give up.
func (p *Provider) within(ctx context.Context) *http.Client {
	client := *p.client
	client.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		return p.client.Transport.RoundTrip(r.WithContext(ctx))
	})
	return &client
}

// maySpeakTo reports whether what is sent there is read by nobody else.
func maySpeakTo(u *url.URL, plain bool) bool {
	ip := net.ParseIP(u.Hostname())
	here := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	return u.Scheme == "https" || plain && u.Scheme == "http" && here
}
