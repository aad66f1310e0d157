package explain

import (
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/paging"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/story"
	"github.com/watchroom/watchroom/internal/timeline"
)

// tell turns what a decision would write into events.
func (r *rehearsal) tell(entries []timeline.Entry, at time.Time) {
	for _, e := range entries {
		ev := Event{At: at.In(r.q.Zone), After: escalation.Duration(at.Sub(r.start)), Kind: e.Kind}
		switch p := e.Payload.(type) {
		case timeline.Triggered:
			continue // the path says it
		case timeline.AlertBody:
			ev.Text = reason("explain.no_incident.", p.Why)
		case timeline.Step:
			ev.Step, ev.Round, ev.LastResort = p.Step, p.Round, p.LastResort
			ev.Text = phrase.T("explain.event.step", place(p.Step, p.Round, p.LastResort), strings.Join(p.Names, ", "))
			r.page(&ev, p, at)
		case timeline.Skipped:
			ev.Step, ev.Round, ev.LastResort = p.Step, p.Round, p.LastResort
			ev.Text = phrase.T("explain.event.skipped", place(p.Step, p.Round, p.LastResort), p.Why)
		case timeline.Told:
			ev.Step, ev.Round, ev.LastResort, ev.Note = p.Step, p.Round, p.LastResort, p.Why
			ev.Told = append(append(append(ev.Told, p.Webhooks...), p.Emails...), p.Rooms...)
			ev.Text = phrase.T("explain.event.told", place(p.Step, p.Round, p.LastResort), strings.Join(ev.Told, ", "))
		case timeline.Waits:
			ev.Step, ev.Round = p.Step, p.Round
			ev.Text = phrase.T("explain.event.waits", place(p.Step, p.Round, false), p.Until.In(r.q.Zone).Format(layout))
		case timeline.HandedOver:
			ev.Step, ev.Round = p.Step, p.Round
			ev.Text = phrase.T("explain.event.handed_over", place(p.Step, p.Round, false), p.PolicyName)
		case timeline.Exhausted:
			ev.Text = reason("explain.exhausted.", p.Why)
		default: // whatever the rules learn to write
			ev.Text = story.Sentence(e, story.Names{Zone: r.q.Zone})
		}
		r.path.Events = append(r.path.Events, ev)
	}
}

// reason is the text for a reason of a closed list; one we have no text for
// yet is shown as it is.
func reason(area, why string) string {
	if phrase.Has(area + why) {
		return phrase.T(area + why)
	}
	return strings.ReplaceAll(why, "_", " ")
}

func place(step, round int, lastResort bool) string {
	switch {
	case lastResort:
		return phrase.T("explain.place.last_resort")
	case round > 1:
		return phrase.T("explain.place.round", step, round)
	}
	return phrase.T("explain.place.step", step)
}

// page says how each person of a step would be paged.
func (r *rehearsal) page(ev *Event, p timeline.Step, at time.Time) {
	urgency := people.High
	if p.Urgency == string(people.Low) {
		urgency = people.Low
	}
	for i, u := range p.Users {
		if !slices.Contains(r.seen, u) {
			r.seen = append(r.seen, u)
			r.path.Paged++
		}
		chain := paging.Plan(r.org.Users[u], urgency, at, p.EveryMethod)
		who := Person{
			User: u, Name: r.org.UserName(u), Rule: chain.Rule, Reason: chain.Reason,
			Attempts: []Attempt{}, Again: people.Duration(chain.Again), Skipped: chain.Skipped,
		}
		if i < len(p.Why) {
			who.Why = p.Why[i]
		}
		for _, a := range chain.Attempts {
			who.Attempts = append(who.Attempts, Attempt{
				At: at.Add(a.After).In(r.q.Zone), After: people.Duration(a.After), Method: a.Contact.Method, To: a.Contact.Shown(),
				Again: slices.Contains(chain.Repeat, a.Seq),
			})
		}
		ev.People = append(ev.People, who)
	}
	if len(p.Why) > len(p.Users) {
		ev.Note = strings.Join(p.Why[len(p.Users):], "; ")
	}
}
