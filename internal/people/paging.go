package people

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Urgency is how much a page may disturb. Stable in storage.
type Urgency string

// The urgencies.
const (
	High Urgency = "high" // a critical incident: wake up
	Low  Urgency = "low"  // a warning: look at it when you can
)

// PagingPolicy is how one person wants to be paged: the first rule that fits
// the urgency and the time of day counts. When none fits, every usable contact
// method is used at once. The arithmetic is in package paging.
type PagingPolicy struct {
	Rules []PagingRule `json:"rules"`
}

// PagingRule is an order of steps for some pages.
type PagingRule struct {
	Name    string         `json:"name"`
	Urgency Urgency        `json:"urgency,omitempty"` // "": both
	When    []PagingWindow `json:"when,omitempty"`    // any of them; none: always
	Steps   []PagingStep   `json:"steps"`
	// Again is after how long the last step is repeated, and again, until
	// somebody acknowledges; 0: it is not.
	Again Duration `json:"again,omitempty"`
	// Wait is a time of day that the first step waits for: "low urgency waits
	// for the morning". The escalation policy does not wait with it.
	Wait PagingWait `json:"wait_until,omitzero"`
}

// PagingWait is the next local time such as 08:00 in the person's own zone, on
// one of some days. Where the clocks skip it, it is when they jump; where they
// show it twice, the first time.
type PagingWait struct {
	At   string `json:"at"`
	Days []Day  `json:"days,omitempty"` // none: every day
}

// IsZero reports whether nothing is waited for.
func (w PagingWait) IsZero() bool { return w.At == "" && len(w.Days) == 0 }

// Validate returns a sentence about what is wrong with w.
func (w PagingWait) Validate() error {
	if _, ok := Clock(w.At); !ok {
		return fmt.Errorf("%q is not a time such as 08:00", w.At)
	}
	return validDays(w.Days)
}

