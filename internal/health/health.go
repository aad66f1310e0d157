// Package health says what the server will do next and what is wrong, from what
// is in the database: so the answer is the same for "watchroom check",
// for /readyz and on every node, and also while no server runs.
//
// Something is late when it has been due for more than Late: a timer, a
// delivery that nobody holds, an entry that a follower has not looked at. A
// running server needs a second or two for any of them, so late means that no
// server runs, or that one is stuck. The clock is wrong when the newest entry
// is more than ClockSlack ahead of it. A message that has been tried in vain for
// more than Late is told too: the mail server is wrong, not this one. What a rota
// will lack (gaps, people who are away or in two places) is looked for until
// Ahead from now.
//
// One thing is not in the database: that this process could not write to it and
// nothing has worked since (store.Outage). "watchroom check" tries before it asks.
//
// A Report is Ready while the machinery works, and OK while nothing at all is
// wrong; a rota with a gap is a reason to tell somebody, none to take a node
// out of service, and neither is an index of words that is being filled anew.
// Nothing is changed here.
package health

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/outbox"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/search"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// The thresholds.
const (
	Late       = time.Minute
	ClockSlack = time.Minute
	Ahead      = 14 * 24 * time.Hour
)

// shown is how many timers and deliveries a report lists; counted how many are
// looked at to count what is late.
const (
	shown   = 20
	counted = 1000
)

// Area says what a finding is about.
type Area string

// The areas.
const (
	Machine      Area = "machine"      // the server cannot do its work
	Organisation Area = "organisation" // somebody has to set something right
	Files        Area = "files"        // what people uploaded is not where it should be
	Search       Area = "search"       // the newest entries are not found by their words yet
)

// Finding is one thing that is wrong.
type Finding struct {
	Area   Area   `json:"area"`
	Object string `json:"object"` // what it is about, for people
	Text   string `json:"text"`   // a sentence
}

// Timer is something the server will do.
type Timer struct {
	DueAt    time.Time          `json:"due_at"`
	Kind     incident.TimerKind `json:"kind"`
	Incident id.Incident        `json:"incident"`
}

// Delivery is a message that waits to be sent.
type Delivery struct {
	DueAt    time.Time          `json:"due_at"` // the end of a claim when somebody is at it
	Kind     store.DeliveryKind `json:"kind"`
	Incident id.Incident        `json:"incident,omitempty"`
	Person   string             `json:"person"`  // or the address or webhook that a step tells
	Attempt  int                `json:"attempt"` // tries so far
}

// Lag is how far a follower of the timeline has come.
type Lag struct {
	Follower string        `json:"follower"`
	Seq      id.Seq        `json:"seq"`
	Behind   bool          `json:"behind"`   // something waits for it
	For      time.Duration `json:"for_ns"`   // how long that has been waiting
	Entries  id.Seq        `json:"distance"` // entries since, whether they concern it or not
}

// Report is what Check found.
type Report struct {
	OK    bool      `json:"ok"`    // nothing is wrong
	Ready bool      `json:"ready"` // nothing is wrong with the machinery
	At    time.Time `json:"at"`

	Findings          []Finding    `json:"findings"`
	Notes             []Finding    `json:"notes"` // what may be meant, and is worth a look: it is nothing wrong
	NextTimers        []Timer      `json:"next_timers"`
	WaitingDeliveries []Delivery   `json:"waiting_deliveries"`
	Lag               []Lag        `json:"lag"`
	Open              store.Counts `json:"open_incidents"`
	Kept              Kept         `json:"kept"`
	Audit             *Audit       `json:"audit,omitempty"` // nil: nobody asked, see FollowAudit

	Store  string `json:"store"`
	Schema int64  `json:"schema"`
	Seq    id.Seq `json:"seq"`
	Org    int64  `json:"org_revision"`
}

// followers are the cursors, and the kinds of entry each waits for (none: any).
var followers = []struct {
	cursor string
	area   Area
	kinds  []timeline.Kind
}{
	{outbox.Cursor, Machine, outbox.Kinds()},
	{search.Cursor, Search, nil},
}

// Check looks at everything once. The error says that the database could not be
// read, which is a finding of its own for whoever asks.
func Check(ctx context.Context, s *store.Store, now time.Time) (Report, error) {
	c := &check{s: s, now: now, r: Report{At: now, Store: s.Engine(), Findings: []Finding{}, Notes: []Finding{}}}
	for _, look := range []func(context.Context) error{c.schema, c.head, c.timers, c.deliveries, c.lag, c.organisation, c.kept, c.writing} {
		if err := look(ctx); err != nil {
			return Report{}, fmt.Errorf("check: %w", err)
		}
	}
	c.r.OK = len(c.r.Findings) == 0
	c.r.Ready = !slices.ContainsFunc(c.r.Findings, func(f Finding) bool { return f.Area == Machine })
	return c.r, nil
}

// Machinery is Check without the organisation, for those who look often: its
// Findings are of the areas Machine and Search alone.
func Machinery(ctx context.Context, s *store.Store, now time.Time) (Report, error) {
	c := &check{s: s, now: now, r: Report{At: now, Store: s.Engine(), Findings: []Finding{}, Notes: []Finding{}}}
	for _, look := range []func(context.Context) error{c.schema, c.head, c.timers, c.deliveries, c.lag, c.writing} {
		if err := look(ctx); err != nil {
			return Report{}, fmt.Errorf("check: %w", err)
		}
	}
	c.r.Findings = slices.DeleteFunc(c.r.Findings, func(f Finding) bool { return f.Area == Organisation })
	c.r.OK = len(c.r.Findings) == 0
	c.r.Ready = !slices.ContainsFunc(c.r.Findings, func(f Finding) bool { return f.Area == Machine })
	return c.r, nil
}

