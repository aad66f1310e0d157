// Package paging is the arithmetic of reaching one person: by which contact
// methods, in which order, after how long, what comes next when a method fails,
// and what is bundled in a storm. It is pure: no clock, no state.
//
// The rules:
//
//   - The first rule of the person's own policy that fits the urgency and the
//     local time when the page is asked for counts, until that page is done. An
//     escalation policy may ask to ignore it.
//   - Without such a rule every usable contact method is used at once.
//   - A rule may wait for a time of day, such as the next working morning at
//     eight: its first step then counts from there.
//   - Contact methods that are off, not proven or gone are passed over, and the
//     chain says so. A step of which nothing remains gives its turn to the step
//     after it, for nobody waits for nothing. When nothing of a rule remains,
//     every usable contact method is used at once.
//   - The last step that remains is repeated every Again, until somebody
//     acknowledges.
//   - When an attempt fails or misses its Deadline, the next later one comes at
//     once; after the last step those usable contact methods that the rule does
//     not name: a preference is no reason to lose a page.
//   - In a storm pages wait for one another (Flow) and none is dropped.
//
// When to stop is for the caller, who knows of the acknowledgement.
package paging

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Attempt is one message to one contact method, if nobody has acknowledged by then.
type Attempt struct {
	Seq     int            // from 1, unique in its chain
	After   time.Duration  // since the page was asked for
	Contact people.Contact // as it was when the chain was made
	Why     string         // one plain sentence
}

// Skipped is a contact method, or a kind of them, that a rule names and that is passed over.
type Skipped struct {
	Step    int        `json:"step"`              // of the rule, from 1; 0: without a rule
	Contact id.Contact `json:"contact,omitempty"` // "" for a kind of which there is none
	Shown   string     `json:"shown"`             // how people call it
	Why     string     `json:"why"`
}

// Chain is everything that will be tried to reach one person for one page.
type Chain struct {
	Rule     string // name of the person's rule; "" when every contact method is used
	Reason   string // why this chain: one plain sentence
	Attempts []Attempt
	Again    time.Duration // the Repeat attempts come again every Again; 0: never
	Repeat   []int         // Seqs of the attempts of the last step; empty when Again is 0
	// Reserve holds the usable contact methods that no attempt uses. They are
	// tried, one after another, when the last step fails. After is meaningless.
	Reserve []Attempt
	Skipped []Skipped
}

// Empty reports whether nobody can be reached by c; Reason says why.
func (c Chain) Empty() bool { return len(c.Attempts) == 0 }

// Plan returns how u is paged when a page of an urgency is asked for at an
// instant; ignoreCustom passes over u's own policy.
func Plan(u people.User, urgency people.Urgency, at time.Time, ignoreCustom bool) Chain {
	if u.Disabled {
		return Chain{Reason: phrase.T("paging.disabled", u.Name)}
	}
	rule, reason := choose(u, urgency, at, ignoreCustom)
	var c Chain
	if rule != nil {
		c = byRule(u, *rule, at)
		if c.Empty() {
			reason = phrase.T("paging.nothing_left", rule.Name)
			all := everything(u)
			all.Skipped = append(c.Skipped, all.Skipped...)
			c = all
		} else {
			c.Rule = rule.Name
		}
	} else {
		c = everything(u)
	}
	c.Reason = reason
	if c.Rule != "" && !rule.Wait.IsZero() {
		c.Reason = phrase.T("paging.waits", reason, Until(rule.Wait, at, u.Location()).In(u.Location()).Format("Mon 2 Jan 15:04"))
	}
	if c.Empty() {
		c.Reason = phrase.T("paging.unreachable", u.Name)
	}
	return c
}

// choose finds the rule that counts, nil for none, and says why.
func choose(u people.User, urgency people.Urgency, at time.Time, ignoreCustom bool) (*people.PagingRule, string) {
	switch {
	case u.Paging == nil || len(u.Paging.Rules) == 0:
		return nil, phrase.T("paging.default")
	case ignoreCustom:
		return nil, phrase.T("paging.ignored")
	}
	local := at.In(u.Location())
	for i, r := range u.Paging.Rules {
		if r.Fits(urgency, local) {
			return &u.Paging.Rules[i], phrase.T("paging.rule", r.Name, phrase.T("paging.urgency."+string(urgency)), local.Format("15:04"), u.Zone)
		}
	}
	return nil, phrase.T("paging.no_rule", phrase.T("paging.urgency."+string(urgency)), local.Format("15:04"), u.Zone)
}

