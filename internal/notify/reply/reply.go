// Package reply reads what people write back to a page: "ack 123", "RES 123",
// "ack all". It is the same for every channel that carries plain text, so that
// a person has to learn it once.
//
// It promises to be strict where a mistake would silence an incident: a text
// that may mean something else ("a cat sat on it", "ack 12 13", "resolve this
// please") is not understood rather than guessed at. Whose incident it is, and
// what a word without a number answers, is for the caller to decide.
package reply

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
)

// Parse reads the first line of text. With ok, action is what is wanted and one
// of three things holds: inc is the number written, all is true ("ack all"), or
// neither, which answers the last page that this person got.
func Parse(text string) (action notify.Action, inc id.Incident, all, ok bool) {
	rest := firstLine(text)
	word := leading(rest, unicode.IsLetter)
	rest = strings.TrimLeft(rest[len(word):], " \t:#")
	short := false
	switch strings.ToLower(word) {
	case "ack", "acked", "acknowledge", "acknowledged":
		action = notify.Acknowledge
	case "res", "resolve", "resolved":
		action = notify.Resolve
	case "a":
		action, short = notify.Acknowledge, true
	case "r":
		action, short = notify.Resolve, true
	default:
		return "", 0, false, false
	}
	rest = strings.TrimRight(rest, " \t.!")
	switch {
	case rest == "" && !short: // one letter alone is a slip of the thumb
		return action, 0, false, true
	case strings.EqualFold(rest, "all"):
		return action, 0, true, true
	}
	if inc, ok = number(rest); !ok {
		return "", 0, false, false
	}
	return action, inc, false, true
}

// number reads the incident at the beginning of s. Words may follow ("ack 123
// on it"), a second number may not: one of two would be forgotten.
func number(s string) (id.Incident, bool) {
	digits := leading(s, func(r rune) bool { return r >= '0' && r <= '9' })
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n == 0 {
		return 0, false
	}
	after := s[len(digits):]
	if after == "" {
		return id.Incident(n), true
	}
	if strings.ContainsAny(after[:1], "-/_") || unicode.IsLetter([]rune(after)[0]) { // 123abc, 2026-01-02
		return 0, false
	}
	next := strings.TrimLeftFunc(after, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	second := next != "" && unicode.IsDigit([]rune(next)[0])
	return id.Incident(n), !second
}

// Subscription reports whether text is one of the words with which a phone's
// owner stops and starts messages. Carriers and providers act on them and
// answer them; they are never meant for us.
func Subscription(text string) bool {
	switch strings.ToLower(strings.TrimRight(firstLine(text), " .!")) {
	case "stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "optout", "revoke",
		"start", "unstop", "yes", "help", "info":
		return true
	}
	return false
}

// firstLine leaves out quotes and signatures that phones append.
func firstLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}

func leading(s string, is func(rune) bool) string {
	if end := strings.IndexFunc(s, func(r rune) bool { return !is(r) }); end >= 0 {
		return s[:end]
	}
	return s
}
