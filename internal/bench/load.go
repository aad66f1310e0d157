package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// phases are a warm-up, which is not counted, and the time that is.
type phases struct{ counted, end time.Time }

func newPhases(warm, forHowLong time.Duration) phases {
	counted := time.Now().Add(warm)
	return phases{counted, counted.Add(forHowLong)}
}

// loop does one thing again and again until the end and returns how long each
// counted one took.
func (p phases) loop(ctx context.Context, do func() error) (samples, error) {
	var took samples
	for ctx.Err() == nil {
		began := time.Now()
		if began.After(p.end) {
			return took, nil
		}
		if err := do(); err != nil {
			return took, err
		}
		if began.After(p.counted) {
			took = append(took, time.Since(began))
		}
	}
	return took, context.Cause(ctx)
}

func (p phases) outcome(all []samples) outcome {
	o := outcome{took: time.Since(p.counted)}
	for _, s := range all {
		o.latency = append(o.latency, s...)
	}
	return o
}

// outcome is what became of a load.
type outcome struct {
	latency samples
	took    time.Duration
	refused int
	sent    int           // all, the warm-up included
	cpu     time.Duration // of the node for each alert, the warm-up included; 0: not known
}

func (o outcome) rate() float64 { return float64(len(o.latency)) / o.took.Seconds() }

func (o outcome) text() string {
	text := fmt.Sprintf("%s (p50 %s, p99 %s", perSecond(o.rate()), span(o.latency.p50()), span(o.latency.p99()))
	if o.cpu > 0 {
		text += fmt.Sprintf(", %d µs of CPU each", o.cpu.Microseconds())
	}
	return text + ")"
}

// better returns the faster of two: what else the machine does can only slow down.
func better(a, b outcome) outcome {
	if len(a.latency) == 0 || b.rate() > a.rate() {
		return b
	}
	return a
}

// load is alerts sent by several senders, each on its own connection, one after the other.
type load struct {
	alert    template
	senders  int
	repeated bool // the same entity always
	warm     time.Duration
	counted  time.Duration // 0: until count alerts were sent
	count    int
	first    int64 // number of the first entity
}

// send returns when everything is answered. Refused is whatever is not 2xx.
func (l load) send(ctx context.Context, addr string) (outcome, error) {
	conns := make([]*conn, l.senders)
	defer func() {
		for _, c := range conns {
			if c != nil {
				c.close()
			}
		}
	}()
	for i := range conns {
		var err error
		if conns[i], err = dial(ctx, addr); err != nil {
			return outcome{}, err
		}
	}
	var next, refused atomic.Int64
	next.Store(l.first)
	p := newPhases(l.warm, l.counted)
	if l.counted == 0 {
		p.end = p.end.Add(2 * time.Minute)
	}
	all := make([]samples, l.senders)
	errs := make([]error, l.senders)
	var wg sync.WaitGroup
	for i, c := range conns {
		wg.Go(func() {
			request := l.alert.request()
			all[i], errs[i] = p.loop(ctx, func() error {
				n := next.Add(1)
				if l.counted == 0 && n > l.first+int64(l.count) {
					return errEnough
				}
				if l.repeated {
					n = l.first
				}
				status, err := c.do(request.number(n))
				if status/100 != 2 {
					refused.Add(1)
				}
				return err
			})
			if errors.Is(errs[i], errEnough) {
				errs[i] = nil
			}
		})
	}
	wg.Wait()
	o := p.outcome(all)
	o.refused, o.sent = int(refused.Load()), int(next.Load()-l.first)
	return o, errors.Join(errs...)
}

var errEnough = errors.New("enough was sent")