// PagingWindow is a time of the week in the person's own zone, by what a clock
// on the wall shows. Where clocks are set back, both passes of the doubled hour
// count; the hour that is left out in spring never comes.
type PagingWindow struct {
	Days []Day `json:"days,omitempty"` // none: every day
	// From and To are local times such as "22:00", To exclusive. Both empty:
	// the whole day. A To before From is on the next day, and the window
	// belongs to the day it begins on.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// PagingStep is what happens together.
type PagingStep struct {
	After    Duration     `json:"after"`              // since the step before; the first: since the page was asked for
	Contacts []id.Contact `json:"contacts,omitempty"` // these contact methods
	Methods  []Method     `json:"methods,omitempty"`  // every contact of these kinds
}

// Day is a day of the week: "mon" to "sun".
type Day string

// Days lists the days in the order of time.Weekday.
var Days = []Day{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// DayOf is the Day of a weekday.
func DayOf(d time.Weekday) Day { return Days[d] }

// Limits of a paging policy.
const (
	MaxPagingRules   = 20
	MaxPagingWindows = 20
	MaxPagingSteps   = 10
	MaxPagingAfter   = 4 * time.Hour // between two steps
	MinPagingAgain   = time.Minute
	MaxPagingAgain   = 24 * time.Hour
)

// Validate returns a sentence about the first thing that is wrong with p.
// Whether a contact is still there is not asked: one that was taken away is
// passed over when its turn comes, and says so.
func (p PagingPolicy) Validate() error {
	if len(p.Rules) > MaxPagingRules {
		return fmt.Errorf("%d rules are more than %d", len(p.Rules), MaxPagingRules)
	}
	for i, r := range p.Rules {
		if err := r.validate(); err != nil {
			return fmt.Errorf("rule %d: %w", i+1, err)
		}
		if slices.ContainsFunc(p.Rules[:i], func(o PagingRule) bool { return o.Name == r.Name }) {
			return fmt.Errorf("rule %d: the name %q is there twice", i+1, r.Name)
		}
	}
	return nil
}

func (r PagingRule) validate() error {
	switch {
	case strings.TrimSpace(r.Name) == "" || len(r.Name) > 200:
		return fmt.Errorf("name: give 1 to 200 characters")
	case r.Urgency != "" && r.Urgency != High && r.Urgency != Low:
		return fmt.Errorf("urgency %q: use high or low, or leave it out for both", r.Urgency)
	case len(r.When) > MaxPagingWindows:
		return fmt.Errorf("%d times of day are more than %d", len(r.When), MaxPagingWindows)
	case len(r.Steps) == 0:
		return fmt.Errorf("it has no steps")
	case len(r.Steps) > MaxPagingSteps:
		return fmt.Errorf("%d steps are more than %d", len(r.Steps), MaxPagingSteps)
	case r.Again != 0 && (r.Again.D() < MinPagingAgain || r.Again.D() > MaxPagingAgain):
		return fmt.Errorf("again every %s is not between %s and %s", r.Again, Duration(MinPagingAgain), Duration(MaxPagingAgain))
	case r.Again.D()%time.Second != 0:
		return fmt.Errorf("again every %s is finer than a second", r.Again)
	case !r.Wait.IsZero() && r.Urgency != Low:
		return fmt.Errorf("wait_until is for rules of low urgency: what is urgent does not wait")
	}
	if !r.Wait.IsZero() {
		if err := r.Wait.Validate(); err != nil {
			return fmt.Errorf("wait_until: %w", err)
		}
	}
	for i, w := range r.When {
		if err := w.Validate(); err != nil {
			return fmt.Errorf("time of day %d: %w", i+1, err)
		}
	}
	for i, s := range r.Steps {
		if err := s.validate(); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

// Validate returns a sentence about what is wrong with w.
func (w PagingWindow) Validate() error {
	if err := validDays(w.Days); err != nil {
		return err
	}
	if w.From == "" && w.To == "" {
		return nil
	}
	for _, s := range []string{w.From, w.To} {
		if _, ok := Clock(s); !ok {
			return fmt.Errorf("%q is not a time such as 09:00", s)
		}
	}
	if w.From == w.To {
		return fmt.Errorf("from %s to %s is no time at all; leave both out for the whole day", w.From, w.To)
	}
	return nil
}

func validDays(days []Day) error {
	for i, d := range days {
		if !slices.Contains(Days, d) {
			return fmt.Errorf("day %q: use mon, tue, wed, thu, fri, sat or sun", d)
		}
		if slices.Contains(days[:i], d) {
			return fmt.Errorf("day %s is there twice", d)
		}
	}
	return nil
}

func (s PagingStep) validate() error {
	switch {
	case s.After < 0 || s.After.D() > MaxPagingAfter:
		return fmt.Errorf("delay %s is not between 0 and %s", s.After, Duration(MaxPagingAfter))
	case s.After.D()%time.Second != 0:
		return fmt.Errorf("delay %s is finer than a second", s.After)
	case len(s.Contacts) == 0 && len(s.Methods) == 0:
		return fmt.Errorf("it names no contact method")
	case len(s.Contacts) > MaxContacts:
		return fmt.Errorf("%d contact methods are more than %d", len(s.Contacts), MaxContacts)
	}
	for i, c := range s.Contacts {
		if !contactID.MatchString(string(c)) || slices.Contains(s.Contacts[:i], c) {
			return fmt.Errorf("contact method %q is there twice or is no id", c)
		}
	}
	for i, m := range s.Methods {
		if !slices.Contains(Methods, m) || slices.Contains(s.Methods[:i], m) {
			return fmt.Errorf("method %q is there twice or is not known; use %s", m, list(Methods))
		}
	}
	return nil
}

// Clock reads a local time such as "09:00" as the minute of the day.
func Clock(s string) (minute int, ok bool) {
	if len(s) != len("15:04") {
		return 0, false
	}
	t, err := time.Parse("15:04", s)
	return t.Hour()*60 + t.Minute(), err == nil
}

// Contains reports whether w covers the instant, as a clock on the wall in its
// zone shows it.
func (w PagingWindow) Contains(local time.Time) bool {
	from, to := 0, 24*60
	if w.From != "" || w.To != "" {
		from, _ = Clock(w.From)
		to, _ = Clock(w.To)
	}
	minute := local.Hour()*60 + local.Minute()
	if from < to {
		return w.on(local.Weekday()) && from <= minute && minute < to
	}
	if minute >= from {
		return w.on(local.Weekday())
	}
	return minute < to && w.on((local.Weekday()+6)%7) // it began the evening before
}

func (w PagingWindow) on(d time.Weekday) bool {
	return len(w.Days) == 0 || slices.Contains(w.Days, DayOf(d))
}

// Fits reports whether r is for pages of an urgency at an instant, given in the
// person's zone.
func (r PagingRule) Fits(urgency Urgency, local time.Time) bool {
	if r.Urgency != "" && r.Urgency != urgency {
		return false
	}
	return len(r.When) == 0 || slices.ContainsFunc(r.When, func(w PagingWindow) bool { return w.Contains(local) })
}
