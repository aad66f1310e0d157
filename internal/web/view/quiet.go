package view

import (
	"time"

	"github.com/watchroom/watchroom/internal/phrase"
)

// mt reads the catalogue's "maintenance_web" area.
func mt(key string, args ...any) string { return phrase.T("maintenance_web."+key, args...) }

// ht reads the catalogue's "heartbeats" area.
func ht(key string, args ...any) string { return phrase.T("heartbeats."+key, args...) }

// dt reads the catalogue's "drills" area.
func dt(key string, args ...any) string { return phrase.T("drills."+key, args...) }

// MaintenanceList is every maintenance window, and the form for another.
type MaintenanceList struct {
	Page    Page
	Running []MaintenanceRow
	Planned []MaintenanceRow
	Past    []MaintenanceRow // the latest
	Muted   int              // alerts that wait for the end of a window
	Zone    string           // in which the form's times are
	Form    MaintenanceForm
	Open    bool // the form comes back
}

func (l MaintenanceList) empty() bool { return len(l.Running)+len(l.Planned)+len(l.Past) == 0 }

// MaintenanceRow is one window.
type MaintenanceRow struct {
	ID    string
	Name  string
	Scope string
	Note  string
	By    string
	Start time.Time
	End   time.Time // when it is over, or was
	Early bool      // somebody ended it
}

func (r MaintenanceRow) action() string { return "/settings/maintenance/" + r.ID + "/end" }

// MaintenanceForm is a window as typed.
type MaintenanceForm struct {
	Name, Keys, Entities, Start, End, Note string
	Teams                                  []Option
	Errors                                 map[string]string
	Error                                  string
}

// HeartbeatList is every monitored job, and the form for another.
type HeartbeatList struct {
	Page  Page
	Rows  []HeartbeatRow
	Form  HeartbeatForm
	Fresh FreshHeartbeat
}

// HeartbeatRow is one monitored job.
type HeartbeatRow struct {
	ID     string
	Name   string
	Slug   string
	Key    string // routing key
	Rhythm string // "every 5m", "0 3 * * * (Europe/Berlin)"
	State  string // "waiting", "ok", "late", "silent", "paused"
	LastAt time.Time
	DueAt  time.Time
}

func (r HeartbeatRow) action(what string) string { return "/settings/heartbeats/" + r.ID + what }

func (r HeartbeatRow) tone() string {
	switch r.State {
	case "ok":
		return "ok"
	case "late":
		return "warning"
	case "silent":
		return "critical"
	case "waiting":
		return "info"
	}
	return "muted"
}

func (r HeartbeatRow) icon() string {
	switch r.State {
	case "ok":
		return "check"
	case "silent", "late":
		return "warning"
	case "waiting":
		return "clock"
	}
	return ""
}

// HeartbeatForm is a job as typed.
type HeartbeatForm struct {
	Name, Slug, Every, Cron, Zone, Grace string
	Keys, Teams                          []Option
	Zones                                []string
	Errors                               map[string]string
	Error                                string
}

// FreshHeartbeat is the address of a job, shown once; URL is "" when there is none to show.
type FreshHeartbeat struct{ Name, URL, Curl string }

// DrillList is every drill, the form for another, and who has to be tried.
type DrillList struct {
	Page     Page
	Rows     []DrillRow
	Teams    []Option // for whom the viewer may plan one; empty: for none
	Zone     string
	Unproven []UnprovenRow
	Form     DrillForm
}

// DrillRow is one drill.
type DrillRow struct {
	ID, Name, Team  string
	State           string // "planned", "running", "over"
	At              time.Time
	Asked, Answered int
}

func (r DrillRow) href() string { return "/settings/drills/" + r.ID }

func drillTone(state string) string {
	switch state {
	case "running":
		return "warning"
	case "planned":
		return "info"
	}
	return "muted"
}

// UnprovenRow is a contact method that has not been proven for long.
type UnprovenRow struct {
	Name, Href, Method, Shown string
	LastAt                    time.Time // zero: never
}

// DrillForm is a drill as typed.
type DrillForm struct {
	Note, At string
	Errors   map[string]string
	Error    string
}

// DrillPageModel is one drill and its results.
type DrillPageModel struct {
	Page    Page
	Drill   DrillRow
	By      string
	Until   time.Time
	Results []DrillResultRow
	MayEnd  bool
}

// DrillResultRow is one page of a drill.
type DrillResultRow struct {
	Name, Method, Shown string
	State               string // of the delivery
	Detail              string
	SentAt              time.Time
	Arrived, Answered   string // "4 s"; "" when it has not
}

func (r DrillResultRow) tone() string {
	switch r.State {
	case "answered":
		return "ok"
	case "failed", "late":
		return "critical"
	case "delivered", "seen", "sent", "accepted":
		return "info"
	}
	return "muted"
}

// DrillAnswer is what somebody sees who opens the link of a drill's page.
type DrillAnswer struct {
	Page     Page
	Token    string
	Drill    string
	Answered bool
	Over     bool
}
