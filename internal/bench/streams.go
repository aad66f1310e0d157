package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// streams is how soon an entry is on every open timeline, from the request
// that caused it, and what an open timeline costs.
func streams(ctx context.Context, r *run, t *table) error {
	readers := pick(r, 2000, 500)
	return r.withNode(ctx, "", func(n *node, _ place) (err error) {
		a, err := dial(ctx, n.addr)
		if err != nil {
			return err
		}
		defer a.close()
		alarm := info(first).request()
		if _, err := a.do(alarm.number(0)); err != nil {
			return err
		}
		before, err := n.idle(ctx)
		if err != nil {
			return err
		}
		au := &audience{}
		defer au.leave()
		if err := au.join(ctx, n, r.site.known(), readers); err != nil {
			return err
		}
		var first, last samples
		var all samples
		for i := range pick(r, 50, 20) {
			began := au.next()
			status, err := a.do(alarm.number(int64(i + 1)))
			if err := answered2xx(status, err); err != nil {
				return err
			}
			if err := au.everybody(ctx); err != nil {
				return err
			}
			seen := au.seen(began)
			first, last, all = append(first, seen.quantile(0)), append(last, seen.max()), append(all, seen...)
			if err := pause(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		}
		busy, err := n.memory()
		if err != nil {
			return err
		}
		after, err := n.idle(ctx)
		if err != nil {
			return err
		}
		t.show("request → first of "+count(readers)+" streams", first.spread(), "")
		t.atMost("request → "+count(readers)+" streams, p99 of all", all.p99(), 250*time.Millisecond, "p50 "+span(all.p50()))
		t.show("request → last of "+count(readers)+" streams", last.spread(), "")
		each := float64(after.now-before.now) / float64(readers)
		t.add("memory for each stream", size(each), size(float64(busy.now-before.now)/float64(readers))+" after the last of these requests", "≤ 48 KiB", judge(each <= 48*kib))
		return nil
	})
}

// audience is many readers of the timeline.
type audience struct {
	conns   []*conn
	arrived []atomic.Int64 // for each reader: when it saw the latest entry, since opened
	missing atomic.Int64
	opened  time.Time
	done    chan struct{}
	failed  chan error
	leaving atomic.Bool
	wg      sync.WaitGroup
}

func (au *audience) join(ctx context.Context, n *node, known furnished, readers int) error {
	au.opened, au.arrived = time.Now(), make([]atomic.Int64, readers)
	au.done, au.failed = make(chan struct{}, 1), make(chan error, readers)
	for i := range readers {
		c, err := dial(ctx, n.addr)
		if err != nil {
			return err
		}
		au.conns = append(au.conns, c)
		_ = c.net.SetDeadline(time.Now().Add(5 * time.Minute))
		if _, err := c.net.Write(listening(streamPath, known.token(i))); err != nil {
			return fmt.Errorf("open a stream: %w", err)
		}
		if status, _, err := c.head(); err != nil || status != 200 {
			return errors.Join(err, fmt.Errorf("open a stream: status %d", status))
		}
	}
	for i, c := range au.conns {
		au.wg.Go(func() { au.read(i, c) })
	}
	return nil
}

// streamPath follows the timeline from now on.
const streamPath = "/api/v1/timeline/stream"

// listening asks for a stream.
func listening(path, token string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nAccept: text/event-stream\r\n\r\n", path, token)
}

// read notes every entry that one reader sees.
func (au *audience) read(i int, c *conn) {
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if !au.leaving.Load() {
				au.failed <- fmt.Errorf("a stream ended: %w", err)
			}
			return
		}
		if !bytes.HasPrefix(line, []byte("id:")) {
			continue
		}
		au.arrived[i].Store(int64(time.Since(au.opened)))
		if au.missing.Add(-1) == 0 {
			au.done <- struct{}{}
		}
	}
}

// next is called before the next entry.
func (au *audience) next() time.Time {
	au.missing.Store(int64(len(au.conns)))
	return time.Now()
}

func (au *audience) everybody(ctx context.Context) error {
	select {
	case <-au.done:
		return nil
	case err := <-au.failed:
		return err
	case <-time.After(patience):
		return fmt.Errorf("%d streams have not got an entry", au.missing.Load())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// seen is how long after began each reader saw the entry.
func (au *audience) seen(began time.Time) samples {
	all := make(samples, len(au.arrived))
	for i := range au.arrived {
		all[i] = time.Duration(au.arrived[i].Load()) - began.Sub(au.opened)
	}
	return all
}

func (au *audience) leave() {
	au.leaving.Store(true)
	for _, c := range au.conns {
		c.close()
	}
	au.wg.Wait()
}
