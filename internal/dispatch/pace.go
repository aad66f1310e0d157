package dispatch

import (
	"maps"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

// AtOnce is how many lines somebody may say one right after the other, before
// the pace counts.
const AtOnce = 60

// robotsTalk is how much faster than people robots may talk.
const robotsTalk = 5

// pace keeps one author from drowning a room. It is kept in memory, by each
// node for itself; the bot's own lines do not come by here.
type pace struct {
	every   time.Duration // between two lines of a person; 0: nobody is held up
	refused atomic.Int64

	mu      sync.Mutex
	talkers map[id.User]talker // guarded by mu
}

// talker is what an author has left of AtOnce, as it was at an instant.
type talker struct {
	left float64
	at   time.Time
}

// mostTalkers is when those are forgotten who have all their lines left.
const mostTalkers = 10_000

// SetPace says how many lines a person may say in a second once the first
// AtOnce are said; robots may say more. 0 holds nobody up. It is to be called
// before anybody talks.
func (d *Dispatcher) SetPace(perSecond float64) {
	d.pace.every = 0
	if perSecond > 0 {
		d.pace.every = time.Duration(float64(time.Second) / perSecond)
	}
}

// TooFast is how many lines were refused because their authors talk too fast.
func (d *Dispatcher) TooFast() int64 { return d.pace.refused.Load() }

// mayTalk takes one line of actor's, or says when to come back.
func (p *pace) mayTalk(actor people.Actor, now time.Time) error {
	if p.every == 0 || actor.User == "" {
		return nil
	}
	every := p.every
	if actor.Origin == timeline.Robot {
		every /= robotsTalk
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.talkers == nil {
		p.talkers = map[id.User]talker{}
	}
	if len(p.talkers) > mostTalkers {
		maps.DeleteFunc(p.talkers, func(_ id.User, t talker) bool { return t.after(every, now).left >= AtOnce })
	}
	known, ok := p.talkers[actor.User]
	if !ok {
		known = talker{AtOnce, now}
	}
	known = known.after(every, now)
	if known.left < 1 {
		p.refused.Add(1)
		wait := time.Duration(math.Ceil((1 - known.left) * float64(every)))
		return fault.TooMany(phrase.N("room.too_fast", int(math.Ceil(wait.Seconds()))), wait)
	}
	known.left--
	p.talkers[actor.User] = known
	return nil
}

// after is what t has left at now, when a line comes back with every interval.
func (t talker) after(every time.Duration, now time.Time) talker {
	gained := float64(max(0, now.Sub(t.at))) / float64(every)
	return talker{min(AtOnce, t.left+gained), now}
}
