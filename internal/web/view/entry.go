package view

import (
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/story"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Entry is one line of the timeline, ready to be drawn.
type Entry struct {
	Seq      id.Seq
	At       time.Time
	Kind     timeline.Kind
	Group    string // one of Groups
	Tone     string
	Icon     string
	Parts    []story.Part
	Incident id.Incident // 0 for none
	Actor    string      // who did it, as people say it
	ActorID  id.User     // "" when it was no person
	Via      string      // how it was done when that is worth saying: "by mail", "API"; else ""
	Chat     bool        // drawn as what a person said
	Msg      *Message    // of what was said; nil: it was something else
	Body     string      // a longer text that can be opened
	Details  []Detail    // further facts that can be opened
}

// Detail is a fact that is shown when an entry is opened.
type Detail struct{ Label, Value string }

// Groups are the kinds of entries a person chooses from, in order.
func Groups() []string { return []string{"alerts", "incidents", "pages", "oncall", "chat", "changes"} }

// GroupOf is the group a kind belongs to.
func GroupOf(kind timeline.Kind) string {
	switch kind {
	case timeline.AlertReceived, timeline.IncidentTriggered, timeline.IncidentUpdated, timeline.IncidentRetriggered,
		timeline.HeartbeatMissed, timeline.HeartbeatResumed:
		return "alerts"
	case timeline.StepStarted, timeline.StepSkipped, timeline.EscalationExhausted,
		timeline.StepTold, timeline.EscalationWaits, timeline.EscalationHandedOver,
		timeline.PageSent, timeline.PageRetrying, timeline.PageFailed,
		timeline.PageDelivered, timeline.PageAnswered, timeline.PageMovedOn, timeline.PageHeld,
		timeline.DrillStarted, timeline.DrillEnded:
		return "pages"
	case timeline.ShiftChanged, timeline.OnCallTaken, timeline.OnCallHandedBack, timeline.OverrideAdded, timeline.OverrideRemoved,
		timeline.SwapAsked, timeline.SwapAnswered, timeline.AbsenceAdded, timeline.AbsenceRemoved,
		timeline.CoverageProblem, timeline.CoverageRestored:
		return "oncall"
	case timeline.MessagePosted, timeline.NoteAdded, timeline.MessageEdited, timeline.MessageDeleted, timeline.MessageLinked,
		timeline.MessagePinned, timeline.MessageUnpinned, timeline.ReactionAdded, timeline.ReactionRemoved,
		timeline.RoomOpened, timeline.RoomChanged, timeline.RoomClosed:
		return "chat"
	case timeline.OrgChanged, timeline.MaintenanceStarted, timeline.MaintenanceEnded, timeline.RecordsRemoved:
		return "changes"
	}
	return "incidents"
}

// KindsOf are the kinds of the named groups; nil, which is all of them, when no group is named.
func KindsOf(groups []string) []timeline.Kind {
	if len(groups) == 0 {
		return nil
	}
	var out []timeline.Kind
	for _, kind := range timeline.Kinds {
		if slices.Contains(groups, GroupOf(kind)) {
			out = append(out, kind)
		}
	}
	return out
}

// Names are what people, teams and the words of messages become when they are
// drawn.
type Names struct {
	story.Names
	Words   func(text string) string // the markup of a message; nil: package markdown's, without names
	Picture string                   // of the bot; "": ours
}

func (n Names) words(text string) string {
	if n.Words == nil {
		return markdownHTML(text)
	}
	return n.Words(text)
}

// Describe makes an entry ready to be drawn; it is a function of its arguments alone.
func Describe(e timeline.Entry, names Names) Entry {
	out := Entry{
		Seq: e.Seq, At: e.At, Kind: e.Kind, Group: GroupOf(e.Kind), Incident: e.Incident,
		Parts: story.Parts(e, names.Names), Actor: actorName(e.Actor, names.Names), ActorID: e.Actor.User, Via: via(e.Actor.Origin),
	}
	out.Tone, out.Icon = look(e)
	if e.Kind == timeline.MessagePinned || e.Kind == timeline.MessageLinked {
		out.Parts = inWords(out.Parts)
	}
	switch p := e.Payload.(type) {
	case timeline.Message:
		out.Chat, out.Msg = true, said(e, p, names)
	case timeline.Noted:
		out.Chat, out.Parts = true, []story.Part{{Kind: story.Quote, Text: p.Text}}
		out.Msg = &Message{HTML: names.words(p.Text), Fixed: true}
	case timeline.AlertBody:
		out.Body = p.Message
		out.add("type", p.Type).add("entity", p.EntityID).add("tool", p.Tool).add("key", p.RoutingKey)
	case timeline.Triggered:
		out.Body = p.Message
		out.add("severity", p.Severity).add("entity", p.EntityID).add("host", p.Host).add("tool", p.Tool)
		out.add("key", p.RoutingKey).add("policy", p.PolicyName)
		if p.Default {
			out.add("route", t("entry.default_route"))
		}
	case timeline.Updated:
		out.Body = p.Message
		out.add("severity", p.Severity).add("alerts", itoa(p.Count))
	case timeline.Retriggered:
		out.Body = p.Message
		out.add("severity", p.Severity).add("alerts", itoa(p.Count))
	case timeline.Step:
		for i, why := range p.Why {
			if i < len(p.Names) {
				out.Details = append(out.Details, Detail{p.Names[i], why})
			}
		}
	case timeline.PageState:
		out.page(p)
	case timeline.PageRetry:
		out.page(timeline.PageState(p))
	case timeline.PageLost:
		out.page(timeline.PageState(p))
	case timeline.Change:
		out.add("fields", strings.Join(p.Fields, ", "))
	default:
		out.describeMore(e.Payload)
	}
	return out
}

// describeMore adds the details of the kinds that were added after the first ones.
func (e *Entry) describeMore(payload timeline.Payload) {
	switch p := payload.(type) {
	case timeline.Told:
		e.add("without", p.Why)
	case timeline.PageArrived:
		e.page(timeline.PageState(p))
	case timeline.PageReply:
		e.add("answer", p.Text)
	case timeline.Shift:
		e.add("layer", p.LayerName)
	case timeline.Taken:
		e.add("note", p.Note)
	case timeline.HandedBack:
		e.add("note", p.Note)
	case timeline.Overridden:
		e.add("note", p.Note)
	case timeline.OverrideGone:
		e.add("note", p.Note)
	case timeline.Swap:
		e.add("note", p.Note)
	case timeline.SwapAnswer:
		e.add("note", p.Note)
	case timeline.Absence:
		e.add("note", p.Note)
	case timeline.Maintenance:
		e.add("scope", p.Scope)
	}
}

func (e *Entry) add(label, value string) *Entry {
	if value != "" {
		e.Details = append(e.Details, Detail{t("detail." + label), value})
	}
	return e
}

func (e *Entry) page(p timeline.PageState) {
	e.add("to", p.Address).add("try", itoa(p.Attempt)).add("answer", p.Detail)
}

func actorName(a timeline.Actor, names story.Names) string {
	if a.User != "" && names.User != nil {
		if name := names.User(a.User); name != "" {
			return name
		}
	}
	if a.Name != "" {
		return a.Name
	}
	return phrase.T("story.actor." + string(a.Origin))
}

func via(origin timeline.Origin) string {
	switch origin {
	case timeline.API, timeline.Mail, timeline.Command:
		return t("via." + string(origin))
	}
	return ""
}

// look is the tone and the icon of an entry.
func look(e timeline.Entry) (tone, icon string) {
	switch p := e.Payload.(type) {
	case timeline.AlertBody:
		return severityTone(p.Type), severityIcon(p.Type)
	case timeline.Triggered:
		return severityTone(p.Severity), severityIcon(p.Severity)
	case timeline.Updated:
		return severityTone(p.Severity), severityIcon(p.Severity)
	case timeline.Retriggered:
		return severityTone(p.Severity), severityIcon(p.Severity)
	}
	switch e.Kind {
	case timeline.IncidentAcknowledged:
		return "accent", "eye"
	case timeline.IncidentUnacknowledged:
		return "warning", "undo"
	case timeline.IncidentResolved:
		return "ok", "resolve"
	case timeline.IncidentSnoozed:
		return "accent", "snooze"
	case timeline.SnoozeEnded:
		return "warning", "snooze"
	case timeline.IncidentRerouted:
		return "accent", "reroute"
	case timeline.ResponderAdded:
		return "accent", "add-person"
	case timeline.NoteAdded:
		return "muted", "note"
	case timeline.StepStarted:
		return "muted", "stairs"
	case timeline.StepSkipped:
		return "warning", "skip"
	case timeline.EscalationExhausted:
		return "warning", "warning"
	case timeline.PageSent:
		return "muted", "page"
	case timeline.PageRetrying:
		return "warning", "retry"
	case timeline.PageFailed:
		return "critical", "page-failed"
	case timeline.MessagePosted:
		return "muted", "chat"
	}
	return lookMore(e)
}

func lookMore(e timeline.Entry) (tone, icon string) {
	switch e.Kind {
	case timeline.ResponderAcknowledged:
		return "accent", "eye"
	case timeline.AckExpired:
		return "warning", "undo"
	case timeline.StepTold:
		return "muted", "send"
	case timeline.EscalationWaits:
		return "muted", "clock"
	case timeline.EscalationHandedOver:
		return "muted", "reroute"
	case timeline.PageDelivered, timeline.PageAnswered:
		return "muted", "check"
	case timeline.PageMovedOn:
		return "warning", "skip"
	case timeline.PageHeld:
		return "warning", "clock"
	case timeline.ShiftChanged:
		if p, ok := e.Payload.(timeline.Shift); ok && p.To == "" {
			return "warning", "oncall"
		}
		return "muted", "oncall"
	case timeline.OnCallTaken, timeline.OnCallHandedBack:
		return "accent", "oncall"
	case timeline.OverrideAdded, timeline.OverrideRemoved, timeline.SwapAsked, timeline.SwapAnswered,
		timeline.AbsenceAdded, timeline.AbsenceRemoved:
		return "muted", "calendar"
	case timeline.CoverageProblem:
		return "warning", "warning"
	case timeline.CoverageRestored, timeline.HeartbeatResumed:
		return "ok", "ok"
	case timeline.HeartbeatMissed:
		return "warning", "bell"
	case timeline.MaintenanceStarted, timeline.MaintenanceEnded:
		return "accent", "settings"
	case timeline.MessagePinned:
		return "muted", "pin"
	case timeline.MessageLinked:
		return "accent", "link"
	case timeline.RoomOpened, timeline.RoomChanged, timeline.RoomClosed:
		return "muted", "hash"
	case timeline.DrillStarted, timeline.DrillEnded:
		return "accent", "page"
	case timeline.RecordsRemoved:
		return "muted", "clock"
	}
	return "muted", "change"
}

// Filter is what a timeline is narrowed to, and what it can be narrowed to.
type Filter struct {
	Groups   []string // none: all
	Team     string
	Person   string
	Incident id.Incident
	Text     string
	At       time.Time // the date jumped to; zero: the present
	Teams    []Option
	People   []Option
}

// Active reports whether anything is left out.
func (f Filter) Active() bool {
	return len(f.Groups) > 0 || f.Team != "" || f.Person != "" || f.Incident != 0 || f.Text != ""
}

// Timeline is the middle pane, or the timeline of one incident.
type Timeline struct {
	Entries  []Entry // oldest first
	Older    bool    // there are older ones
	Newer    bool    // there are newer ones: the reader jumped to a date
	Head     id.Seq  // the newest number there was when the page was made, filtered or not
	Epoch    string  // of which history the numbers are
	Filter   Filter
	Incident id.Incident // set in an incident's room
	Room     *RoomHead   // nil: the organisation's timeline
	Thread   id.Seq      // set in a thread
	Read     id.Seq      // the reader has read up to here; 0: not known
	Unread   int         // messages after it
	Removed  time.Time   // when older lines were removed last; zero: never
	Files    bool        // can be uploaded
	CanPost  bool
}

// more reports whether there is something to open.
func (e Entry) more() bool { return e.Body != "" || len(e.Details) > 0 }
