package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"shopwright.dev/shopwright/store"
	"shopwright.dev/shopwright/store/storetest"
)

// The aims for pages that are open in many browsers at once.
const (
	streamedWithin = 1.0 // seconds, for 99 of 100 changes and browsers
	endedWithin    = 1.0 // seconds
)

const (
	viewers     = 2000
	idleViewers = 10_000
	changeEvery = time.Second / 50
	changesFor  = 20 * time.Second
	mostStores  = 50
	dialers     = 50
)

// house is who looks on while stores change.
type house struct {
	name   string
	teams  int // of as many viewers each, who see the stores of their own only
	stores int // in all; no team has more than a page of the list shows
}

func houses() []house {
	return []house{{name: "one team", teams: 1, stores: 25}, {name: "50 teams", teams: 50, stores: mostStores}}
}

// measureStreams opens the list of stores in thousands of browsers, which all live in this
// process; the program is one of its own, and its database is on Postgres, so that changes
// can be made from here.
func measureStreams(ctx context.Context, b *bench) (figures []figure, err error) {
	server, err := storetest.StartPostgres(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	var database string
	for i, h := range houses() {
		if database, err = server.CreateDatabase(ctx, fmt.Sprint("bench", i)); err != nil {
			return figures, err
		}
		busy, err := measureBusyStreams(ctx, b, h, database)
		figures = append(figures, busy...)
		if err != nil {
			return figures, fmt.Errorf("%s: %w", h.name, err)
		}
	}
	idle, err := measureIdleStreams(ctx, b, database)
	return append(figures, idle...), err
}

// startOnPostgres starts the program on those records.
func startOnPostgres(ctx context.Context, b *bench, database string) (*process, string, error) {
	dir, err := os.MkdirTemp(b.scratch, "streams-")
	if err != nil {
		return nil, "", err
	}
	p, err := startProcess(ctx, b, dir, b.account, "SHOPWRIGHT_DATABASE_URL="+database)
	if err != nil {
		return nil, "", err
	}
	cookie, err := p.signIn(ctx)
	return p, cookie, err
}

func measureBusyStreams(ctx context.Context, b *bench, h house, database string) (figures []figure, err error) {
	r, err := openRecords(ctx, database)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	c := &audience{house: h}
	members, err := c.fill(ctx, r, b)
	if err != nil {
		return nil, err
	}
	p, _, err := startOnPostgres(ctx, b, database)
	if err != nil {
		return nil, err
	}
	if err := c.watch(ctx, r, p, database, members); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	if err := b.profiledIn(ctx, p, func() error { return c.change(ctx, r) }); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	if c.arrivals.Load() == 0 {
		return nil, errors.Join(errors.New("no browser shows a change"), p.stop())
	}
	held, err := p.resident()
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	whole := c.whole()
	b.note("  %s: %d changes reached %d browsers %d times, %.0f MB in use", h.name, c.changes.Load(), viewers, c.arrivals.Load(), held.all)
	began := time.Now()
	err = p.stop()
	ended := time.Since(began)
	c.readers.Wait()
	n := func(what string) string {
		return fmt.Sprintf("change to browser, %d open in %s, %s", viewers, h.name, what)
	}
	return []figure{
		{name: n("half"), value: c.within(50).Seconds(), unit: "s"},
		{name: n("99 of 100"), value: c.within(99).Seconds(), unit: "s", aim: atMost(streamedWithin, "")},
		{name: n("that show the last change"), value: float64(whole), aim: atLeast(viewers, "")},
		seconds(fmt.Sprintf("end of the program, %d open in %s", viewers, h.name), []time.Duration{ended}, atMost(endedWithin, "")),
	}, err
}

func measureIdleStreams(ctx context.Context, b *bench, database string) ([]figure, error) {
	p, cookie, err := startOnPostgres(ctx, b, database)
	if err != nil {
		return nil, err
	}
	if err := p.settle(ctx, restAfter); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	before, err := p.resident()
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	c := &audience{house: house{teams: 1}, cookies: []string{cookie}}
	var figures []figure
	for _, n := range []int{viewers, idleViewers} {
		if err := c.gather(ctx, p, n-c.size); err != nil {
			return figures, errors.Join(err, p.stop())
		}
		if err := pass(ctx, restAfter); err != nil {
			return figures, errors.Join(err, p.stop())
		}
		after, err := p.resident()
		if err != nil {
			return figures, errors.Join(err, p.stop())
		}
		figures = append(figures, figure{
			name: fmt.Sprintf("memory of one browser of %d", n), value: (after.own - before.own) * 1000 / float64(n), unit: "kB",
			spread: fmt.Sprintf("%s MB in all", number(after.all)),
		})
	}
	err = p.stop()
	c.readers.Wait()
	return figures, err
}

// audience is many viewers of the lists of their teams.
type audience struct {
	house
	claims   []store.Claim // of the stores, which belong to the teams in turn
	cookies  []string      // of somebody in each team
	size     int
	readers  sync.WaitGroup
	changes  atomic.Int64
	made     [1 << 16]atomic.Int64 // when a change was begun, in µs, by its number
	arrivals atomic.Int64
	late     [10_000]atomic.Int64 // arrivals by how many ms they took

	mu    sync.Mutex
	seats []*seat
}

// seat is one viewer's, with the newest change of each store that has arrived there.
type seat struct {
	team   int
	newest [mostStores]atomic.Int64
}

// fill makes the teams, somebody in each, and the stores, before there is a program that
// would take them.
func (c *audience) fill(ctx context.Context, r *records, b *bench) (members []member, err error) {
	members = []member{{r.actor, r.team}}
	for i := 0; c.teams > 1 && i < c.teams; i++ {
		m, err := r.person(ctx, fmt.Sprint("person ", i))
		if err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	members = members[len(members)-c.teams:]
	c.claims = make([]store.Claim, c.stores)
	for i := range c.claims {
		if c.claims[i], err = r.claimed(ctx, members[i%c.teams], r.cluster, b.name()); err != nil {
			return nil, err
		}
	}
	return members, nil
}

// watch signs the members in and opens the streams.
func (c *audience) watch(ctx context.Context, r *records, p *process, database string, members []member) (err error) {
	if c.cookies, err = r.signInAll(ctx, p, database, members); err != nil {
		return err
	}
	return c.gather(ctx, p, viewers)
}

// gather opens so many more streams.
func (c *audience) gather(ctx context.Context, p *process, n int) error {
	errs := make([]error, dialers)
	var all sync.WaitGroup
	for d := range dialers {
		all.Go(func() {
			for i := d; i < n && errs[d] == nil; i += dialers {
				errs[d] = c.add(ctx, p, i%c.teams)
			}
		})
	}
	all.Wait()
	c.size += n
	return errors.Join(errs...)
}

func (c *audience) add(ctx context.Context, p *process, team int) error {
	v, from, err := view(ctx, p.url, c.cookies[team], "view=stores")
	if err != nil {
		return err
	}
	s := &seat{team: team}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seats = append(c.seats, s)
	c.readers.Go(func() {
		defer func() { _ = v.conn.Close() }()
		c.read(s, from)
	})
	return nil
}

// whole counts the viewers who have the last change of every store of their team.
func (c *audience) whole() (n int) {
	last := c.changes.Load() // changes are numbered from c.stores: each store's last one is this or later
	for _, s := range c.seats {
		missing := 0
		for store := s.team; store < c.stores; store += c.teams {
			if s.newest[store].Load() < last {
				missing++
			}
		}
		if missing == 0 {
			n++
		}
	}
	return n
}

const mark = "change number "

// read notes for each store when a newer change of it arrives, until the stream ends.
func (c *audience) read(s *seat, from *bufio.Reader) {
	for {
		line, err := from.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
		for {
			i := bytes.Index(line, []byte(mark))
			if i < 0 {
				break
			}
			line = line[i+len(mark):]
			end := bytes.IndexFunc(line, func(r rune) bool { return r < '0' || r > '9' })
			if end < 0 {
				break // cut by the buffer: the same text comes twice
			}
			n, _ := strconv.ParseInt(string(line[:end]), 10, 64)
			if newest := &s.newest[n%int64(c.stores)]; n > newest.Load() {
				newest.Store(n)
				c.arrived(n)
			}
		}
	}
}

func (c *audience) arrived(n int64) {
	took := time.Now().UnixMicro() - c.made[n].Load()
	c.late[min(took/1000, int64(len(c.late)-1))].Add(1)
	c.arrivals.Add(1)
}

// change makes changes at a steady pace, and returns a moment after the last one.
func (c *audience) change(ctx context.Context, r *records) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(changeEvery)
	defer tick.Stop()
	first := int64(c.stores) // which is the first store's
	for n := first; n < first+int64(changesFor/changeEvery); n++ {
		claim := &c.claims[n%first]
		c.made[n].Store(time.Now().UnixMicro())
		st, err := r.Advance(ctx, *claim, store.Progress{Step: store.StepNamespace, Note: store.Quote(mark + strconv.FormatInt(n, 10) + ".")})
		if err != nil {
			return err
		}
		claim.Store = st
		c.changes.Add(1)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return pass(ctx, 2*time.Second)
}

// within is the time in which p of 100 arrivals came.
func (c *audience) within(p int64) time.Duration {
	var seen int64
	for ms := range c.late {
		if seen += c.late[ms].Load(); seen*100 >= c.arrivals.Load()*p {
			return time.Duration(ms+1) * time.Millisecond
		}
	}
	return 0
}
