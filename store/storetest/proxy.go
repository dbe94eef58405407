package storetest

import (
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
)

// Proxy stands between clients and a Postgres server, and can cut them off.
type Proxy struct {
	listener net.Listener
	socket   string
	running  sync.WaitGroup

	mu    sync.Mutex
	state state
	conns map[net.Conn]*link
}

type state int

const (
	passing state = iota
	holding
	closing
)

// link is one client's connection. What it carries waits while it is held.
type link struct {
	mu   sync.Mutex
	cond *sync.Cond
	held bool
	over bool
}

// NewProxy returns a proxy to the server, which ends with the test.
func NewProxy(t testing.TB, s *Server) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, socket: filepath.Join(s.dir, ".s.PGSQL.5432"), conns: map[net.Conn]*link{}}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.Close()
		p.running.Wait()
	})
	return p
}

// URL is the address of the database, which is that of the server, through the proxy.
func (p *Proxy) URL(t testing.TB, direct string) string {
	t.Helper()
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Del("host")
	u.Host, u.RawQuery = p.listener.Addr().String(), query.Encode()
	return u.String()
}

// Hold stops passing on anything, without closing a connection, as a pulled cable does,
// until Open. New connections are held too.
func (p *Proxy) Hold() {
	p.set(holding)
	p.Strand()
}

// Strand holds the connections that there are and no others, as a router does that has
// forgotten them.
func (p *Proxy) Strand() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.conns {
		l.set(true, false)
	}
}

// Close ends all connections, and new ones at once, until Open.
func (p *Proxy) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = closing
	for conn, l := range p.conns {
		l.set(false, true)
		_ = conn.Close()
	}
}

// Open passes on everything again.
func (p *Proxy) Open() {
	p.set(passing)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.conns {
		l.set(false, false)
	}
}

func (p *Proxy) set(s state) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = s
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("unix", p.socket)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	l := p.register(client, server)
	if l == nil {
		return
	}
	defer p.forget(client, server)
	var both sync.WaitGroup
	both.Go(func() { l.pass(server, client); _ = server.Close() })
	both.Go(func() { l.pass(client, server); _ = client.Close() })
	both.Wait()
}

func (p *Proxy) register(client, server net.Conn) *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == closing {
		return nil
	}
	l := &link{held: p.state == holding}
	l.cond = sync.NewCond(&l.mu)
	p.conns[client], p.conns[server] = l, l
	return l
}

func (p *Proxy) forget(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}

func (l *link) set(held, over bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held, l.over = held, l.over || over
	l.cond.Broadcast()
}

// wait returns when the link is not held.
func (l *link) wait() (over bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.held && !l.over {
		l.cond.Wait()
	}
	return l.over
}

func (l *link) pass(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if l.wait() {
			return
		}
		if _, writeErr := to.Write(buffer[:n]); writeErr != nil || err != nil {
			return
		}
	}
}
