// Package search knows which words an entry is found by, and keeps the search
// index behind the timeline. The index is a follower with a cursor of its own:
// accepting alerts does not pay for it, and it can be made anew at any time.
package search

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/story"
	"github.com/watchroom/watchroom/internal/timeline"
)

// maxWords bounds what one entry adds to the index.
const maxWords = 400

// Of returns the words an entry is found by, each once, sorted: its sentence,
// and what its details say.
func Of(e timeline.Entry) []string {
	var b strings.Builder
	b.WriteString(story.Sentence(e, story.Names{}))
	add := func(more ...string) {
		for _, s := range more {
			b.WriteByte(' ')
			b.WriteString(s)
		}
	}
	if e.Incident != 0 {
		add(strconv.FormatInt(int64(e.Incident), 10))
	}
	add(e.Actor.Name)
	switch p := e.Payload.(type) {
	case timeline.AlertBody:
		add(p.Title, p.EntityID, p.Message, p.Tool, p.RoutingKey, p.Type)
	case timeline.Triggered:
		add(p.Title, p.EntityID, p.Message, p.Tool, p.Host, p.RoutingKey, p.Severity)
	case timeline.Updated:
		add(p.Title, p.Message)
	case timeline.Retriggered:
		add(p.Title, p.Message)
	case timeline.Noted:
		add(p.Text)
	case timeline.Message:
		add(p.Text)
		for _, f := range p.Files {
			add(f.Name)
		}
	case timeline.Link:
		add(p.Author, p.Text)
	case timeline.RoomChange:
		add(p.Name, p.Topic)
	case timeline.RoomMade:
		add(p.Name)
	case timeline.Asked:
		add(p.Line, p.Short)
	case timeline.Finished:
		add(p.Line, p.State)
	case timeline.Lock:
		add(p.Name, p.Reason)
	case timeline.PageLost:
		add(p.Address, p.Detail)
	case timeline.PageReply:
		add(p.Text)
	case timeline.MovedOn:
		add(p.Why)
	case timeline.Taken:
		add(p.RotationName, p.Note)
	case timeline.Overridden:
		add(p.RotationName, p.Note)
	case timeline.Swap:
		add(p.RotationName, p.Note)
	case timeline.Absence:
		add(p.Note)
	case timeline.Uncovered:
		add(p.Object, p.Text)
	case timeline.Maintenance:
		add(p.Name, p.Scope)
	}
	words := store.Words(b.String())
	slices.Sort(words)
	words = slices.Compact(words)
	return words[:min(len(words), maxWords)]
}

// Match reports whether every one of words begins a word of e, as the index would have it.
func Match(words []string, e timeline.Entry) bool {
	if len(words) == 0 {
		return true
	}
	have := Of(e)
	for _, w := range words {
		i, _ := slices.BinarySearch(have, w)
		if i == len(have) || !strings.HasPrefix(have[i], w) {
			return false
		}
	}
	return true
}

// Cursor is the follower's name among the cursors.
const Cursor = "search"

// atOnce bounds one transaction, and with it how long an alert may wait behind it.
const atOnce = 200

// giveWay is for how long the index waits while alerts come in without a pause;
// then it goes on beside them until it has everything.
const (
	giveWay = 5 * time.Second
	looking = 20 * time.Millisecond // how often it looks whether they still do
)

// Follower indexes new entries.
type Follower struct {
	store    *store.Store
	log      *slog.Logger
	interval time.Duration
	pause    time.Duration
	waited   time.Duration // since everything was indexed
}

// New returns a Follower that looks at least every interval and leaves the
// writer alone for pause before each transaction.
func New(s *store.Store, log *slog.Logger, interval, pause time.Duration) *Follower {
	return &Follower{store: s, log: log, interval: interval, pause: pause}
}

// Run indexes until ctx ends.
func (f *Follower) Run(ctx context.Context) error {
	wake, stop := f.store.Wake(store.Entries)
	defer stop()
	for {
		f.letIn(ctx)
		more, err := f.runOnce(ctx)
		if err != nil && ctx.Err() == nil {
			f.log.ErrorContext(ctx, "index timeline", "err", err)
		}
		if !more || err != nil {
			f.waited = 0
			select {
			case <-ctx.Done():
				return nil
			case <-wake:
			case <-time.After(f.interval):
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(f.pause):
		}
	}
}

// letIn waits while alerts come in, for giveWay at most until everything was indexed.
func (f *Follower) letIn(ctx context.Context) {
	for f.waited < giveWay && f.store.Taking() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(looking):
			f.waited += looking
		}
	}
}

func (f *Follower) runOnce(ctx context.Context) (more bool, err error) {
	defer fault.Recover(&err)
	behind, err := f.store.Behind(ctx, Cursor)
	if err != nil || !behind {
		return false, err
	}
	return f.store.IndexNext(ctx, Cursor, atOnce, func(e timeline.Entry) string { return strings.Join(Of(e), " ") })
}
