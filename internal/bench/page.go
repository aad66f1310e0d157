package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// pages is how long it takes from a request to the mail in the hands of the
// provider: idle, in a storm, and for many people at once.
func pages(ctx context.Context, r *run, t *table) error {
	mail, err := openSink(ctx)
	if err != nil {
		return err
	}
	defer mail.close() //nolint:contextcheck // it waits for the last conversation, whatever becomes of ctx
	for _, part := range []func(context.Context, *run, *table, *sink) error{pageIdle, pageStorm, pageCrowd} {
		if err := part(ctx, r, t, mail); err != nil {
			return err
		}
	}
	return nil
}

func pageIdle(ctx context.Context, r *run, t *table, mail *sink) error {
	var answered, arrived samples
	err := r.withNode(ctx, mail.url(), func(n *node, _ place) error {
		c, err := dial(ctx, n.addr)
		if err != nil {
			return err
		}
		defer c.close()
		for i := range pick(r, 200, 40) {
			request := critical(routeOf(i)).request()
			before := mail.count()
			began := time.Now()
			status, err := c.do(request.number(int64(i)))
			if err := answered2xx(status, err); err != nil {
				return err
			}
			answered = append(answered, time.Since(began))
			mails, err := mail.wait(ctx, before, 10*time.Second, func(m []handed) bool { return len(m) > 0 })
			if err != nil {
				return err
			}
			arrived = append(arrived, mails[0].at.Sub(began))
			if err := pause(ctx, time.Duration(30+rand.IntN(30))*time.Millisecond); err != nil { // in step with nothing
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("idle: %w", err)
	}
	t.show("idle, request → 2xx", answered.spread(), "")
	t.atMost("idle, request → mail, p50", arrived.p50(), 25*time.Millisecond, "")
	t.atMost("idle, request → mail, p99", arrived.p99(), 100*time.Millisecond, "max "+span(arrived.max()))
	return nil
}

func answered2xx(status int, err error) error {
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("a request was answered with status %d", status)
	}
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func routeOf(n int) string { return fmt.Sprintf("p%03d", n%crowd) }

// storm is so many alerts for one person as fast as they come.
func pageStorm(ctx context.Context, r *run, t *table, mail *sink) error {
	return r.withNode(ctx, mail.url(), func(n *node, p place) error {
		s, err := r.storm(ctx, n, p, mail)
		if err != nil {
			return fmt.Errorf("storm: %w", err)
		}
		all := count(s.alerts)
		t.add("storm of "+all+" for one person, refused", count(s.sent.refused), s.sent.text(), "0", judge(s.sent.refused == 0))
		t.add("storm, incidents", count(s.incidents), "", "= "+all, judge(s.incidents == int64(s.alerts)))
		t.atMost("storm, first mail after the first alert", s.mails[0].at.Sub(s.began), time.Second, "")
		named := 0
		for _, m := range s.mails {
			named = max(named, m.mentions)
		}
		last := s.mails[len(s.mails)-1].at.Sub(s.began)
		t.add("storm, mails", count(len(s.mails)), "last after "+span(last)+", the fullest names "+count(named)+" incidents", "bundled", judge(len(s.mails) < s.alerts/10 && named > 1))
		return nil
	})
}

// stormed is what became of a storm.
type stormed struct {
	alerts    int
	began     time.Time
	sent      outcome
	mails     []handed
	incidents int64
}

// storm sends alerts as fast as they are taken and waits until every page is sent.
func (r *run) storm(ctx context.Context, n *node, p place, mail *sink) (s stormed, err error) {
	s.alerts = pick(r, 10_000, 3000)
	before := mail.count()
	s.began = time.Now()
	if s.sent, err = (load{alert: critical(first), senders: 64, count: s.alerts}).send(ctx, n.addr); err != nil {
		return s, err
	}
	db, err := r.site.open(ctx, p)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, db.close(ctx)) }()
	if s.incidents, err = db.number(ctx, "SELECT COUNT(*) FROM incident"); err != nil {
		return s, err
	}
	err = r.allSent(ctx, p, s.incidents)
	s.mails = mail.since(before)
	if err == nil && len(s.mails) == 0 {
		err = errors.New("no mail at all")
	}
	return s, err
}

// allSent waits until so many pages were sent; a storm's come within a minute.
func (r *run) allSent(ctx context.Context, p place, pages int64) (err error) {
	db, err := r.site.open(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close(ctx)) }()
	return until(ctx, 3*time.Minute, func() (bool, error) {
		n, err := db.number(ctx, "SELECT COUNT(*) FROM delivery WHERE state = 'sent'")
		return n >= pages, err
	})
}

// until looks again and again.
func until(ctx context.Context, within time.Duration, done func() (bool, error)) error {
	for deadline := time.Now().Add(within); ; {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it did not happen within %s", within)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// pageCrowd is an incident for each of many people at the same moment.
func pageCrowd(ctx context.Context, r *run, t *table, mail *sink) error {
	return r.withNode(ctx, mail.url(), func(n *node, _ place) error {
		conns := make([]*conn, crowd)
		for i := range conns {
			var err error
			if conns[i], err = dial(ctx, n.addr); err != nil {
				return err
			}
			defer conns[i].close()
		}
		before, began := mail.count(), time.Now()
		errs := make([]error, crowd)
		var wg sync.WaitGroup
		for i, c := range conns {
			wg.Go(func() {
				status, err := c.do(critical(routeOf(i)).request().number(int64(i)))
				errs[i] = answered2xx(status, err)
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
		mails, err := mail.wait(ctx, before, 30*time.Second, func(m []handed) bool { return len(m) >= crowd })
		if err != nil {
			return fmt.Errorf("for many people: %w", err)
		}
		t.atMost("100 incidents for 100 people at once, last mail", mails[crowd-1].at.Sub(began), 2*time.Second, "first after "+span(mails[0].at.Sub(began)))
		return nil
	})
}
