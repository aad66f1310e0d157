package victorops

import (
	"strings"

	"github.com/watchroom/watchroom/internal/alert"
)

// messageType reads a message_type in any case. What is not known is Info, as
// the vendor documents it. The vendor takes its own words only (strict); the
// others are what it takes in mails, what Nagios calls its states, and what
// people write by hand, and turning those into Info would keep a page from
// somebody.
func messageType(word string, strict bool) alert.Type {
	word = strings.ToLower(word)
	switch word {
	case "critical":
		return alert.Critical
	case "warning":
		return alert.Warning
	case "info":
		return alert.Info
	case "acknowledgement":
		return alert.Acknowledgement
	case "recovery", "ok":
		return alert.Recovery
	}
	if strict {
		return alert.Info
	}
	switch word {
	case "problem", "down", "unreachable":
		return alert.Critical
	case "warn":
		return alert.Warning
	case "ack", "acked", "acknowledge", "acknowledged":
		return alert.Acknowledgement
	case "recovered", "resolved", "closed", "up":
		return alert.Recovery
	}
	return alert.Info // also "information", "informational" and Nagios' "unknown"
}
