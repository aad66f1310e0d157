package view

import (
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/phrase"
)

// et reads the catalogue's "explain_web" area.
func et(key string, args ...any) string { return phrase.T("explain_web."+key, args...) }

// Explain is the question who would be paged, and its answer.
type Explain struct {
	Page       Page
	Key        string
	Keys       []string
	Severities []Option
	Teams      []Option
	Entity     string
	At         string // as an input for local times has it
	Ahead      int    // where the slider stands
	Steps      int    // of the slider
	Now        string // where the slider begins, RFC 3339
	Zone       string
	Errors     map[string]string
	Problem    string // there is no answer

	Route string
	Paths []ExplainPath
	Text  string
}

// narrowed reports whether the fields that few need are filled in.
func (e Explain) narrowed() bool {
	for _, team := range e.Teams {
		if team.Selected && team.Value != "" {
			return true
		}
	}
	return e.Entity != ""
}

// ExplainPath is one policy, from the alert to its end.
type ExplainPath struct {
	Policy, Href, Team, Urgency string
	Mute                        string // a maintenance window; "" for none
	MuteUntil                   time.Time
	MayMute                     []string
	Paged                       int
	Nobody, Cut                 bool
	Events                      []ExplainEvent
	Picture                     Picture
}

// ExplainEvent is one thing that would be done.
type ExplainEvent struct {
	At     time.Time
	After  string
	Kind   string // of the entry it would be
	Text   string
	Note   string
	Told   []string
	People []ExplainPerson
}

func (e ExplainEvent) icon() string {
	switch e.Kind {
	case "step_started":
		return "page"
	case "step_skipped":
		return "skip"
	case "step_told":
		return "send"
	case "escalation_waits":
		return "clock"
	case "escalation_handed_over":
		return "reroute"
	}
	return "stairs"
}

// ExplainPerson is somebody who would be paged.
type ExplainPerson struct {
	Name, Why, Reason, Again string
	Attempts                 []PagingAttempt
	Skipped                  []string
}

// Picture is the messages on a line of time, in hundredths of its width.
type Picture struct {
	Rows  []PictureRow
	Steps []float64
	Ticks []Tick
}

// PictureRow is one person's messages; marks that would cover one another are
// on lanes of their own.
type PictureRow struct {
	Name  string
	Marks []Mark
	lanes []float64 // where each lane's last mark is
}

// Mark is one message.
type Mark struct {
	X      float64
	Lane   int
	Method string
	Title  string
}

// Tick is a point of the axis.
type Tick struct {
	X     float64
	Label string
}

// Put adds a mark to the first lane on which it stands free.
func (r *PictureRow) Put(m Mark, apart float64) {
	for m.Lane < len(r.lanes) && m.X-r.lanes[m.Lane] < apart {
		m.Lane++
	}
	if m.Lane == len(r.lanes) {
		r.lanes = append(r.lanes, 0)
	}
	r.lanes[m.Lane] = m.X
	r.Marks = append(r.Marks, m)
}

// laneHeight is in pixels.
const laneHeight = 24

func (r PictureRow) height() string { return strconv.Itoa(max(1, len(r.lanes)) * laneHeight) }

func (m Mark) y() string { return strconv.Itoa(m.Lane*laneHeight + laneHeight/2) }

func percentOf(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) + "%" }

func (p Picture) anchor(i int) string {
	switch i {
	case 0:
		return "start"
	case len(p.Ticks) - 1:
		return "end"
	}
	return "middle"
}

// Why explains an incident to one person.
type Why struct {
	Name    string
	You     bool
	Verdict string
	Lines   []WhyLine
}

// WhyLine is one line of an explanation.
type WhyLine struct {
	Kind string // "happened", "page", "passed", "message"
	At   time.Time
	Text string
}

func urgencyTone(urgency string) string {
	if urgency == "low" {
		return "muted"
	}
	return "warning"
}

// legend lists the methods of a picture, each once.
func legend(p Picture) []string {
	var all []string
	seen := map[string]bool{}
	for _, r := range p.Rows {
		for _, m := range r.Marks {
			if !seen[m.Method] {
				seen[m.Method] = true
				all = append(all, m.Method)
			}
		}
	}
	return all
}

func phraseT(key string) string { return phrase.T(key) }
