package view

import "time"

// IncidentList is the table of all incidents.
type IncidentList struct {
	Page  Page
	State string // "", "open", "triggered", "acknowledged", "resolved"
	Team  string
	Text  string
	Teams []Option
	Rows  []Incident
	Newer string // addresses of the neighbouring pages; "" when there is none
	Older string
}

func (l IncidentList) states() []Option {
	var out []Option
	for _, s := range []string{"open", "triggered", "acknowledged", "resolved", "all"} {
		chosen := l.State == s || l.State == "" && s == "open"
		out = append(out, Option{Value: s, Label: t("list.state." + s), Selected: chosen})
	}
	return out
}

// OnCall says who is on call, and who would be paged now.
type OnCall struct {
	Page      Page
	Tabs      []Tab
	At        time.Time // for which moment
	Rotations []RotationNow
	Policies  []PolicyNow
	CanEdit   bool
}

// RotationNow is one rotation now and in its next hand-overs.
type RotationNow struct {
	Name  string
	Team  string
	Href  string
	Zone  string // the rotation's own, as "Europe/Oslo"
	Now   []PersonRow
	Since time.Time
	Until time.Time
	Next  []ShiftRow // the next four
	// Problem is a sentence about what is wrong, such as a gap; "" when all is well.
	Problem string
}

// ShiftRow is one future shift.
type ShiftRow struct {
	From, To time.Time
	People   []PersonRow // empty: a gap
}

// PolicyNow is a policy as it would page this minute.
type PolicyNow struct {
	Name  string
	Team  string
	Href  string
	Keys  []string // the routing keys that lead here
	Steps []PolicyStepNow
}

// PolicyStepNow is one step with the people it would page.
type PolicyStepNow struct {
	Number  int
	Delay   string
	Targets []string    // as configured
	People  []PersonRow // as resolved now; empty: the step would be skipped
}
