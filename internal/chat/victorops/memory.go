package victorops

import "sync"

// remembered is how many transactions of a robot are known again.
const remembered = 512

// memory knows the latest texts it was shown.
type memory struct {
	mu    sync.Mutex
	known map[string]bool // guarded by mu
	ring  []string        // guarded by mu
	next  int             // guarded by mu
}

func newMemory(size int) *memory {
	return &memory{known: make(map[string]bool, size), ring: make([]string, size)}
}

// has reports whether text was added lately.
func (m *memory) has(text string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known[text]
}

func (m *memory) add(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known[text] {
		return
	}
	delete(m.known, m.ring[m.next])
	m.ring[m.next], m.known[text] = text, true
	m.next = (m.next + 1) % len(m.ring)
}
