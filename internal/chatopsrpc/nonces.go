package chatopsrpc

import (
	"sync"
	"time"
)

// skew is how far a timestamp may be off, either way.
const skew = 5 * time.Minute

// maxNonces bounds the memory; only who has a key can fill it.
const maxNonces = 100_000

// taken is the answer to a nonce.
type taken int

const (
	fresh taken = iota
	used
	full
)

// nonces remembers what was signed once, for as long as its timestamp could count.
type nonces struct {
	mu    sync.Mutex
	used  map[string]time.Time // until when; guarded by mu
	swept time.Time            // guarded by mu
}

// take remembers a nonce and says whether it is new.
func (n *nonces) take(nonce string, now time.Time) taken {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now.Sub(n.swept) > skew || len(n.used) >= maxNonces {
		for k, until := range n.used {
			if now.After(until) {
				delete(n.used, k)
			}
		}
		n.swept = now
	}
	if until, ok := n.used[nonce]; ok && !now.After(until) {
		return used
	}
	if len(n.used) >= maxNonces {
		return full
	}
	n.used[nonce] = now.Add(2 * skew) // a timestamp may be as far ahead as behind
	return fresh
}