type check struct {
	s       *store.Store
	now     time.Time
	org     *org.Org
	cursors map[string]id.Seq
	r       Report
}

func (c *check) say(area Area, object, key string, args ...any) {
	c.r.Findings = append(c.r.Findings, Finding{area, object, phrase.T(key, args...)})
}

// late returns for how long something has been late; 0 when it is not.
func (c *check) late(due time.Time) time.Duration {
	if by := c.now.Sub(due); by > Late {
		return by.Truncate(time.Second)
	}
	return 0
}

func (c *check) schema(ctx context.Context) error {
	applied, newest, err := c.s.Version(ctx)
	if err != nil {
		return err
	}
	c.r.Schema = applied
	switch {
	case applied < newest:
		c.say(Machine, phrase.T("cli.health.schema"), "cli.health.schema_old", applied, newest)
	case applied > newest:
		c.say(Machine, phrase.T("cli.health.schema"), "cli.health.schema_new", applied, newest)
	}
	return nil
}

func (c *check) head(ctx context.Context) error {
	h, err := c.s.Head(ctx)
	if err != nil {
		return err
	}
	c.r.Seq, c.r.Org = h.Seq, h.Org
	if ahead := h.At.Sub(c.now); ahead > ClockSlack {
		c.say(Machine, phrase.T("cli.health.clock"), "cli.health.clock_back", ahead.Truncate(time.Second))
	}
	if c.org, err = c.s.Org(ctx); err != nil {
		return err
	}
	if c.cursors, err = c.s.Cursors(ctx); err != nil {
		return err
	}
	c.r.Open, err = c.s.Counts(ctx)
	return err
}

func (c *check) timers(ctx context.Context) error {
	all, err := c.s.Timers(ctx, counted)
	if err != nil {
		return err
	}
	late := 0
	c.r.NextTimers = []Timer{}
	for i, t := range all {
		if c.late(t.DueAt) > 0 {
			late++
		}
		if i < shown {
			c.r.NextTimers = append(c.r.NextTimers, Timer{t.DueAt, t.Kind, t.Incident})
		}
	}
	if late > 0 {
		c.r.Findings = append(c.r.Findings, Finding{Machine, phrase.T("cli.health.timers"), phrase.N("cli.health.timers_late", late, c.late(all[0].DueAt))})
	}
	return nil
}

func (c *check) deliveries(ctx context.Context) error {
	all, err := c.s.Waiting(ctx, counted)
	if err != nil {
		return err
	}
	late, longest := 0, time.Duration(0)
	refused, first := 0, store.Delivery{} // tried in vain, for so long that somebody should look
	c.r.WaitingDeliveries = []Delivery{}
	for i, d := range all {
		due := d.DueAt
		if d.ClaimedUntil.After(due) {
			due = d.ClaimedUntil
		}
		if by := c.late(due); by > 0 {
			late++
			longest = max(longest, by)
		} else if d.Body.Detail != "" && c.late(d.CreatedAt) > 0 {
			if refused++; refused == 1 || d.CreatedAt.Before(first.CreatedAt) {
				first = d
			}
		}
		if i < shown {
			to := c.org.UserName(d.Person)
			if d.Kind == store.ToldPage {
				to = d.Body.Address
			}
			c.r.WaitingDeliveries = append(c.r.WaitingDeliveries, Delivery{due, d.Kind, d.Incident, to, d.Attempt})
		}
	}
	if late > 0 {
		c.r.Findings = append(c.r.Findings, Finding{Machine, phrase.T("cli.health.deliveries"), phrase.N("cli.health.deliveries_late", late, longest)})
	}
	if refused > 0 {
		text := phrase.N("cli.health.deliveries_refused", refused, c.late(first.CreatedAt), first.Body.Detail)
		c.r.Findings = append(c.r.Findings, Finding{Organisation, phrase.T("cli.health.deliveries"), text})
	}
	return nil
}

func (c *check) lag(ctx context.Context) error {
	for _, f := range followers {
		at := c.cursors[f.cursor]
		l := Lag{Follower: f.cursor, Seq: at, Entries: max(0, c.r.Seq-at)}
		var err error
		if l.Behind, err = c.s.Behind(ctx, f.cursor, f.kinds...); err != nil {
			return err
		}
		if l.Behind {
			// A follower that never ran has no place to look after; the newest
			// entry is then good enough.
			waiting, err := c.s.Entries(ctx, store.EntryFilter{AllRooms: true, After: at, Kinds: f.kinds, Limit: 1})
			if err != nil {
				return err
			}
			if len(waiting) > 0 {
				l.For = max(0, c.now.Sub(waiting[0].At))
			}
			if by := l.For; by > Late {
				c.say(f.area, phrase.T("cli.health.follower", f.cursor), "cli.health.lag", by.Truncate(time.Second))
			}
		}
		c.r.Lag = append(c.r.Lag, l)
	}
	return nil
}
