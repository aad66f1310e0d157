package oncall

import (
	"errors"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Absence is a time in which a person is away: leave, a public holiday, a
// course. It takes nobody off duty; it makes the rota warn until somebody else
// has the duty. The interval is half open.
type Absence struct {
	ID    id.Absence `json:"id"`
	User  id.User    `json:"user"`
	Start time.Time  `json:"start"`
	End   time.Time  `json:"end"`
	Note  string     `json:"note,omitempty"` // shown to everybody
	By    id.User    `json:"by,omitempty"`
}

// Validate says in a sentence, which names the field, what is wrong with the
// absence, if anything is.
func (a Absence) Validate() error {
	switch {
	case a.User == "":
		return errors.New("absence: user: say who is away")
	case a.Start.IsZero() || a.Start.Year() < firstYear || a.Start.Year() > lastYear:
		return errors.New("absence: start: say when it begins")
	case !a.End.After(a.Start):
		return errors.New("absence: end: say when it ends, after its start")
	case a.End.Sub(a.Start) > maxAbsence:
		return fmt.Errorf("absence: end: longer than %d days; who leaves for good is taken out of the rotas", maxAbsence/(24*time.Hour))
	case len(a.Note) > maxNote:
		return fmt.Errorf("absence: note: give at most %d characters", maxNote)
	}
	return nil
}

const maxAbsence = 400 * 24 * time.Hour

// SwapState is what became of a request to swap. Stable in storage.
type SwapState string

// The states of a swap.
const (
	SwapAsked     SwapState = "asked"
	SwapAccepted  SwapState = "accepted"
	SwapDeclined  SwapState = "declined"
	SwapWithdrawn SwapState = "withdrawn"
)

// Swap is a request of one person that another takes over their duty in one
// interval, and, when Return is given, a promise to take over the other's in
// that one. Only when the other accepts does it become overrides.
type Swap struct {
	ID       id.Swap       `json:"id"`
	Rotation id.Rotation   `json:"rotation"`
	From     id.User       `json:"from"` // who asks
	To       id.User       `json:"to"`   // who is asked
	Start    time.Time     `json:"start"`
	End      time.Time     `json:"end"`
	Return   *SwapReturn   `json:"return,omitempty"`
	Note     string        `json:"note,omitempty"`
	State    SwapState     `json:"state"`
	At       time.Time     `json:"at"`             // when it was asked
	Made     []id.Override `json:"made,omitempty"` // the overrides it became
}

// SwapReturn is the time that the asker takes over in return.
type SwapReturn struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Validate says in a sentence, which names the field, what is wrong with the
// swap, if anything is.
func (s Swap) Validate() error {
	switch {
	case s.From == "" || s.To == "" || s.From == s.To:
		return errors.New("swap: to: say who is asked, somebody else than who asks")
	case s.Start.IsZero() || !s.End.After(s.Start):
		return errors.New("swap: end: say from when to when")
	case s.Return != nil && !s.Return.End.After(s.Return.Start):
		return errors.New("swap: return: say from when to when")
	case s.State != SwapAsked && s.State != SwapAccepted && s.State != SwapDeclined && s.State != SwapWithdrawn:
		return fmt.Errorf("swap: state: %q is not known", s.State)
	case len(s.Note) > maxNote:
		return fmt.Errorf("swap: note: give at most %d characters", maxNote)
	}
	return nil
}

// Overrides are what the swap becomes when it is accepted, without ids.
func (s Swap) Overrides() []Override {
	all := []Override{{Rotation: s.Rotation, User: s.To, For: s.From, Start: s.Start, End: s.End, Kind: Planned, By: s.From, Note: s.Note}}
	if r := s.Return; r != nil {
		all = append(all, Override{Rotation: s.Rotation, User: s.From, For: s.To, Start: r.Start, End: r.End, Kind: Planned, By: s.From, Note: s.Note})
	}
	return all
}
