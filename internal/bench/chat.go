package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// chat is one room with many readers: how soon a line is with all of them, how
// many lines such a room carries, and what a reader costs who only listens. The
// room is private, so that the node asks for each reader whether they may.
func chat(ctx context.Context, r *run, t *table) error {
	var nobody outcome
	err := r.withNode(ctx, "", func(n *node, _ place) (err error) {
		h, err := r.openHall(ctx, n)
		if err != nil {
			return err
		}
		nobody, err = r.talk(ctx, n, h)
		return err
	})
	if err != nil {
		return err
	}
	return r.withNode(ctx, "", func(n *node, _ place) error {
		h, err := r.openHall(ctx, n)
		if err != nil {
			return err
		}
		a, err := r.speaker(ctx, n, h.slug)
		if err != nil {
			return err
		}
		defer a.conn.close()
		if err := h.hears(ctx, a); err != nil {
			return err
		}
		before, err := n.idle(ctx)
		if err != nil {
			return err
		}
		readers := pick(r, 2000, 500)
		defer h.leave()
		if err := h.join(ctx, n, r.site.known(), readers); err != nil {
			return err
		}
		if err := h.hears(ctx, a); err != nil { // every connection has its buffers now
			return err
		}
		busy, err := n.memory()
		if err != nil {
			return err
		}
		after, err := n.idle(ctx)
		if err != nil {
			return err
		}
		each := float64(after.now-before.now) / float64(readers)
		t.add("memory for each idle reader", size(each), size(float64(busy.now-before.now)/float64(readers))+" when they have just come", "≤ 48 KiB", judge(each <= 48*kib))
		return r.chatLoad(ctx, n, t, h, a, nobody)
	})
}

func (r *run) chatLoad(ctx context.Context, n *node, t *table, h *hall, a *speaker, nobody outcome) error {
	readers := count(len(h.readers)) + " readers"
	h.forget()
	var last samples
	for range pick(r, 50, 20) {
		began := time.Now()
		if err := h.hears(ctx, a); err != nil {
			return err
		}
		last = append(last, time.Since(began))
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	one := h.heard()
	t.atMost("a line now and then → "+readers+", p99 of all", one.p99(), 250*time.Millisecond, "p50 "+span(one.p50()))
	t.show("a line now and then → last of "+readers, last.spread(), "")

	h.forget()
	o, err := r.talk(ctx, n, h)
	if err != nil {
		return err
	}
	many := h.heard()
	t.show("lines read by everybody", fmt.Sprintf("%s, %s frames", perSecond(o.rate()), perSecond(o.rate()*float64(len(h.readers)))),
		fmt.Sprintf("%s with nobody reading", perSecond(nobody.rate())))
	t.show("these lines → "+readers, many.spread(), fmt.Sprintf("%d speakers, each waits until all have read", speakers))
	return nil
}

// The room and its lines.
const (
	lineText = "line " // before the number
	// marker stands once in every frame of a line, in front of its number.
	marker = `"text":"` + lineText
	// speakers talk at the same time, and no faster than they are read.
	speakers = 64
	// lines is how many are said at most.
	lines = 200_000
)

// openHall makes the room and lets everybody in.
func (r *run) openHall(ctx context.Context, n *node) (*hall, error) {
	var members []string
	for i := range crowd {
		members = append(members, string(person(i)))
	}
	body, err := json.Marshal(map[string]any{"kind": "private", "slug": "hall", "members": members})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+n.addr+"/api/v1/rooms", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.site.known().token(0))
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("open a room: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 500))
		return nil, fmt.Errorf("open a room: status %d: %s", res.StatusCode, text)
	}
	var opened struct{ Slug string }
	if err := json.NewDecoder(res.Body).Decode(&opened); err != nil {
		return nil, fmt.Errorf("open a room: %w", err)
	}
	return &hall{slug: opened.Slug}, nil
}

// speaker says numbered lines, one after the other.
type speaker struct {
	conn    *conn
	request *request
	heard   chan struct{} // somebody was the last reader of the line
}

func (r *run) speaker(ctx context.Context, n *node, slug string) (*speaker, error) {
	c, err := dial(ctx, n.addr)
	if err != nil {
		return nil, err
	}
	text := `{"text":"` + lineText + digits + `: usage of /var falls slowly since the logs were rotated, I keep watching it for a while"}`
	head := fmt.Sprintf("POST /api/v1/rooms/%s/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		slug, r.site.known().token(0), len(text))
	all := []byte(head + text)
	return &speaker{c, &request{bytes: all, at: []int{bytes.Index(all, []byte(digits))}}, make(chan struct{}, 1)}, nil
}

// talk is many people talking for a while. With readers the next line of each
// waits until everybody has read the last one.
func (r *run) talk(ctx context.Context, n *node, h *hall) (o outcome, err error) {
	p := newPhases(r.warm(), r.counted())
	all, errs := make([]samples, speakers), make([]error, speakers)
	var wg sync.WaitGroup
	for i := range speakers {
		wg.Go(func() {
			a, err := r.speaker(ctx, n, h.slug)
			if err != nil {
				errs[i] = err
				return
			}
			defer a.conn.close()
			all[i], errs[i] = p.loop(ctx, func() error { return h.hears(ctx, a) })
		})
	}
	wg.Wait()
	return p.outcome(all), errors.Join(errs...)
}

// hall is the room with its readers, and what of each line they have not read.
type hall struct {
	slug    string // a private room's name has an end that the node makes up
	opened  time.Time
	readers []*reader
	lines   []line // by number; nil without readers
	next    atomic.Int64
	failed  chan error
	leaving atomic.Bool
	wg      sync.WaitGroup
}

// line is written down before it is sent.
type line struct {
	by   *speaker
	sent atomic.Int64 // since opened
	left atomic.Int32 // readers who do not have it
}

// hears returns when a line is committed and everybody has it.
func (h *hall) hears(ctx context.Context, a *speaker) error {
	n := h.next.Add(1)
	if n >= lines {
		return errEnough
	}
	if h.lines != nil {
		l := &h.lines[n]
		l.by = a
		l.left.Store(int32(len(h.readers))) //nolint:gosec // some thousands
		l.sent.Store(int64(time.Since(h.opened)))
	}
	if err := answered2xx(a.conn.do(a.request.number(n))); err != nil || h.lines == nil {
		return err
	}
	select {
	case <-a.heard:
		return nil
	case err := <-h.failed:
		return err
	case <-time.After(patience):
		return fmt.Errorf("%d readers have not got line %d", h.lines[n].left.Load(), n)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
