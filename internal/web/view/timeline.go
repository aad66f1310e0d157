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
	if tl.Incident != 0 {
		return t("message.note", tl.Incident)
	}
	return t("message.placeholder")
}
