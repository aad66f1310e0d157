package view

import (
	"strconv"
	"strings"
	"time"
)

// RotationList is all rotations.
type RotationList struct {
	Page Page
	Rows []RotationRow
}

// RotationRow is one rotation in the list.
type RotationRow struct {
	Name   string
	Href   string
	Team   string
	Zone   string
	Now    []string // who is on call
	Next   []string // who is after them
	NextAt time.Time
	People int
}

// RotationForm is the editor of one rotation. It works without a script: every
// button sends the whole form, and the server answers with the changed one.
type RotationForm struct {
	Page    Page
	ID      string // "" for a new one
	Name    string
	Team    string // its name
	Teams   []Option
	Zone    string
	Zones   []string
	Layers  []LayerForm
	Errors  map[string]string // "name", "zone", "0.every", …
	Error   string
	Preview RotationPreview
	UsedBy  []Link // policies that page it
}

func (f RotationForm) title() string {
	if f.ID == "" {
		return st("rotation.new")
	}
	return f.Name
}

func (f RotationForm) action() string {
	if f.ID == "" {
		return "/settings/rotations"
	}
	return "/settings/rotations/" + f.ID
}

// calendar is where the rotation's shifts are.
func (f RotationForm) calendar() string { return "/oncall?rotation=" + f.ID }

// LayerForm is one layer as it was typed.
type LayerForm struct {
	Index   int
	Alone   bool // the only layer
	Name    string
	Members []MemberForm
	People  []Option // who could be added
	Every   string
	Unit    string
	Units   []Option
	Handoff string
	Start   string
	End     string
	Hours   []HoursField // empty: always
	Count   bool         // turns count the shifts that the hours make
}

// HoursField is one restriction of a layer.
type HoursField struct {
	Index    int
	Days     []Option // the week; Hint is the name in full
	From, To string
	Until    []Option
	Text     string // in words
}

// hours is the name of an input of a restriction.
func (l LayerForm) hours(h HoursField, name string) string {
	return l.field("hours." + strconv.Itoa(h.Index) + "." + name)
}

// field is the name of one of the layer's inputs.
func (l LayerForm) field(name string) string { return strconv.Itoa(l.Index) + "." + name }

// do is the value of a button of the layer.
func (l LayerForm) do(what string, at ...int) string {
	var v strings.Builder
	v.WriteString(what + ":" + strconv.Itoa(l.Index))
	for _, n := range at {
		v.WriteString(":" + strconv.Itoa(n))
	}
	return v.String()
}

func (l LayerForm) title() string {
	if l.Name != "" {
		return l.Name
	}
	if l.Alone {
		return st("rotation.layer.only")
	}
	return st("rotation.layer", l.Index+1)
}

// turn is how long a turn lasts, in words.
func (l LayerForm) turn() string {
	if l.Every == "1" {
		return st("rotation.turn.one." + l.Unit)
	}
	return st("rotation.turn."+l.Unit, l.Every)
}

// MemberForm is one turn of a layer.
type MemberForm struct{ ID, Name string }

// RotationPreview is what a rotation would do, computed by the server.
type RotationPreview struct {
	Problem string // why nothing can be said
	Zone    string
	Mine    string // the viewer's own zone; "" when it is the same
	Now     []PreviewShift
	Next    []PreviewShift

	Compared bool // with what is saved
	Changes  ChangePreview
	Clocks   []ClockNote // the next changes of the clocks
}

// ClockNote says what a change of the clocks does to a rota.
type ClockNote struct {
	Title string
	Lines []string
}

// PreviewShift is one shift with its times in both zones, as text.
type PreviewShift struct {
	Layer string
	Name  string
	From  string // in the rotation's zone
	Own   string // in the viewer's; "" when it is the same
	Until string
	At    time.Time
}
