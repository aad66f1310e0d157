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

// Shared is a Limiter of which all nodes together give no more turns than one
// does. What this node refuses by itself the ledger is not asked about.
type Shared struct {
	limiter *Limiter
	name    string
	ledger  Ledger
}

// NewShared returns a limiter that ledger counts for under name; with none (nil)
// there is no other node.
func NewShared(name string, ledger Ledger, every time.Duration, burst int) Shared {
	return Shared{NewLimiter(every, burst, sharedKeys), name, ledger}
}

// sharedKeys bounds the memory of each limiter to a few megabytes.
const sharedKeys = 10_000

// Take takes one turn for key. When there is none it takes nothing and returns
// how long to wait for the next.
func (s Shared) Take(ctx context.Context, key string, now time.Time) (wait time.Duration, ok bool, err error) {
	return takeAll(ctx, s.ledger, now, s.turn(key))
}

// Forget gives key all its turns back.
func (s Shared) Forget(ctx context.Context, key string) error {
	s.limiter.Forget(key)
	if s.ledger == nil {
		return nil
	}
	return s.ledger.Forget(ctx, s.inLedger(key))
}

// inLedger tells keys of different names apart, whatever somebody types as one.
func (s Shared) inLedger(key string) string { return s.name + "\n" + key }

func (s Shared) turn(key string) turn { return turn{s, key} }

// turn is what an attempt takes of one of several limiters.
type turn struct {
	of  Shared
	key string
}

// takeAll takes turns in their order: what the first refuses must not use up
// those that others share.
func takeAll(ctx context.Context, ledger Ledger, now time.Time, turns ...turn) (wait time.Duration, ok bool, err error) {
	booked := make([]Turn, len(turns))
	for i, t := range turns {
		if wait, ok := t.of.limiter.Take(t.key, now); !ok {
			return wait, false, nil
		}
		booked[i] = Turn{t.of.inLedger(t.key), t.of.limiter.every, t.of.limiter.burst}
	}
	if ledger == nil {
		return 0, true, nil
	}
	return ledger.Take(ctx, booked)
}

// Throttle is the brake on guessing. Every attempt takes a turn in three
// limiters; a success gives the first one back.
//
//	account from one network   5 at once, then one in 30 s: somebody guesses for one account
//	one network               60 at once, then one in 2 s:  somebody tries many accounts
//	account from everywhere: many machines guess for one account
//	  a password             100 at once, then one in 10 s
//	  a code                  20 at once, then one in 5 min
//
// That of passwords is wide on purpose: a tight one would let anybody lock the
// person on call out by failing in their name. Those who know their password from
// a quiet network are stopped only while such an attack goes on. A code is tried
// by nobody but who knows the password, and has far fewer values.
type Throttle struct{ pair, network, account Shared }

// NewThrottle returns the brake on passwords, with nothing remembered.
func NewThrottle(ledger Ledger) *Throttle { return newThrottle("sign in", ledger, 10*time.Second, 100) }

// NewCodeThrottle returns the brake on codes of second factors.
func NewCodeThrottle(ledger Ledger) *Throttle { return newThrottle("code", ledger, 5*time.Minute, 20) }

func newThrottle(name string, ledger Ledger, every time.Duration, burst int) *Throttle {
	return &Throttle{
		pair:    NewShared(name+" pair", ledger, 30*time.Second, 5),
		network: NewShared(name+" network", ledger, 2*time.Second, 60),
		account: NewShared(name+" account", ledger, every, burst),
	}
}

// Take counts one attempt for the account login from addr, before what was typed
// is looked at. When it may not happen, wait says when the next may.
func (t *Throttle) Take(ctx context.Context, login string, addr netip.Addr, now time.Time) (wait time.Duration, ok bool, err error) {
	return takeAll(ctx, t.pair.ledger, now,
		t.pair.turn(pairKey(login, addr)), t.network.turn(Network(addr).String()), t.account.turn(login))
}

// Forgive forgets earlier failures of somebody who has now signed in.
func (t *Throttle) Forgive(ctx context.Context, login string, addr netip.Addr) error {
	return t.pair.Forget(ctx, pairKey(login, addr))
}

func pairKey(login string, addr netip.Addr) string { return Network(addr).String() + " " + login }

// Network returns the part of addr that one subscriber usually has: all of an
// IPv4 address, the first 64 bits of an IPv6 address.
func Network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap()
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(addr, bits).Masked()
}
