package view

import (
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/story"
)

// Retention is for how long what is written down is kept.
type Retention struct {
	Page    Page
	Classes []RetentionClass
	Errors  map[string]string
	RanAt   time.Time // the last look; zero: none yet
	Last    []story.Part
	LastAt  time.Time // when something was removed last; zero: never
	Asked   bool      // the person wants to know what these days would remove
	Sure    string    // what is sent to confirm these days, which would remove something; "": they need no second word
	Would   []RetentionCount
	AtLeast bool // there is more than was counted
}

// RetentionClass is one class with the days it is kept.
type RetentionClass struct {
	Name   string // see org.Retention
	Days   string // as typed; empty: for ever
	Oldest time.Time
}

// RetentionCount is how much of something would go.
type RetentionCount struct {
	What  string // a count of store.Removed
	N     int64
	Bytes int64 // of files
}

func rt(key string, args ...any) string { return phrase.T("retention."+key, args...) }

func (c RetentionCount) text() string {
	if c.What == "files" {
		return phrase.N("retention.would.files", int(c.N), size(c.Bytes))
	}
	return phrase.N("retention.would."+c.What, int(c.N))
}

// Days is a number of days as a field shows it: nothing for ever.
func Days(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func retentionWouldTitle(r Retention) string {
	if r.Sure != "" {
		return rt("would.saved")
	}
	return rt("would.now")
}
