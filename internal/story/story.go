// Package story tells an entry of the timeline as one sentence in plain words.
// The browser, the mail, the API's text form and the command line all say the
// same; only the trimmings differ.
//
// It promises a sentence for every kind of timeline.Kinds, and that a sentence
// is made of the entry and the names alone: no clock, no store. Formatting of
// times and links is left to whoever shows it.
package story

import (
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Names turns identifiers into what people say. A nil function, or an empty
// answer, falls back to what the entry itself remembers.
type Names struct {
	User func(id.User) string
	Team func(id.Team) string
	Zone *time.Location // in which a sentence says a time; nil is UTC
}

// PartKind says what a part of a sentence is, so that a page can set it apart.
type PartKind int

// The kinds of parts.
const (
	Text     PartKind = iota // plain words
	Person                   // somebody's name
	Incident                 // "#42"
	Subject                  // the title of an incident or alert, or the name of a thing
	Quote                    // what somebody wrote, or a sender's or provider's words
	When                     // a time; Part.At is set
)

// Part is a piece of a sentence.
type Part struct {
	Kind PartKind
	Text string
	At   time.Time // When only
}

// Sentence is the whole as plain text.
func Sentence(e timeline.Entry, names Names) string {
	var b strings.Builder
	for _, p := range Parts(e, names) {
		b.WriteString(p.Text)
	}
	return b.String()
}

// Parts is the sentence in pieces; their texts joined are Sentence.
func Parts(e timeline.Entry, names Names) []Part {
	w := words{entry: e, names: names}
	switch p := e.Payload.(type) {
	case timeline.AlertBody:
		if !p.Until.IsZero() {
			return w.say("alert_received.muted", subject(p.Title), text(p.Window), w.when(p.Until))
		}
		return w.say("alert_received."+known(p.Type), subject(p.Title), because(p.Why))
	case timeline.Triggered:
		return w.say("incident_triggered", w.incident(), subject(p.Title))
	case timeline.Updated:
		return w.say("incident_updated."+known(p.Severity), w.incident(), subject(p.Title))
	case timeline.Retriggered:
		return w.say("incident_retriggered", w.incident(), subject(p.Title))
	case timeline.Acknowledged:
		if p.Of > 1 && p.Message == "" {
			return w.say("incident_acknowledged.all", w.actor(), w.incident(), number(p.Of))
		}
		return w.withMessage("incident_acknowledged", p.Message)
	case timeline.Unacknowledged:
		return w.say("incident_unacknowledged", w.actor(), w.incident())
	case timeline.Resolved:
		if e.Actor.User == "" && e.Actor.Origin == timeline.Monitoring {
			return w.say("incident_resolved.monitoring", w.incident())
		}
		return w.withMessage("incident_resolved", p.Message)
	case timeline.Snoozed:
		return w.say("incident_snoozed", w.actor(), w.incident(), w.when(p.Until))
	case timeline.SnoozeOver:
		return w.say("snooze_ended", w.incident())
	case timeline.Rerouted:
		if p.PolicyName == "" {
			return w.say("incident_rerouted.user", w.actor(), w.incident(), w.person(p.User, p.UserName))
		}
		return w.say("incident_rerouted.policy", w.actor(), w.incident(), subject(p.PolicyName))
	case timeline.Responder:
		if p.PolicyName != "" {
			return w.say("responder_added.policy", w.actor(), w.incident(), subject(p.PolicyName))
		}
		return w.say("responder_added", w.actor(), w.people(p.Users, p.Names), w.incident())
	case timeline.Noted:
		return w.say("note_added", w.actor(), w.incident(), quote(p.Text))
	case timeline.Step:
		return w.step(p)
	case timeline.Skipped:
		if p.LastResort {
			return w.say("step_skipped.last_resort", w.incident(), subject(p.PolicyName), text(p.Why))
		}
		return w.say("step_skipped", w.incident(), number(p.Step), subject(p.PolicyName), text(p.Why))
	case timeline.Exhausted:
		if p.Why == "no_policy" {
			return w.say("escalation_exhausted.no_policy", w.incident())
		}
		return w.say("escalation_exhausted", w.incident(), subject(p.PolicyName), because(p.Why))
	case timeline.PageState:
		return w.page("page_sent", p)
	case timeline.PageRetry:
		return w.page("page_retrying", timeline.PageState(p))
	case timeline.PageLost:
		return w.page("page_failed", timeline.PageState(p))
	case timeline.Change:
		return w.change(p)
	}
	for _, more := range []func() []Part{w.escalation, w.pages, w.duty, w.watch, w.chat, w.commands, w.kept} {
		if parts := more(); parts != nil {
			return parts
		}
	}
	return text(string(e.Kind)) // an entry without its payload still shows that something happened
}

// words builds the sentence of one entry.
type words struct {
	entry timeline.Entry
	names Names
}

// say fills a text of the catalogue; each {n} in it stands for the n-th piece, from 1.
func (w words) say(key string, pieces ...[]Part) []Part {
	var out []Part
	rest := phrase.T("story." + key)
	for {
		before, after, ok := strings.Cut(rest, "{")
		if before != "" {
			out = append(out, Part{Kind: Text, Text: before})
		}
		if !ok {
			return out
		}
		ref, tail, ok := strings.Cut(after, "}")
		if !ok || len(ref) != 1 || int(ref[0]-'1') >= len(pieces) {
			return append(out, Part{Kind: Text, Text: "{" + after}) // a slip in the catalogue shows itself
		}
		out = append(out, pieces[ref[0]-'1']...)
		rest = tail
	}
}

func (w words) withMessage(key, message string) []Part {
	if message == "" {
		return w.say(key, w.actor(), w.incident())
	}
	return w.say(key+".message", w.actor(), w.incident(), quote(message))
}

func (w words) step(p timeline.Step) []Part {
	key := "step_started"
	switch {
	case p.LastResort:
		return w.say(key+".last_resort", w.incident(), subject(p.PolicyName), w.people(p.Users, p.Names))
	case p.Round > 1:
		key += ".again"
	}
	return w.say(key, w.incident(), number(p.Step), subject(p.PolicyName), w.people(p.Users, p.Names), number(p.Round))
}

func (w words) page(key string, p timeline.PageState) []Part {
	who := w.person(p.User, p.Name)
	if p.User == "" && p.Address != "" { // a step has told an address or a webhook: nobody was paged
		key, who = strings.Replace(key, "page_", "told_", 1), subject(p.Address)
	}
	switch {
	case key == "told_sent":
		return w.say(key, who, method(p.Method), w.incident())
	case key == "page_sent" && p.Bundled > 1:
		return w.say(key+".bundled", who, method(p.Method), w.incident(), number(p.Bundled))
	case key == "page_sent":
		return w.say(key, who, method(p.Method), w.incident())
	case strings.HasSuffix(key, "_failed") && p.Attempt <= 1 && p.Detail == "":
		return w.say(key+".once", who, method(p.Method), w.incident())
	case strings.HasSuffix(key, "_failed") && p.Attempt <= 1:
		return w.say(key+".once.detail", who, method(p.Method), w.incident(), quote(p.Detail))
	case p.Detail == "":
		return w.say(key, who, method(p.Method), w.incident(), number(p.Attempt))
	}
	return w.say(key+".detail", who, method(p.Method), w.incident(), number(p.Attempt), quote(p.Detail))
}

func (w words) change(p timeline.Change) []Part {
	action := p.Action
	if !phrase.Has("story.org_changed." + action) {
		action = "changed"
	}
	object := phrase.T("story.object." + p.Object)
	if !phrase.Has("story.object." + p.Object) {
		object = strings.ReplaceAll(p.Object, "_", " ")
	}
	return w.say("org_changed."+action, w.actor(), text(object), subject(p.Name))
}

func (w words) actor() []Part {
	a := w.entry.Actor
	if a.User == "" && a.Name == "" {
		return text(phrase.T("story.actor." + string(a.Origin)))
	}
	return w.person(a.User, a.Name)
}

func (w words) person(user id.User, remembered string) []Part {
	name := remembered
	if user != "" && w.names.User != nil {
		if now := w.names.User(user); now != "" {
			name = now
		}
	}
	if name == "" {
		name = phrase.T("story.somebody")
	}
	return []Part{{Kind: Person, Text: name}}
}

// people writes "Kim", "Kim and Ana", "Kim, Ana and Bo".
func (w words) people(users []id.User, names []string) []Part {
	var out []Part
	count := max(len(users), len(names))
	for i := range count {
		switch i {
		case 0:
		case count - 1:
			out = append(out, text(phrase.T("story.and"))...)
		default:
			out = append(out, text(phrase.T("story.comma"))...)
		}
		out = append(out, w.person(nth(users, i), nth(names, i))...)
	}
	if count == 0 {
		return text(phrase.T("story.nobody"))
	}
	return out
}

func (w words) incident() []Part {
	if w.entry.Incident == 0 {
		return text(phrase.T("story.no_incident"))
	}
	return []Part{{Kind: Incident, Text: phrase.T("story.incident", w.entry.Incident)}}
}

// when is a time, with its date when it is far from the entry, and with its
// zone when it is not that of the reader.
func (w words) when(at time.Time) []Part {
	form, zone := "15:04", w.names.Zone
	if at.Sub(w.entry.At).Abs() > 12*time.Hour {
		form = "Mon 2 Jan 15:04"
	}
	if zone == nil {
		form, zone = form+" MST", time.UTC
	}
	return []Part{{Kind: When, Text: at.In(zone).Format(form), At: at}}
}
