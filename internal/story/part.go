package story

import (
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/phrase"
)

func text(s string) []Part { return []Part{{Kind: Text, Text: s}} }

// because puts the reasons of package incident in words; a sentence stays one.
func because(why string) []Part {
	switch why {
	case "nothing_open", "already_acknowledged", "nobody_acknowledged", "no_steps":
		why = phrase.T("story.why." + why)
	}
	return text(why)
}

func subject(s string) []Part {
	if s == "" {
		s = phrase.T("story.unnamed")
	}
	return []Part{{Kind: Subject, Text: s}}
}

// quote keeps one line of what somebody wrote; the whole is in the details.
func quote(s string) []Part {
	return []Part{{Kind: Quote, Text: strings.TrimSpace(s)}}
}

func number(n int) []Part { return text(strconv.Itoa(n)) }

func method(name string) []Part {
	if phrase.Has("story.method." + name) {
		return text(phrase.T("story.method." + name))
	}
	return text(name)
}

// known keeps to the severities and types the catalogue has a text for.
func known(severity string) string {
	switch severity {
	case "critical", "warning", "info", "acknowledgement", "recovery":
		return severity
	}
	return "info"
}

func nth[T any](list []T, i int) T {
	var zero T
	if i >= len(list) {
		return zero
	}
	return list[i]
}