// everything pages every usable contact method at once.
func everything(u people.User) Chain {
	var c Chain
	for _, contact := range u.Contacts {
		if why := unusable(contact); why != "" {
			c.Skipped = append(c.Skipped, Skipped{Contact: contact.ID, Shown: contact.Shown(), Why: why})
			continue
		}
		c.Attempts = append(c.Attempts, Attempt{Seq: len(c.Attempts) + 1, Contact: contact, Why: phrase.T("paging.why.all")})
	}
	return c
}

func byRule(u people.User, r people.PagingRule, at time.Time) Chain {
	var c Chain
	due := Until(r.Wait, at, u.Location()).Sub(at)
	waiting := true // the next step that has somebody waits its own delay
	last := 0       // where the last step that remains begins
	for i, s := range r.Steps {
		if waiting {
			due += s.After.D()
		}
		contacts, skipped := resolve(u, i+1, s)
		c.Skipped = append(c.Skipped, skipped...)
		if waiting = len(contacts) > 0; !waiting {
			continue
		}
		last = len(c.Attempts)
		for _, contact := range contacts {
			c.Attempts = append(c.Attempts, Attempt{
				Seq: len(c.Attempts) + 1, After: due, Contact: contact, Why: phrase.T("paging.why.step", i+1, r.Name),
			})
		}
	}
	if c.Empty() {
		return c
	}
	if c.Again = r.Again.D(); c.Again > 0 {
		for _, a := range c.Attempts[last:] {
			c.Repeat = append(c.Repeat, a.Seq)
		}
	}
	for _, contact := range u.Usable() {
		if !slices.ContainsFunc(c.Attempts, func(a Attempt) bool { return a.Contact.ID == contact.ID }) {
			c.Reserve = append(c.Reserve, Attempt{
				Seq: len(c.Attempts) + len(c.Reserve) + 1, Contact: contact, Why: phrase.T("paging.why.reserve"),
			})
		}
	}
	return c
}

// Until returns when w is over that begins at an instant: the first time, from
// then on, at which the clocks of loc show its time on one of its days; at once
// without w. Where they skip it, that is the instant at which they jump.
func Until(w people.PagingWait, at time.Time, loc *time.Location) time.Time {
	minute, ok := people.Clock(w.At)
	if !ok {
		return at
	}
	local := at.In(loc)
	// Each of the days comes within a week, but for one on which the clocks have
	// passed the time when they are set back, or that a zone leaves out.
	for ahead := range 16 {
		day := time.Date(local.Year(), local.Month(), local.Day()+ahead, 0, minute, 0, 0, time.UTC)
		if len(w.Days) > 0 && !slices.Contains(w.Days, people.DayOf(day.Weekday())) {
			continue
		}
		t := oncall.Instant(day, loc)
		if !t.Before(at) && t.In(loc).Day() == day.Day() {
			return t
		}
	}
	return at
}

// resolve returns the usable contact methods of a step, each once, in the order
// the step names them.
func resolve(u people.User, step int, s people.PagingStep) (usable []people.Contact, skipped []Skipped) {
	seen := map[id.Contact]bool{}
	take := func(c people.Contact) {
		if seen[c.ID] {
			return
		}
		seen[c.ID] = true
		if why := unusable(c); why != "" {
			skipped = append(skipped, Skipped{Step: step, Contact: c.ID, Shown: c.Shown(), Why: why})
			return
		}
		usable = append(usable, c)
	}
	for _, wanted := range s.Contacts {
		i := slices.IndexFunc(u.Contacts, func(c people.Contact) bool { return c.ID == wanted })
		if i < 0 {
			skipped = append(skipped, Skipped{Step: step, Contact: wanted, Shown: phrase.T("paging.former"), Why: phrase.T("paging.skipped.gone")})
			continue
		}
		take(u.Contacts[i])
	}
	for _, method := range s.Methods {
		none := true
		for _, c := range u.Contacts {
			if c.Method == method {
				none = false
				take(c)
			}
		}
		if none {
			skipped = append(skipped, Skipped{Step: step, Shown: method.Words(), Why: phrase.T("paging.skipped.none")})
		}
	}
	return usable, skipped
}

// unusable says why no page goes to c; "" when pages do.
func unusable(c people.Contact) string {
	switch {
	case c.Off:
		return phrase.T("paging.skipped.off")
	case !c.Verified():
		return phrase.T("paging.skipped.unverified")
	}
	return ""
}
