package web

import (
	"slices"
	"sync"

	"github.com/watchroom/watchroom/internal/id"
)

// maxStreams is how many open pages one session has on a node. Nobody reads
// more; the oldest gives way.
const maxStreams = 20

// openStreams are the open streams of pages by session, the oldest in front.
type openStreams struct {
	mu   sync.Mutex
	open map[id.Session][]*func() // guarded by mu
}

// join adds a stream that end ends; leave is called when it has ended.
func (c *openStreams) join(of id.Session, end func()) (leave func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		c.open = map[id.Session][]*func(){}
	}
	if all := c.open[of]; len(all) >= maxStreams {
		(*all[0])()
		c.open[of] = slices.Delete(all, 0, 1)
	}
	c.open[of] = append(c.open[of], &end)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.open[of] = slices.DeleteFunc(c.open[of], func(e *func()) bool { return e == &end }); len(c.open[of]) == 0 {
			delete(c.open, of)
		}
	}
}
