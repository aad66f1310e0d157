package ical

import (
	"strings"

	"github.com/watchroom/watchroom/internal/phrase"
)

// line is one content line, unfolded (RFC 5545 §3.1). We read them ourselves:
// golang-ical's reader copies the rest of a line for every parameter, which a
// hostile calendar of one megabyte turns into minutes.
type line struct {
	number int    // of the first physical line, from 1
	name   string // upper case
	params map[string]string
	value  string // raw
}

// readLines unfolds and takes apart data. Blank lines are passed over.
func readLines(data string) ([]line, error) {
	data = strings.TrimPrefix(data, "\ufeff")
	var lines []line
	var current strings.Builder
	start := 0
	flush := func() error {
		if strings.TrimSpace(current.String()) == "" {
			current.Reset()
			return nil
		}
		l, ok := readLine(current.String())
		if !ok {
			return refuse("ical.line", start)
		}
		l.number = start
		lines = append(lines, l)
		current.Reset()
		return nil
	}
	number := 0
	for physical := range strings.SplitSeq(data, "\n") {
		number++
		physical = strings.TrimSuffix(physical, "\r")
		if number > 1 && (strings.HasPrefix(physical, " ") || strings.HasPrefix(physical, "\t")) {
			current.WriteString(physical[1:])
			continue
		}
		if err := flush(); err != nil {
			return nil, err
		}
		start = number
		current.WriteString(physical)
	}
	return lines, flush()
}

func readLine(s string) (line, bool) {
	end := strings.IndexAny(s, ";:")
	if end < 1 || strings.Trim(strings.ToUpper(s[:end]), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
		return line{}, false
	}
	l := line{name: strings.ToUpper(s[:end])}
	rest := s[end:]
	for strings.HasPrefix(rest, ";") {
		name, after, ok := strings.Cut(rest[1:], "=")
		if !ok || strings.ContainsAny(name, ":;\"") {
			return line{}, false
		}
		value, after, ok := readParam(after)
		if !ok {
			return line{}, false
		}
		if l.params == nil {
			l.params = map[string]string{}
		}
		l.params[strings.ToUpper(name)] = value
		rest = after
	}
	value, ok := strings.CutPrefix(rest, ":")
	l.value = value
	return l, ok
}

// readParam returns the value of a parameter without its quotes, and what
// follows. Of a list only the shape matters to us.
func readParam(s string) (value, rest string, ok bool) {
	quoted := false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ';' || c == ':'):
			return strings.ReplaceAll(s[:i], `"`, ""), s[i:], true
		}
	}
	return "", "", false
}

// unescape undoes the escaping of TEXT (§3.3.11).
func unescape(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\N`, "\n", `\;`, `;`, `\,`, `,`).Replace(s)
}

// Error says in a sentence for people why a calendar was refused.
type Error struct{ Sentence string }

func (e *Error) Error() string { return e.Sentence }

func refuse(key string, args ...any) error { return &Error{phrase.T(key, args...)} }
