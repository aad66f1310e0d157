package view

import "time"

// Home is the main screen: people, timeline, incidents.
type Home struct {
	Page      Page
	Rooms     Rooms
	People    People
	Timeline  Timeline
	Panel     *Panel // beside the timeline; nil: the incidents
	Incidents Incidents
}

// People is the left pane.
type People struct {
	Duties []Duty
	All    []PersonRow
}

// Duty is one rotation: who is on call now and who is next.
type Duty struct {
	Rotation string
	Team     string
	Href     string
	Now      []PersonRow // empty: a gap
	Until    time.Time   // zero: for ever
	Next     []PersonRow
	NextAt   time.Time
}

// PersonRow is a person in a list.
type PersonRow struct {
	ID       string // id.User as text
	Name     string
	Username string
	Zone     string // where they are when that is not where the reader is; an IANA name
	Robot    bool
	Presence string // "online", "away", or "" when it is not known
	OnCall   bool
	You      bool
	Warning  string // what is wrong, such as having no way to be paged
}

func homePane(h Home) string {
	if h.Page.Pane == "" {
		return "incidents"
	}
	return h.Page.Pane
}

func names(people []PersonRow) []string {
	out := make([]string, 0, len(people))
	for _, p := range people {
		out = append(out, p.Name)
	}
	return out
}

// quiet leaves out the mark "on call" where everybody shown is.
func quiet(p PersonRow) PersonRow {
	p.OnCall = false
	return p
}
