package view

import (
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Incident is an incident as a card, in a list, and as the head of its room.
type Incident struct {
	Number     id.Incident
	Seq        id.Seq // the number of the timeline it was drawn at: a browser never puts an older card over a newer one
	State      string // "triggered", "acknowledged", "resolved"
	Severity   string // "critical", "warning"
	Title      string
	Message    string
	EntityID   string
	Host       string
	Tool       string
	RoutingKey string
	Team       string
	AlertCount int
	Notes      int // annotations and notes

	TriggeredAt  time.Time
	LastAlertAt  time.Time
	AckedAt      time.Time
	AckedBy      string
	SnoozedUntil time.Time
	ResolvedAt   time.Time
	ResolvedBy   string // "" and resolved: monitoring said so

	Paging Paging
}

// Paging is how far the escalation of a triggered incident has come.
type Paging struct {
	Policy    string
	People    []string  // who is being paged now
	Step      int       // the running step, from 1; 0 before the first
	Steps     int       // of the policy
	Round     int       // from 1
	NextAt    time.Time // when the next step starts; zero: there is none
	Failed    int       // pages that were given up
	Exhausted bool      // no step is left and nobody answered
	Nobody    bool      // no route led to anybody
}

// order sorts the cards of a list, the highest first; the browser sorts by it too.
func (c Incident) order() int64 {
	if c.State == "resolved" {
		return c.ResolvedAt.UnixMilli()
	}
	return int64(c.Number)
}

func (c Incident) href() string { return "/incidents/" + itoa(c.Number) }

// where is the place it is about, in one line.
func (c Incident) where() []string {
	var out []string
	for _, s := range []string{c.Host, c.Tool} {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// Incidents is the right pane.
type Incidents struct {
	Tab          string     // the state that is shown: "triggered" when empty
	Triggered    []Incident // newest first
	Acknowledged []Incident
	Resolved     []Incident // the latest ones
	Counts       Counts
	Responders   Responders
}

// Counts is how many incidents there are in each state; Resolved counts what the pane holds.
type Counts struct{ Triggered, Acknowledged, Resolved int }

// Responders is whom an incident can be handed to.
type Responders struct {
	Policies []Option
	People   []Option
}

func (in Incidents) tab() string {
	if in.Tab == "" {
		return "triggered"
	}
	return in.Tab
}

type stateList struct {
	state string
	cards []Incident
	count int
}

func (in Incidents) lists() []stateList {
	return []stateList{
		{"triggered", in.Triggered, in.Counts.Triggered},
		{"acknowledged", in.Acknowledged, in.Counts.Acknowledged},
		{"resolved", in.Resolved, in.Counts.Resolved},
	}
}

// snooze offers what a tired person wants; the server reads the values in the viewer's zone.
type snooze struct{ value, label string }

func snoozes() []snooze {
	return []snooze{{"30m", t("snooze.30m")}, {"1h", t("snooze.1h")}, {"4h", t("snooze.4h")}, {"morning", t("snooze.morning")}, {"monday", t("snooze.monday")}}
}

// handOver lists policies and people in one choice; the values are "policy:<id>" and "user:<id>".
func handOver(r Responders) []Option {
	var out []Option
	for _, o := range r.Policies {
		out = append(out, Option{Value: "policy:" + o.Value, Label: o.Label, Group: t("reroute.policies")})
	}
	for _, o := range r.People {
		out = append(out, Option{Value: "user:" + o.Value, Label: o.Label, Group: t("reroute.people")})
	}
	return out
}

func orNone(options []Option) []Option {
	return append([]Option{{Label: t("none")}}, options...)
}

func emptyIcon(state string) string {
	if state == "triggered" {
		return "lantern"
	}
	return stateIcon(state)
}

// nextStep says what starts at NextAt; after the last step the next round begins.
func nextStep(p Paging) string {
	if p.Step >= p.Steps {
		return t("paging.again")
	}
	return t("paging.next", p.Step+1)
}

// join writes names as people list them.
func join(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	last := len(names) - 1
	return strings.Join(names[:last], t("comma")) + t("and") + names[last]
}
