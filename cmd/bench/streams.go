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
	viewers       = 2000
	idleViewers   = 10_000
	changeEvery   = time.Second / 50
	changesFor    = 20 * time.Second
	changedStores = 25 // one page of the list
	dialers       = 50
)

// measureStreams opens the list of stores in thousands of browsers, which all live in this
// process; the program is one of its own, and its records are on Postgres, so that changes
// can be made from here.
func measureStreams(ctx context.Context, b *bench) (figures []figure, err error) {
	server, err := storetest.StartPostgres(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	database, err := server.CreateDatabase(ctx, "bench")
	if err != nil {
		return nil, err
	}
	r, err := openRecords(ctx, database)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	claims := make([]store.Claim, changedStores)
	for i := range claims {
		if claims[i], err = r.claimed(ctx, b.name()); err != nil {
			return nil, err
		}
	}
	busy, err := measureBusyStreams(ctx, b, r, database, claims)
	if err != nil {
		return busy, err
	}
	idle, err := measureIdleStreams(ctx, b, database)
	return append(busy, idle...), err
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

func measureBusyStreams(ctx context.Context, b *bench, r *records, database string, claims []store.Claim) ([]figure, error) {
	p, cookie, err := startOnPostgres(ctx, b, database)
	if err != nil {
		return nil, err
	}
	c := &audience{}
	if err := c.gather(ctx, p, cookie, viewers); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	if err := c.change(ctx, r, claims); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	held, err := p.resident()
	if err != nil {
		return nil, err
	}
	b.note("  %d changes reached %d browsers %d times, %.0f MB in use", c.changes.Load(), viewers, c.arrivals.Load(), held.all)
	began := time.Now()
	err = p.stop()
	ended := time.Since(began)
	c.readers.Wait()
	return []figure{
		{name: fmt.Sprintf("change to browser, %d open, half", viewers), value: c.within(50).Seconds(), unit: "s"},
		{name: fmt.Sprintf("change to browser, %d open, 99 of 100", viewers), value: c.within(99).Seconds(), unit: "s", aim: atMost(streamedWithin, "")},
		seconds(fmt.Sprintf("end of the program, %d open", viewers), []time.Duration{ended}, atMost(endedWithin, "")),
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
	c := &audience{}
	var figures []figure
	for _, n := range []int{viewers, idleViewers} {
		if err := c.gather(ctx, p, cookie, n-c.size); err != nil {
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

// audience is many viewers of one list.
type audience struct {
	size     int
	readers  sync.WaitGroup
	changes  atomic.Int64
	made     [1 << 16]atomic.Int64 // when a change was begun, in µs, by its number
	arrivals atomic.Int64
	late     [10_000]atomic.Int64 // arrivals by how many ms they took
}

// gather opens so many more streams.
func (c *audience) gather(ctx context.Context, p *process, cookie string, n int) error {
	errs := make([]error, dialers)
	var all sync.WaitGroup
	for d := range dialers {
		all.Go(func() {
			for i := d; i < n && errs[d] == nil; i += dialers {
				errs[d] = c.add(ctx, p, cookie)
			}
		})
	}
	all.Wait()
	c.size += n
	return errors.Join(errs...)
}

func (c *audience) add(ctx context.Context, p *process, cookie string) error {
	v, from, err := view(ctx, p.url, cookie, "view=stores")
	if err != nil {
		return err
	}
	c.readers.Go(func() {
		defer func() { _ = v.conn.Close() }()
		c.read(from)
	})
	return nil
}

const mark = "change number "

// read notes for each store when a newer change of it arrives, until the stream ends.
func (c *audience) read(from *bufio.Reader) {
	var newest [changedStores]int64
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
			if n, _ := strconv.ParseInt(string(line[:end]), 10, 64); n > newest[n%changedStores] {
				newest[n%changedStores] = n
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
func (c *audience) change(ctx context.Context, r *records, claims []store.Claim) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(changeEvery)
	defer tick.Stop()
	for n := int64(changedStores); n < changedStores+int64(changesFor/changeEvery); n++ {
		claim := &claims[n%changedStores]
		c.made[n].Store(time.Now().UnixMicro())
		st, err := r.Advance(ctx, *claim, store.Progress{Step: store.StepNamespace, Message: mark + strconv.FormatInt(n, 10) + "."})
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
