package view

import (
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Room is one incident and everything that belongs to it.
type Room struct {
	Page        Page
	Card        Incident
	PolicyHref  string
	Alerts      []AlertRow   // newest first
	MoreAlerts  int          // alerts that are not in Alerts
	Annotations []Annotation // of the latest alert that had some
	Pages       []PageRow    // newest first
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

// Annotation is a link, note or picture that came with an alert. Whether a
// picture of another host is loaded is for the content security policy to say;
// the link to it stands there in any case.
type Annotation struct{ Kind, Title, Value string }

// PageRow is one page and its fate.
type PageRow struct {
	Name    string
	Method  string // "email"
	Address string
	State   string // "waiting", "sent", "retrying", "failed", "cancelled"
	At      time.Time
	Tries   int
	Detail  string // the provider's words
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

func pageTone(state string) string {
	switch state {
	case "sent":
		return "ok"
	case "retrying":
		return "warning"
	case "failed":
		return "critical"
	}
	return "muted"
}

func pageIcon(state string) string {
	switch state {
	case "sent":
		return "check"
	case "retrying":
		return "retry"
	case "failed":
		return "close"
	case "cancelled":
		return "skip"
	}
	return "clock"
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

func method(name string) string {
	if phrase.Has("story.method." + name) {
		return phrase.T("story.method." + name)
	}
	return name
}
