package view

import (
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/watchroom/watchroom/internal/phrase"
)

// cal reads the catalogue's "calendar" area.
func cal(key string, args ...any) string { return phrase.T("calendar."+key, args...) }

// Calendar is who is on call when: a row for each rotation, and the same as a
// list of days for a phone. Places are in percent of what is shown, for SVG.
type Calendar struct {
	Page       Page
	Tabs       []Tab
	Title      string // the days that are shown
	View       string // "week", "fortnight", "month"
	From       string // the first day, "2026-11-23"
	Mine       bool
	Views      []SideLink
	Teams      []Option
	Rotations  []Option
	Prev, Next string
	Today      string
	Self       string // the address of exactly this
	Start, End time.Time
	Days       []CalendarDay
	Now        string // where now is; "" when it is not shown
	Rows       []CalendarRow
	Past       []AgendaDay // before today, where today is shown
	Agenda     []AgendaDay
	Problems   []SettingsProblem
	Empty      bool // there is no rotation at all
	CanEdit    bool
	CanAct     bool
}

// CalendarDay is a column.
type CalendarDay struct {
	X, W    string
	Name    string // "Mon"
	Number  string // "23"
	Label   string // in full
	Href    string // of its week; "" when that is shown already
	Clocks  string // that it lasts 23 or 25 hours; "" for any other day
	Today   bool
	Weekend bool
	Holiday string // its name; "" for any other day
}

// CalendarRow is one rotation.
type CalendarRow struct {
	ID, Name, Team, Href string
	Zone                 string         // "" when it is the viewer's
	Lanes                []CalendarLane // what holds; at least one
	Layers               []CalendarLane // the rota below the overrides
}

// CalendarLane is one line of a row.
type CalendarLane struct {
	Layer int    // its index; -1 where the rota has no layer
	Name  string // "" for the only one
	Bars  []CalendarBar
}

// The kinds of bars.
const (
	BarShift    = "shift"
	BarOverride = "override"
	BarGap      = "gap"
	BarOff      = "off" // a gap that the hours of the layers leave
)

// CalendarBar is a shift, or a time without one, cut to what is shown.
type CalendarBar struct {
	Kind     string
	X, W     string
	At       float64 // X as a number
	Name     string
	Rotation string
	When     string // in the viewer's zone
	There    string // in the rotation's; "" when it is the same
	Instead  string // whose duty it is by the rota; overrides only
	Warn     string // that the person is away
	Href     string // "" when there is nothing to open
	Yours    bool
	Before   bool // began before what is shown
	After    bool // ends after it
}

// said is the bar in one sentence, for those who do not see where it lies.
func (b CalendarBar) said() string {
	var text strings.Builder
	text.WriteString(b.Name)
	if b.Instead != "" { // as it is written in the bar
		text.WriteString(" " + b.Instead)
	}
	text.WriteString(", " + b.Rotation + ", " + b.When)
	for _, more := range []string{b.There, b.Warn} {
		if more != "" {
			text.WriteString(", " + more)
		}
	}
	return text.String()
}

// empty reports whether nobody is on call.
func (b CalendarBar) empty() bool { return b.Kind == BarGap || b.Kind == BarOff }

func (b CalendarBar) class() string {
	look := avatarClass(b.Name)
	if b.empty() {
		look = ""
	}
	return classes("bar", "bar-"+b.Kind, look, flag(b.Yours, "bar-yours"), flag(b.Before, "bar-before"), flag(b.After, "bar-after"), flag(b.Warn != "", "bar-away"))
}

// AgendaDay is a day with what begins on it.
type AgendaDay struct {
	Label   string
	Today   bool
	Holiday string // its name; "" for any other day
	Items   []AgendaItem
}

// AgendaItem is a bar with its times.
type AgendaItem struct {
	CalendarBar
	Running  bool   // began before the first day
	From, To string // "" when it was running already, or has no end
}

// calN reads a counted text of the catalogue's "calendar" area.
func calN(key string, count int) string { return phrase.N("calendar."+key, count) }

// barInitials stand for the name where there is no room for it.
func barInitials(b CalendarBar) string {
	if b.empty() {
		return ""
	}
	return initials(b.Name)
}

// isCover reports whether an address opens the dialog for an override.
func isCover(href string) bool { return strings.HasPrefix(href, "/oncall/override") }

func problemAction(href string) string {
	if isCover(href) {
		return ot("cover.find")
	}
	return cal("problem.look")
}

func problemAttrs(href string) templ.Attributes {
	if isCover(href) {
		return templ.Attributes{"data-dialogue": true}
	}
	return nil
}
