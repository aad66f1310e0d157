package view

import (
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Room is one incident and everything that belongs to it.
type Room struct {
	Page        Page
	Card        Incident
	PolicyHref  string
	Alerts      []AlertRow   // newest first
	MoreAlerts  int          // alerts that are not in Alerts
	Annotations []Annotation // of the latest alert that had some
	Pages       []Sent       // newest first
	Why         []Why        // why people were paged or not; the viewer first
	Responders  []PersonRow
	Steps       []StepRow
	Timeline    Timeline
	Options     Responders
}

// AlertRow is one received alert.
type AlertRow struct {
	ID      id.Alert
	At      time.Time
	Type    string // "critical", "warning", "recovery" …
	Title   string
	Message string
	Fields  []Detail
	Raw     string // as it came; JSON is shown indented
}

// Annotation is a link, note or picture that came with an alert. A picture is
// on another host, which learns who looks at it: it is loaded when somebody asks
// for it. The link to it stands there in any case.
type Annotation struct {
	Kind, Title, Value string

	Host string // of a picture that can be shown
	Show bool   // the reader has asked for it
	Href string // asks for it
}

// StepRow is one step of the policy and what became of it.
type StepRow struct {
	Number  int       // from 1
	State   string    // "done", "current", "waiting", "skipped"
	At      time.Time // when it started or will start; zero: not known yet
	Delay   string    // "at once", "5m after the step before"
	Targets []string
	Note    string
}

func annotationIcon(kind string) string {
	switch kind {
	case "link":
		return "link"
	case "image":
		return "image"
	}
	return "note"
}

func stepIcon(state string) string {
	switch state {
	case "done":
		return "check"
	case "current":
		return "page"
	case "skipped":
		return "skip"
	}
	return "clock"
}
