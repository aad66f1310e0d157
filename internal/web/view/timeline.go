package view

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

func dayOf(at time.Time, v Viewer) string { return at.In(v.zone()).Format(time.DateOnly) }

func dateValue(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format(time.DateOnly)
}

func number(inc id.Incident) string {
	if inc == 0 {
		return ""
	}
	return itoa(inc)
}

func has(list []string, s string) bool { return slices.Contains(list, s) }

func yes(on bool) string {
	if on {
		return "true"
	}
	return "false"
}

func groupIcon(group string) string {
	switch group {
	case "alerts":
		return "bell"
	case "incidents":
		return "eye"
	case "pages":
		return "page"
	case "oncall":
		return "oncall"
	case "chat":
		return "chat"
	}
	return "edit"
}

func composerLabel(tl Timeline) string {
	switch {
	case tl.Thread != 0:
		return cw("composer.thread")
	case tl.Incident != 0:
		return t("message.note", tl.Incident)
	case tl.Room != nil:
		return cw("composer.room", tl.Room.called())
	}
	return t("message.placeholder")
}

// composing is the box below a timeline.
func composing(tl Timeline) Composing {
	c := Composing{
		ID: "composer", Action: "/rooms/" + timelineRoom(tl) + "/messages", Room: timelineRoom(tl), Thread: tl.Thread,
		Label: composerLabel(tl), Incident: tl.Incident, Attachments: tl.Files,
	}
	if tl.Thread != 0 {
		c.ID = "composer-thread"
	}
	return c
}

// timelineRoom is the room of a timeline as addresses have it.
func timelineRoom(tl Timeline) string {
	if tl.Room == nil {
		return "main"
	}
	return RoomPath(tl.Room.ID)
}

func timelinePath(tl Timeline) string {
	switch {
	case tl.Incident != 0:
		return "/incidents/" + itoa(tl.Incident)
	case tl.Thread != 0:
		return "/threads/" + itoa(tl.Thread)
	case tl.Room != nil:
		return tl.Room.Href
	}
	return "/"
}

func timelineTitle(tl Timeline) string {
	if tl.Thread != 0 {
		return "panel-title"
	}
	return "timeline-title"
}

func timelineEmpty(r RoomHead) string {
	if r.Kind == "direct" || r.Kind == "group" {
		return cw("direct.beginning", r.Name)
	}
	return cw("room.empty", r.called())
}

func timelineBeginning(tl Timeline) string {
	switch {
	case tl.Room == nil:
		return t("timeline.beginning")
	case tl.Room.Kind == "direct" || tl.Room.Kind == "group":
		return cw("direct.beginning", tl.Room.Name)
	}
	return cw("room.beginning", tl.Room.called())
}
