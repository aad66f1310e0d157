package markdown

import (
	"crypto/sha256"
	"sync"
	"time"
)

// What is remembered of colouring, so that a page shows a block that was shown
// before at no cost, and a lexer that is slow once is not slow again.
const (
	maxRemembered = 2 << 20                // bytes of HTML in each of two generations
	tooSlow       = 200 * time.Millisecond // for one token
	restsFor      = 10 * time.Minute       // a lexer that was too slow
)

type block [sha256.Size]byte

func blockOf(language, code string) block {
	h := sha256.New()
	h.Write([]byte(language))
	h.Write([]byte{0})
	h.Write([]byte(code))
	return block(h.Sum(nil))
}

// memory holds coloured blocks: those of the younger generation, and those of
// the one before until the younger is full.
type memory struct {
	mu         sync.Mutex
	young, old map[block]string     // guarded by mu
	size       int                  // of the younger, in bytes; guarded by mu
	resting    map[string]time.Time // until when, by the name of a lexer; guarded by mu
}

var remembered = &memory{young: map[block]string{}, resting: map[string]time.Time{}}

func (m *memory) get(b block) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if out, ok := m.young[b]; ok {
		return out, true
	}
	out, ok := m.old[b]
	if ok {
		m.keep(b, out)
	}
	return out, ok
}

func (m *memory) put(b block, out string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keep(b, out)
}

func (m *memory) keep(b block, out string) {
	if m.size+len(out) > maxRemembered {
		m.young, m.old, m.size = map[block]string{}, m.young, 0
	}
	m.young[b] = out
	m.size += len(out)
}

// rest says that a lexer was too slow.
func (m *memory) rest(name string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.resting[name] = now.Add(restsFor)
}

func (m *memory) rests(name string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	until, ok := m.resting[name]
	if ok && !now.Before(until) {
		delete(m.resting, name)
		ok = false
	}
	return ok
}
