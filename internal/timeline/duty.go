package timeline

import (
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// The payloads about who is on duty. Instants are UTC; a zero End is never.
// Fields are stable in storage.
type (
	// Shift says that from the entry's instant on somebody else is on call.
	Shift struct {
		Rotation     id.Rotation `json:"rotation"`
		RotationName string      `json:"rotation_name"`
		Layer        int         `json:"layer"` // from 0
		LayerName    string      `json:"layer_name,omitempty"`
		From         id.User     `json:"from,omitempty"` // "" when nobody was
		FromName     string      `json:"from_name,omitempty"`
		To           id.User     `json:"to,omitempty"` // "" when nobody is
		ToName       string      `json:"to_name,omitempty"`
		Override     bool        `json:"override,omitempty"` // because of an override, not of the rota
		Until        time.Time   `json:"until,omitzero"`     // when To's duty ends
	}
	// Cover is somebody on duty in somebody's place, for a time.
	Cover struct {
		Override     string      `json:"override"` // its id
		Rotation     id.Rotation `json:"rotation,omitempty"`
		RotationName string      `json:"rotation_name,omitempty"`
		User         id.User     `json:"user,omitempty"` // whose duty it is by the rota
		Name         string      `json:"name,omitempty"`
		By           id.User     `json:"by,omitempty"` // who has it instead
		ByName       string      `json:"by_name,omitempty"`
		Start        time.Time   `json:"start"`
		End          time.Time   `json:"end,omitzero"`
		Note         string      `json:"note,omitempty"`
	}
	// Taken is a Cover that By took with one click.
	Taken Cover
	// HandedBack ends it: the rota's person is on duty again.
	HandedBack Cover
	// Overridden is a Cover that was planned.
	Overridden Cover
	// OverrideGone is a Cover that was taken away.
	OverrideGone Cover
	// Swap asks a colleague to take a shift.
	Swap struct {
		Swap         string      `json:"swap"` // its id
		Rotation     id.Rotation `json:"rotation,omitempty"`
		RotationName string      `json:"rotation_name,omitempty"`
		From         id.User     `json:"from"` // whose shift it is
		FromName     string      `json:"from_name"`
		To           id.User     `json:"to"` // who is asked
		ToName       string      `json:"to_name"`
		Start        time.Time   `json:"start"`
		End          time.Time   `json:"end"`
		Note         string      `json:"note,omitempty"`
	}
	// SwapAnswer is the colleague's answer.
	SwapAnswer struct {
		Swap         string      `json:"swap"`
		Rotation     id.Rotation `json:"rotation,omitempty"`
		RotationName string      `json:"rotation_name,omitempty"`
		From         id.User     `json:"from"`
		FromName     string      `json:"from_name"`
		To           id.User     `json:"to"`
		ToName       string      `json:"to_name"`
		Start        time.Time   `json:"start"`
		End          time.Time   `json:"end"`
		Accepted     bool        `json:"accepted"`
		Note         string      `json:"note,omitempty"`
	}
	// Absence is a time in which somebody is away.
	Absence struct {
		Absence string    `json:"absence"` // its id
		User    id.User   `json:"user"`
		Name    string    `json:"name"`
		Start   time.Time `json:"start"`
		End     time.Time `json:"end"`
		Note    string    `json:"note,omitempty"`
	}
	// AbsenceGone takes it back.
	AbsenceGone Absence
	// Uncovered is something that will leave an alert without a person: a gap, a
	// member without a contact method, a policy that reaches nobody.
	Uncovered struct {
		Problem string    `json:"problem"` // the same for as long as it is the same problem
		Object  string    `json:"object"`  // "rotation Primary"
		Text    string    `json:"text"`
		Start   time.Time `json:"start,omitzero"` // for a gap: when it begins
		End     time.Time `json:"end,omitzero"`
	}
	// Covered says that an Uncovered is over.
	Covered struct {
		Problem string `json:"problem"`
		Object  string `json:"object"`
		Text    string `json:"text"`
	}
	// Maintenance is a time in which some alerts open no incident.
	Maintenance struct {
		Maintenance string    `json:"maintenance"` // its id
		Name        string    `json:"name"`
		Scope       string    `json:"scope,omitempty"` // which alerts, in words
		Until       time.Time `json:"until,omitzero"`
	}
	// MaintenanceOver ends it.
	MaintenanceOver struct {
		Maintenance string `json:"maintenance"`
		Name        string `json:"name"`
		Held        int    `json:"held"` // alerts that open an incident now, for nothing has recovered since
	}
	// Silence is a monitored job that did not call in.
	Silence struct {
		Heartbeat string    `json:"heartbeat"` // its id
		Name      string    `json:"name"`
		LastAt    time.Time `json:"last_at,omitzero"` // when it called last; zero: never
		DueAt     time.Time `json:"due_at"`           // when it should have, grace included
	}
	// Beat is the job that calls in again.
	Beat struct {
		Heartbeat string    `json:"heartbeat"`
		Name      string    `json:"name"`
		LastAt    time.Time `json:"last_at,omitzero"` // when it had called before the silence
	}
	// Drill is a test page to people, a real one that says that it is a test.
	Drill struct {
		Drill string    `json:"drill"` // its id
		Name  string    `json:"name"`
		Users []id.User `json:"users"`
		Names []string  `json:"names"`
	}
	// DrillOver is its result in short.
	DrillOver struct {
		Drill    string `json:"drill"`
		Name     string `json:"name"`
		Answered int    `json:"answered"` // how many people answered
		Asked    int    `json:"asked"`    // of how many
	}
)

// Kind implements Payload.
func (Shift) Kind() Kind           { return ShiftChanged }
func (Taken) Kind() Kind           { return OnCallTaken }
func (HandedBack) Kind() Kind      { return OnCallHandedBack }
func (Overridden) Kind() Kind      { return OverrideAdded }
func (OverrideGone) Kind() Kind    { return OverrideRemoved }
func (Swap) Kind() Kind            { return SwapAsked }
func (SwapAnswer) Kind() Kind      { return SwapAnswered }
func (Absence) Kind() Kind         { return AbsenceAdded }
func (AbsenceGone) Kind() Kind     { return AbsenceRemoved }
func (Uncovered) Kind() Kind       { return CoverageProblem }
func (Covered) Kind() Kind         { return CoverageRestored }
func (Maintenance) Kind() Kind     { return MaintenanceStarted }
func (MaintenanceOver) Kind() Kind { return MaintenanceEnded }
func (Silence) Kind() Kind         { return HeartbeatMissed }
func (Beat) Kind() Kind            { return HeartbeatResumed }
func (Drill) Kind() Kind           { return DrillStarted }
func (DrillOver) Kind() Kind       { return DrillEnded }
