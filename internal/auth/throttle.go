package auth

import (
	"context"
	"math"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/watchroom/watchroom/internal/secret"
)

// Limiter lets each key do something a number of times at once and then at a
// steady pace. It keeps a bounded number of keys in memory and nothing
// elsewhere: after a restart everybody starts afresh, on each node.
type Limiter struct {
	every time.Duration
	burst int
	keys  int

	mu      sync.Mutex
	buckets map[string]*rate.Limiter // guarded by mu
}

// NewLimiter allows burst at once and one more after every; it remembers at
// most keys keys.
func NewLimiter(every time.Duration, burst, keys int) *Limiter {
	return &Limiter{every: every, burst: burst, keys: keys, buckets: map[string]*rate.Limiter{}}
}

// Take takes one turn for key. When there is none it takes nothing and returns
// how long to wait for the next.
func (l *Limiter) Take(key string, now time.Time) (wait time.Duration, ok bool) {
	key = short(key)
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[key]
	if b == nil {
		l.makeRoom(now)
		b = rate.NewLimiter(rate.Every(l.every), l.burst)
		l.buckets[key] = b
	}
	if b.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - b.TokensAt(now)
	return time.Duration(math.Ceil(missing * float64(l.every))), false
}

func (l *Limiter) turn(key string) Turn { return Turn{key, l.every, l.burst} }

// Forget gives key all its turns back.
func (l *Limiter) Forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.buckets, short(key))
}

// short keeps what strangers type from filling memory as keys.
func short(key string) string {
	if len(key) > 128 {
		return secret.Hash(key)
	}
	return key
}

// makeRoom forgets one key when the memory is full: of a few picked at random
// the one that used its turns least. Inventing many new keys therefore cannot
// wash out the one that is under attack. The caller holds mu.
func (l *Limiter) makeRoom(now time.Time) {
	if len(l.buckets) < l.keys {
		return
	}
	const sample = 16
	var victim string
	seen, most := 0, math.Inf(-1)
	for key, b := range l.buckets { // the order of a map is random
		if left := b.TokensAt(now); left > most {
			victim, most = key, left
		}
		if seen++; seen == sample {
			break
		}
	}
	delete(l.buckets, victim)
}

// Turn is what an attempt takes of a key: Burst at once, and one more after Every.
type Turn struct {
	Key   string
	Every time.Duration
	Burst int
}

// Book takes the turn at now of a key that is booked up to an instant, and
// returns up to when it is then. When there is none it returns how long to wait.
func (t Turn) Book(upto, now time.Time) (next time.Time, wait time.Duration) {
	if upto.Before(now) {
		upto = now
	}
	if wait = upto.Sub(now) - time.Duration(t.Burst-1)*t.Every; wait > 0 {
		return upto, wait
	}
	return upto.Add(t.Every), 0
}

// Ledger counts the turns of all nodes together.
type Ledger interface {
	// Take takes all of the turns. When there is none of one of them it takes
	// nothing and returns how long to wait for it.
	Take(ctx context.Context, turns []Turn) (wait time.Duration, ok bool, err error)
	// Forget gives a key all its turns back.
	Forget(ctx context.Context, key string) error
}

// Throttle is the brake on guessing passwords. Every attempt takes a turn in
// three limiters; a success gives the first one back.
//
//	account from one network   5 at once, then one in 30 s: somebody guesses one password
//	one network               60 at once, then one in 2 s:  somebody tries many accounts
//	account from everywhere  100 at once, then one in 10 s: many machines guess one password
//
// The last is wide on purpose: a tight one would let anybody lock the person on
// call out by failing in their name. Those who know their password from a quiet
// network are stopped only while such an attack goes on.
//
// With a ledger the same holds for all nodes together; what this node refuses by
// itself the ledger is not asked about.
type Throttle struct {
	pair, network, account *Limiter
	name                   string
	ledger                 Ledger
}

// throttleKeys bounds the memory of each limiter to a few megabytes.
const throttleKeys = 10_000

// NewThrottle returns a throttle with nothing remembered. name tells it from
// others in the ledger, which may be nil.
func NewThrottle(name string, ledger Ledger) *Throttle {
	return &Throttle{
		pair:    NewLimiter(30*time.Second, 5, throttleKeys),
		network: NewLimiter(2*time.Second, 60, throttleKeys),
		account: NewLimiter(10*time.Second, 100, throttleKeys),
		name:    name, ledger: ledger,
	}
}

// Take counts one attempt to sign in as login from addr, before the password is
// looked at. When it may not happen, wait says when the next may.
func (t *Throttle) Take(ctx context.Context, login string, addr netip.Addr, now time.Time) (wait time.Duration, ok bool, err error) {
	net := Network(addr)
	// In this order: what the closest limiter refuses must not use up the turns
	// that others share.
	if wait, ok := t.pair.Take(pairKey(login, net), now); !ok {
		return wait, false, nil
	}
	if wait, ok := t.network.Take(net, now); !ok {
		return wait, false, nil
	}
	if wait, ok = t.account.Take(login, now); !ok || t.ledger == nil {
		return wait, ok, nil
	}
	return t.ledger.Take(ctx, []Turn{
		t.pair.turn(t.name + " pair " + pairKey(login, net)), t.network.turn(t.name + " network " + net), t.account.turn(t.name + " account " + login),
	})
}

// Forgive forgets earlier failures of somebody who has now signed in.
func (t *Throttle) Forgive(ctx context.Context, login string, addr netip.Addr) error {
	pair := pairKey(login, Network(addr))
	t.pair.Forget(pair)
	if t.ledger == nil {
		return nil
	}
	return t.ledger.Forget(ctx, t.name+" pair "+pair)
}

func pairKey(login, net string) string { return net + " " + login }

// Network returns the part of addr that one subscriber usually has: all of an
// IPv4 address, the first 64 bits of an IPv6 address.
func Network(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if prefix, err := addr.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return addr.String()
}
