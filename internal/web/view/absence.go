package view

import "time"

// Away is who is away and what that leaves uncovered, and who asks whom to swap.
type Away struct {
	Page     Page
	Tabs     []Tab
	Self     string
	CanAct   bool
	Absences []AbsenceRow
	ForMe    []SwapRow // wait for the viewer's answer
	Mine     []SwapRow // wait for somebody else's
	Recent   []SwapRow // answered
}

// AbsenceRow is one absence.
type AbsenceRow struct {
	ID, Name, Note, When string
	Now                  bool // has begun
	CanRemove            bool
	Conflicts            []ConflictRow
}

// ConflictRow is a duty within an absence.
type ConflictRow struct {
	Rotation, When string
	Href           string // finds cover; "" when not offered
}

// AbsenceForm is the dialog "I am away".
type AbsenceForm struct {
	Dialogue
	People            []Option // who may be away; empty: only the viewer
	From, Until, Note string
	Zone              string
	Errors            map[string]string
	Error             string
}

// SwapRow is one request to swap.
type SwapRow struct {
	ID, Rotation, From, To, Note string
	When                         string
	Return                       string // what the asker takes in return; "" for nothing
	State                        string // "asked", "accepted", "declined", "withdrawn"
	At                           time.Time
}

func (s SwapRow) tone() string {
	switch s.State {
	case "accepted":
		return "ok"
	case "asked":
		return "accent"
	}
	return "muted"
}

// SwapForm is the dialog that asks somebody to take over a shift.
type SwapForm struct {
	Dialogue
	RotationID, Rotation    string
	People                  []Option
	From, Until             string
	ReturnFrom, ReturnUntil string
	Note                    string
	Zone                    string
	Errors                  map[string]string
	Error                   string
}
