package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"shopwright.dev/shopwright/provisioner/engine"
	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/database"
)

// developer is who the program's development login signs in.
func developer() store.Identity {
	return store.Identity{Provider: "development login", Subject: "developer", Name: "Developer", Email: "developer@localhost"}
}

// records are the program's own, opened beside it by whoever makes or changes them.
type records struct {
	*database.DB
	actor     store.Actor
	team      string
	cluster   store.Cluster // the program's
	elsewhere store.Cluster // one that the program has no connection to
}

func openRecords(ctx context.Context, databaseURL string) (*records, error) {
	db, err := database.Open(ctx, databaseURL)
	if err != nil {
		return nil, err
	}
	r := &records{DB: db}
	if err := r.prepare(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return r, nil
}

func (r *records) prepare(ctx context.Context) error {
	id, err := r.SignIn(ctx, developer(), store.Browser{})
	if err != nil {
		return err
	}
	session, err := r.Session(ctx, id)
	if err != nil {
		return err
	}
	r.actor, r.team = session.Actor, session.Actor.Teams(store.CreateStores)[0]
	if r.cluster, err = r.EnsureCluster(ctx, store.ClusterSettings{Name: "local", BaseDomain: "localhost"}); err != nil {
		return err
	}
	r.elsewhere, err = r.EnsureCluster(ctx, store.ClusterSettings{Name: "elsewhere", BaseDomain: "localhost"})
	return err
}

// usualEngine is the one that the program proposes.
func usualEngine() string { return engine.Offered().All()[0].Name() }

// member is somebody with a team of their own.
type member struct {
	actor store.Actor
	team  string
}

// signInAll signs each in at the program, and returns their cookies. Its development login
// knows the developer only: the session is handed over.
func (r *records) signInAll(ctx context.Context, p *process, databaseURL string, members []member) (cookies []string, err error) {
	plain, err := sql.Open("pgx", databaseURL)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, plain.Close()) }()
	for _, m := range members {
		cookie, err := p.signIn(ctx)
		if err != nil {
			return nil, err
		}
		if _, err := plain.ExecContext(ctx, `UPDATE sessions SET user_id = $1 WHERE user_id = $2`, m.actor.UserID, r.actor.UserID); err != nil {
			return nil, err
		}
		cookies = append(cookies, cookie)
	}
	return cookies, nil
}

func (r *records) person(ctx context.Context, name string) (member, error) {
	id, err := r.SignIn(ctx, store.Identity{Provider: "bench", Subject: name, Name: name}, store.Browser{})
	if err != nil {
		return member{}, err
	}
	session, err := r.Session(ctx, id)
	if err != nil {
		return member{}, err
	}
	return member{session.Actor, session.Actor.Teams(store.CreateStores)[0]}, nil
}

// claimed makes a store for a member's team and claims it, so that the program leaves it alone.
func (r *records) claimed(ctx context.Context, m member, cluster store.Cluster, name string) (store.Claim, error) {
	_, err := r.CreateStore(ctx, m.actor, store.NewStore{TeamID: m.team, Cluster: cluster, Name: name, Engine: usualEngine()})
	if err != nil {
		return store.Claim{}, err
	}
	claim, ok, err := r.Claim(ctx, "bench", time.Hour, store.Concurrency{})
	if err == nil && !ok {
		err = errors.New("no store is in the queue")
	}
	return claim, err
}

// ready makes a store that is ready in the database, and in no cluster. It is not in the program's, which would restore
// what it doesn't find there.
func (r *records) ready(ctx context.Context, name string) (store.Store, error) {
	claim, err := r.claimed(ctx, member{r.actor, r.team}, r.elsewhere, name)
	if err != nil {
		return store.Store{}, err
	}
	st, err := r.Complete(ctx, claim, store.Opened{URL: "http://" + claim.Store.Host, AdminURL: "http://" + claim.Store.Host + "/admin"})
	return st, errors.Join(err, r.Release(ctx, claim))
}

// signIn signs in as a browser would, and returns the cookie.
func (p *process) signIn(ctx context.Context) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/sign-in/dev", nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return "", err
	}
	cookie, _, _ := strings.Cut(response.Header.Get("Set-Cookie"), ";")
	if cookie == "" {
		err = fmt.Errorf("sign in: %s without a cookie", response.Status)
	}
	return cookie, errors.Join(err, response.Body.Close())
}

// viewer has a page open and follows its stream. It costs as little as possible: the
// thousands of them share the machine with what is measured.
type viewer struct {
	conn net.Conn
}

// view opens a stream and returns when the first message has begun.
func view(ctx context.Context, base, cookie, query string) (*viewer, *bufio.Reader, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, nil, err
	}
	from := bufio.NewReaderSize(conn, 4096)
	if err := open(conn, from, u.Host, cookie, query); err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return &viewer{conn: conn}, from, nil
}

func open(conn net.Conn, from *bufio.Reader, host, cookie, query string) error {
	_, err := fmt.Fprintf(conn, "GET /events?%s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nAccept: text/event-stream\r\n\r\n", query, host, cookie)
	if err != nil {
		return err
	}
	status, err := from.ReadString('\n')
	if err != nil || !strings.Contains(status, " 200 ") {
		return fmt.Errorf("open a stream: %q, %w", status, err)
	}
	for {
		line, err := from.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read the beginning of a stream: %w", err)
		}
		if strings.HasPrefix(string(line), "id: ") {
			return nil
		}
	}
}
