// Package alert is what monitoring tells us: one message about one entity. The
// parsers in ingest turn foreign bytes into an Alert; the rules in incident
// decide what it means. An Alert that was accepted is kept for ever as it came.
package alert

import (
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Type is what a message says about its entity. The text forms are those of
// VictorOps' REST endpoint, in lower case, and stable in storage.
type Type string

// The closed set of types.
const (
	Critical        Type = "critical"        // opens an incident and pages
	Warning         Type = "warning"         // opens an incident when the organisation says so
	Info            Type = "info"            // an entry, never an incident
	Acknowledgement Type = "acknowledgement" // somebody acknowledged it at the sender
	Recovery        Type = "recovery"        // all is well again
)

// Limits of what is kept, in characters; longer values are cut at a character
// boundary, the alert is kept (protocols: VictorOps REST, section 1.6).
const (
	MaxEntityID   = 512
	MaxMessage    = 20480
	MaxAnnotation = 1124
	MaxField      = 1024
)

// Alert is one accepted message.
type Alert struct {
	ID          id.Alert       // assigned by the store
	ReceivedAt  time.Time      // when it was decided on; set by the store's clock
	Integration id.Integration // through which it came
	RoutingKey  string         // as the sender spelled it; "" for none
	Incident    id.Incident    // the incident it belongs to; 0 for none

	Type       Type
	EntityID   string    // identity for roll-up; never empty after parsing
	Title      string    // entity_display_name, or the entity id; without both the message's first line
	Message    string    // long text
	StartedAt  time.Time // when the entity entered its state; zero when not said
	SentAt     time.Time // the sender's own time; zero when not said
	Tool       string    // monitoring_tool
	Host       string    // affected host, when said
	AckAuthor  string    // who acknowledged at the sender
	AckMessage string

	Annotations []Annotation
	Fields      map[string]string // custom fields: text as it is, anything else as JSON
	Raw         string            // the body as it came, valid UTF-8
}

// AnnotationKind says how an annotation is shown.
type AnnotationKind string

// The kinds of annotation: vo_annotate.u, .s and .i.
const (
	Link  AnnotationKind = "link"
	Note  AnnotationKind = "note"
	Image AnnotationKind = "image"
)

// Annotation is a link, note or picture that came with an alert.
type Annotation struct {
	Kind  AnnotationKind `json:"kind"`
	Title string         `json:"title"`
	Value string         `json:"value"`
}

// Cut shortens s to at most n characters (runes).
func Cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
