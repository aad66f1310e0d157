package web

import (
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// linger is for how long somebody is still there after their last stream has
// ended: going from page to page is not leaving.
const linger = 30 * time.Second

// presence knows who has the timeline open on this node. Where there are
// several, each shows its own: somebody without the mark may well be there.
type presence struct {
	mu   sync.Mutex
	open map[id.User]int       // streams; guarded by mu
	left map[id.User]time.Time // when the last one ended; guarded by mu
}

// arrive counts a stream; the caller calls what it returns when the stream ends.
func (p *presence) arrive(u id.User) (leave func(now time.Time)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		p.open, p.left = map[id.User]int{}, map[id.User]time.Time{}
	}
	p.open[u]++
	return func(now time.Time) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.open[u]--
		if p.open[u] == 0 {
			delete(p.open, u)
			p.left[u] = now
		}
	}
}

// online is who is there.
func (p *presence) online(now time.Time) map[id.User]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	there := make(map[id.User]bool, len(p.open))
	for u := range p.open {
		there[u] = true
	}
	for u, at := range p.left {
		if now.Sub(at) < linger {
			there[u] = true
		} else {
			delete(p.left, u)
		}
	}
	return there
}
