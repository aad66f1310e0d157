package explain

import (
	"fmt"
	"strings"

	"github.com/watchroom/watchroom/internal/phrase"
)

// layout is how an answer says an instant: with its offset, for it is asked
// about nights in which the clocks change.
const layout = "2006-01-02 15:04:05 -07:00"

// Text is a as lines for a terminal, each ended by a line break.
func (a Answer) Text() string {
	w := &lines{}
	w.add(0, phrase.T("explain.text.question", a.Question.Severity, a.Question.At.Format(layout)))
	w.add(0, a.Route)
	for _, p := range a.Paths {
		w.path(p)
	}
	return w.b.String()
}

type lines struct{ b strings.Builder }

func (w *lines) add(indent int, text string) {
	fmt.Fprintf(&w.b, "%s%s\n", strings.Repeat("  ", indent), text)
}

func (w *lines) path(p Path) {
	switch {
	case p.Policy != "" && p.TeamName != "":
		w.add(0, "")
		w.add(0, phrase.T("explain.text.policy.team", p.PolicyName, p.Version, p.TeamName))
	case p.Policy != "":
		w.add(0, "")
		w.add(0, phrase.T("explain.text.policy", p.PolicyName, p.Version))
	}
	if p.Mute != nil {
		w.add(1, phrase.T("explain.text.mute", p.Mute.Name, p.Mute.Until.Format(layout)))
	}
	for _, name := range p.MayMute {
		w.add(1, phrase.T("explain.text.may_mute", name))
	}
	for _, e := range p.Events {
		w.add(1, e.At.Format(layout)+"  "+e.Text)
		for _, who := range e.People {
			w.person(who)
		}
		if e.Note != "" {
			w.add(2, e.Note)
		}
	}
	if p.Cut {
		w.add(1, phrase.T("explain.text.cut"))
	}
	if p.Urgency != "" && p.Paged == 0 {
		w.add(1, phrase.T("explain.text.nobody"))
	}
}

func (w *lines) person(p Person) {
	w.add(2, p.Name+": "+p.Why+" "+p.Reason)
	for _, a := range p.Attempts {
		w.add(3, a.At.Format(layout)+"  "+phrase.T("explain.text.attempt", a.Method.Words(), a.To))
	}
	if p.Again > 0 {
		w.add(3, phrase.T("explain.text.again", p.Again))
	}
	for _, s := range p.Skipped {
		w.add(3, phrase.T("explain.text.skipped", s.Shown, s.Why))
	}
}
