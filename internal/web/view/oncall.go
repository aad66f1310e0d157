package view

import (
	"time"

	"github.com/watchroom/watchroom/internal/phrase"
)

// ot reads the catalogue's "oncall_web" area.
func ot(key string, args ...any) string { return phrase.T("oncall_web."+key, args...) }

// Dialogue is what a page has that opens as a dialog over the calendar, too.
type Dialogue struct {
	Page     Page
	Title    string
	Back     string // where its forms lead afterwards
	Fragment bool   // drawn without the frame, for the dialog
}

// ShiftView is one shift and what the viewer may do about it.
type ShiftView struct {
	Dialogue
	Rotation, RotationID, RotationHref string
	Team                               string
	Layer                              int
	LayerName                          string // "" in the only layer
	Person                             PersonRow
	UserID                             string
	Start, End                         time.Time // End is zero for never
	When                               string    // in the viewer's zone
	There, Zone                        string    // the same in the rotation's zone; "" when it is the viewer's
	Running                            bool
	Away                               string // that the person is away
	Override                           *OverrideView

	CanTake, CanHandBack, CanRemove bool
	TakeFrom, TakeUntil             string // for the fields of a period
	SwapHref, CoverHref             string // "" when not offered
}

// OverrideView is by which somebody is on duty who is not so by the rota.
type OverrideView struct {
	ID      string
	Instead string // "instead of Kim"
	By      string // who made it; "" when nobody knows
	Note    string
	When    string
	Taken   bool
}

// OverrideForm is the dialog for an override.
type OverrideForm struct {
	Dialogue
	Rotations []Option
	Layers    []Option
	People    []Option // who is on duty
	Instead   []Option // whose duty it is
	From      string
	Until     string
	Note      string
	Zone      string // of the times
	CanManage bool   // for anybody, not for oneself alone
	Errors    map[string]string
	Error     string
	Preview   ChangePreview
}

// ChangePreview says what an edit changes before it is saved.
type ChangePreview struct {
	Wait     string // why nothing can be said yet
	Problem  string
	Totals   []TotalRow
	Rows     []ChangeRow
	More     string // how many changes are not listed
	Clocks   []string
	Warnings []string
	Same     string // said when nothing changes; "" leaves that to Problem
}

// Changes reports whether anybody gains or loses.
func (p ChangePreview) Changes() bool { return len(p.Totals) > 0 || len(p.Rows) > 0 }

// TotalRow is what one person gains or loses.
type TotalRow struct{ Name, Tone, Text string }

// ChangeRow is a time that goes from one person to another; "" is nobody.
type ChangeRow struct{ When, Layer, Was, Becomes string }

// Feeds are the calendars that programs subscribe to.
type Feeds struct {
	Page      Page
	Tabs      []Tab
	URL       string // of the feed just made, shown this once
	Error     string
	Rotations []Option
	Feeds     []FeedRow
	CanAct    bool
}

// FeedRow is one feed.
type FeedRow struct {
	ID     string
	Person bool // of a person, not of a rotation
	Name   string
	Owner  string
	Yours  bool
	At     time.Time
}

// invalid is the value of aria-invalid of a field with this error.
func invalid(err string) string {
	if err != "" {
		return "true"
	}
	return "false"
}

// otN reads a counted text of the catalogue's "oncall_web" area.
func otN(key string, count int) string { return phrase.N("oncall_web."+key, count) }
