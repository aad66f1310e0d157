package explain

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/story"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Fate is what became of one message to the person about the incident.
type Fate struct {
	Entry   id.Seq // the entry that asked for it
	Method  people.Method
	Address string // as whoever reads may see it: people.Contact.Shown
	State   string // "pending", "sent", "delivered", "seen", "failed", "cancelled"
	DueAt   time.Time
	DoneAt  time.Time // when it reached State; zero while pending
	Detail  string    // the provider's words, or ours
}

// LineKind says what a line is, so that a page can set it apart.
type LineKind string

// The kinds of lines.
const (
	Verdict LineKind = "verdict" // the first: paged or not, and why
	Happen  LineKind = "happened"
	Page    LineKind = "page"    // the person was to be paged
	Passed  LineKind = "passed"  // others were, this person not
	Message LineKind = "message" // what became of one message
)

// Line is one line of an explanation.
type Line struct {
	Kind LineKind  `json:"kind"`
	At   time.Time `json:"at,omitzero"` // UTC; zero in a Verdict
	Text string    `json:"text"`
}

// Story explains one incident to one person: the first line is the verdict, the
// others follow the record. entries are the incident's, in order; fates are the
// person's messages about it, in any order. Without fates (a record that was
// cleaned up) the entries about the person's pages take their place.
func Story(entries []timeline.Entry, fates []Fate, user people.User) []Line {
	t := &teller{user: user, fates: slices.Clone(fates), names: story.Names{Zone: user.Location()}}
	slices.SortStableFunc(t.fates, func(a, b Fate) int { return cmp.Or(a.DueAt.Compare(b.DueAt), a.DoneAt.Compare(b.DoneAt)) })
	for _, e := range entries {
		t.tell(e)
	}
	return append([]Line{{Kind: Verdict, Text: t.verdict()}}, t.lines...)
}

// teller goes through the entries once.
type teller struct {
	user  people.User
	fates []Fate
	names story.Names
	lines []Line

	asked       int    // how often this person was to be paged
	others      int    // how often others were and this person was not
	unreachable bool   // the person's turn came and nothing could reach them
	over        string // the sentence of what stopped the paging; "" while it runs
	overFirst   bool   // it was stopped before anybody was paged
	resolved    bool   // what stopped it is the end of the incident
	exhausted   bool
	waits       string   // the sentence of what the policy waits for
	recorded    tally    // what entries say of the person's messages
	byHand      []id.Seq // entries with which a colleague asked for the person
}

func (t *teller) say(kind LineKind, at time.Time, text string) {
	t.lines = append(t.lines, Line{Kind: kind, At: at, Text: text})
}

func (t *teller) tell(e timeline.Entry) {
	sentence := func() string { return story.Sentence(e, t.names) }
	happened := func() { t.say(Happen, e.At, sentence()) }
	switch p := e.Payload.(type) {
	case timeline.Step:
		t.waits = ""
		t.step(e, p)
	case timeline.Responder:
		if i := slices.Index(p.Users, t.user.ID); i >= 0 {
			t.asked++
			t.byHand = append(t.byHand, e.Seq)
			t.say(Page, e.At, sentence())
			t.messages(e.Seq)
		}
	case timeline.Skipped:
		t.turnLost(p.Why)
		happened()
	case timeline.Told:
		t.turnLost(p.Why)
	case timeline.Acknowledged, timeline.Resolved, timeline.Snoozed:
		t.over, t.overFirst, t.waits = sentence(), t.asked+t.others == 0, ""
		_, t.resolved = p.(timeline.Resolved)
		happened()
	case timeline.PartAcknowledged:
		happened()
	case timeline.Retriggered, timeline.Unacknowledged, timeline.SnoozeOver, timeline.Rerouted, timeline.AckLapsed, timeline.HandedOver:
		t.over, t.resolved, t.exhausted, t.waits = "", false, false, ""
		happened()
	case timeline.Waits:
		t.waits = phrase.T("explain.story.waits", p.Until.In(t.user.Location()).Format(layout))
		t.say(Happen, e.At, t.waits)
	case timeline.Exhausted:
		t.exhausted = true
		happened()
	case timeline.Triggered, timeline.MaintenanceOver, timeline.Maintenance:
		happened()
	default:
		t.page(e)
	}
}

// page tells of entries about the person's own pages, and of nobody else's.
func (t *teller) page(e timeline.Entry) {
	var about id.User
	switch p := e.Payload.(type) {
	case timeline.PageState:
		about = p.User
		t.recorded.count(about == t.user.ID, "sent")
	case timeline.PageLost:
		about = p.User
		t.recorded.count(about == t.user.ID, "failed")
	case timeline.PageRetry:
		about = p.User
	case timeline.PageArrived:
		about = p.User
	case timeline.MovedOn: // the messages do not say this
		if p.User == t.user.ID {
			method := people.Method(p.Method).Words()
			text := phrase.T("explain.story.no_further", method, p.Why)
			if p.NextMethod != "" {
				text = phrase.T("explain.story.moved_on", method, p.Why, people.Method(p.NextMethod).Words())
			}
			t.say(Message, e.At, text)
		}
		return
	case timeline.Held:
		if p.User == t.user.ID {
			t.say(Message, e.At, phrase.N("explain.story.held", p.Count, p.Until.In(t.user.Location()).Format(layout)))
		}
		return
	case timeline.PageReply:
		if p.User == t.user.ID {
			t.say(Message, e.At, phrase.T("explain.story.answered", t.user.Name, people.Method(p.Method).Words(), cmp.Or(p.Text, p.Answer)))
		}
		return
	default:
		return // notes, chat and updates explain nothing
	}
	if about == t.user.ID && len(t.fates) == 0 {
		t.say(Message, e.At, story.Sentence(e, t.names))
	}
}

func (t *teller) step(e timeline.Entry, p timeline.Step) {
	where := place(p.Step, p.Round, p.LastResort)
	i := slices.Index(p.Users, t.user.ID)
	if i < 0 {
		t.others++
		missing := ""
		if len(p.Why) > len(p.Users) {
			missing = strings.Join(p.Why[len(p.Users):], "; ")
		}
		if t.turnLost(missing) {
			t.say(Passed, e.At, phrase.T("explain.story.passed.unreachable", where, strings.Join(p.Names, ", "), missing))
			return
		}
		t.say(Passed, e.At, phrase.T("explain.story.passed", where, strings.Join(p.Names, ", "), t.user.Name))
		return
	}
	t.asked++
	why := ""
	if i < len(p.Why) {
		why = p.Why[i]
	}
	t.say(Page, e.At, phrase.T("explain.story.paged", where, p.PolicyName, t.user.Name, why))
	t.messages(e.Seq)
}

// turnLost notes whether a step would have paged the person, had there been a way.
func (t *teller) turnLost(missing string) bool {
	lost := t.user.Name != "" && strings.Contains(missing, phrase.T("escalation.unreachable", t.user.Name))
	t.unreachable = t.unreachable || lost
	return lost
}

// messages tells what became of each message that an entry asked for.
func (t *teller) messages(asked id.Seq) {
	for _, f := range t.fates {
		if f.Entry != asked {
			continue
		}
		at := f.DoneAt
		if at.IsZero() {
			at = f.DueAt
		}
		text := phrase.T("explain.story.message", f.Method.Words(), f.Address, reason("explain.fate.", f.State))
		if f.Detail != "" {
			text += " (" + f.Detail + ")"
		}
		t.say(Message, at, text)
	}
}
