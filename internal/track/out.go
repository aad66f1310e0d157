package track

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/carrier"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
)

// message is one that is out. Deliveries that left together share it.
type message struct {
	provider id.Provider
	method   people.Method
	remote   string
}

func messageOf(d store.Delivery) message {
	return message{d.Provider, people.Method(d.Body.Method), d.Remote}
}

// flight is what is known of a message that is out. Once seen it is asked about
// until its fate is final, also when its deadline has passed meanwhile: a late
// arrival and a late answer count.
type flight struct {
	since time.Time // when it was first seen here
	next  time.Time // not to be asked before
	pause time.Duration
	state notify.State // that was taken last
	over  bool         // nothing more is to be asked; kept until it is old, so that nobody asks again

	noisy bool      // it makes noise until it is told that it is over
	quiet bool      // its noise was ended
	again time.Time // its noise is not to be ended before, because that failed
}

// later sets the next question: soon while it is young, ever more rarely then.
func (f *flight) later(now time.Time, least time.Duration) {
	f.next = now.Add(max(f.pause, least))
	f.pause = min(f.pause*5/4, slowest)
}

func (t *Tracker) flight(m message, now time.Time) *flight {
	f := t.out[m]
	if f == nil {
		f = &flight{since: now, next: now, pause: t.interval}
		t.out[m] = f
	}
	return f
}

// ask asks about everything whose turn it is.
func (t *Tracker) ask(ctx context.Context, now time.Time) error {
	o, err := t.store.Org(ctx)
	if err != nil {
		return err
	}
	var answerable []string
	for _, m := range noisyMethods(t.carriers, o) {
		answerable = append(answerable, string(m))
	}
	out, err := t.store.InFlight(ctx, answerable, maxFlights)
	if err != nil {
		return err
	}
	for _, d := range out {
		t.flight(messageOf(d), now)
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for m, f := range t.out {
		switch {
		case now.Sub(f.since) > askAbout:
			delete(t.out, m)
		case !f.over && !now.Before(f.next):
			c, ok := t.carriers.Carrying(o, m.provider, m.method)
			tracker, asks := c.Provider.(notify.Tracker)
			_, f.noisy = c.Provider.(notify.Canceller)
			if !ok || !asks {
				f.over = true // only a callback can tell
				continue
			}
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				t.askOne(ctx, m, f, tracker, now)
			})
		}
	}
	wg.Wait()
	return nil
}

// askOne asks about one message and hands on what is new. Nobody else uses f meanwhile.
func (t *Tracker) askOne(ctx context.Context, m message, f *flight, tracker notify.Tracker, now time.Time) {
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	ev, err := tracker.Track(asking, m.remote)
	if err != nil {
		refusal, refused := errors.AsType[*notify.Failure](err)
		if refused && refusal.Permanent { // it is forgotten there; the deadline does the rest
			f.over = true
		}
		least := time.Duration(0)
		if refused {
			least = refusal.RetryAfter
		}
		f.later(now, least)
		if ctx.Err() == nil {
			t.log.WarnContext(ctx, "ask what became of a page", "provider", m.provider, "method", m.method, "err", err)
		}
		return
	}
	f.later(now, 0)
	arrived := f.state == notify.Delivered || f.state == notify.Seen
	switch {
	case ev.State == "" && ev.Answer == nil, ev.State == f.state && ev.Answer == nil:
		return // nothing new
	case ev.State == notify.Undelivered && arrived: // it went silent unanswered, which is no failure to arrive
		f.over = true
		return
	}
	if !t.take(ctx, m.method, m.provider, ev) {
		return
	}
	f.state = ev.State
	switch {
	case ev.Answer != nil, ev.State == notify.Undelivered, ev.State == notify.Seen:
		f.over = true
	case ev.State == notify.Delivered:
		f.over = !f.noisy // one that can be answered there goes on being asked about
	}
}

// quieten ends the noise of messages about incidents that somebody looks after
// by now. Each is told once; whoever could not be told is told again later.
func (t *Tracker) quieten(ctx context.Context, now time.Time) error {
	o, err := t.store.Org(ctx)
	if err != nil {
		return err
	}
	for _, m := range noisyMethods(t.carriers, o) {
		noisy, err := t.store.Noisy(ctx, string(m), maxFlights)
		if err != nil {
			return err
		}
		for _, d := range noisy {
			if now.Sub(d.CreatedAt) > askAbout { // it has fallen silent by itself
				continue
			}
			t.quietenOne(ctx, o, d, now)
		}
	}
	return nil
}

func (t *Tracker) quietenOne(ctx context.Context, o *org.Org, d store.Delivery, now time.Time) {
	m := messageOf(d)
	f := t.flight(m, now)
	if f.quiet || now.Before(f.again) {
		return
	}
	c, ok := t.carriers.Carrying(o, m.provider, m.method)
	canceller, cancels := c.Provider.(notify.Canceller)
	if !ok || !cancels {
		f.quiet = true
		return
	}
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if err := canceller.Cancel(asking, m.remote); err != nil && !notify.Permanent(err) {
		f.again = now.Add(t.interval)
		if ctx.Err() == nil {
			t.log.WarnContext(ctx, "end the noise of a page", "provider", m.provider, "delivery", d.ID, "err", err)
		}
		return
	}
	f.quiet, f.over = true, true
}

// loud reports whether something is out that makes noise, as far as is known here.
func (t *Tracker) loud() bool {
	for _, f := range t.out {
		if f.noisy && !f.quiet {
			return true
		}
	}
	return false
}

// noisyMethods are those of which some provider has to be told that the noise is over.
func noisyMethods(s *carrier.Set, o *org.Org) []people.Method {
	var found []people.Method
	for _, m := range people.Methods {
		for _, c := range s.For(o, m) {
			if _, ok := c.Provider.(notify.Canceller); ok {
				found = append(found, m)
				break
			}
		}
	}
	return found
}
