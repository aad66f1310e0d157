package bot

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/program"
)

// Suggester is a program that can say which values an argument of its may have.
type Suggester interface {
	CompleteArg(ctx context.Context, arg, prefix string, r program.Request) ([]command.Candidate, error)
}

// Asking programs while somebody types: few at once, and not the same again soon.
const (
	askAtOnce  = 2
	answerGood = 10 * time.Second
	maxAnswers = 200
)

// values remembers what programs answered.
type values struct {
	room chan struct{}

	mu   sync.Mutex
	kept map[string]answered // guarded by mu
}

type answered struct {
	all  []command.Candidate
	till time.Time
}

func newValues() *values {
	return &values{room: make(chan struct{}, askAtOnce), kept: map[string]answered{}}
}

// of asks a program, or knows. When as many are asked as may be, nothing is
// suggested: the next key asks again.
func (v *values) of(ctx context.Context, p Suggester, d command.Declaration, arg, prefix string, r program.Request) ([]command.Candidate, error) {
	key := strings.Join([]string{d.ID, d.Version, arg, prefix, r.Username, string(r.Room)}, "\x00")
	now := time.Now()
	if all, ok := v.known(key, now); ok {
		return all, nil
	}
	select {
	case v.room <- struct{}{}:
		defer func() { <-v.room }()
	default:
		return nil, nil
	}
	all, err := p.CompleteArg(ctx, arg, prefix, r)
	if err != nil && ctx.Err() != nil {
		return nil, nil // who typed has typed on
	}
	v.keep(key, answered{all, now.Add(answerGood)}, now) // a failure, too: it would only be slow again
	return all, err
}

func (v *values) known(key string, now time.Time) ([]command.Candidate, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	a, ok := v.kept[key]
	return a.all, ok && now.Before(a.till)
}

func (v *values) keep(key string, a answered, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for k, old := range v.kept {
		if !now.Before(old.till) || len(v.kept) >= maxAnswers {
			delete(v.kept, k)
		}
	}
	v.kept[key] = a
}
