package api

import (
	"net/http"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/secret"
)

// mostStreams is far above what one program needs, and keeps one that forgets to
// close what it opened from taking the memory of everybody.
const mostStreams = 100

// crowd counts what is open, by whose it is: a token, or one person's browsers.
type crowd struct {
	most int // of each
	mu   sync.Mutex
	open map[string]int // guarded by mu
}

// enter counts one more stream for who asks; leave is called when it ends.
func (c *crowd) enter(r *http.Request, by people.Actor) (leave func(), err error) {
	whose := "person " + string(by.User)
	if token, ok := auth.Bearer(r); ok {
		whose = "token " + secret.Hash(token)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[whose] >= c.most {
		return nil, fault.TooMany(phrase.T("api.stream.many", c.most), time.Minute)
	}
	if c.open == nil {
		c.open = map[string]int{}
	}
	c.open[whose]++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.open[whose]--; c.open[whose] == 0 {
			delete(c.open, whose)
		}
	}, nil
}
