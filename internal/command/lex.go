package command

import (
	"strings"

	"github.com/watchroom/watchroom/internal/phrase"
)

// token is one word of a line.
type token struct {
	start, end int    // in the line
	text       string // what it says, without quotes
	quoted     bool   // all of it stood in quotes or code: never a word, an option or a pipe
	// lead is what stands before a first = or : of --name=value and name:value,
	// with value after it.
	lead  string
	sep   byte // '=', ':' or 0
	value string
}

// bare reports whether t is what it looks like: nothing of it was quoted.
func (t token) bare() bool { return !t.quoted && t.end-t.start == len(t.text) }

// option reports whether t begins an option.
func (t token) option() bool { return !t.quoted && strings.HasPrefix(t.text, "--") && len(t.text) > 2 }

// name is that of an option.
func (t token) name() string {
	if t.sep == '=' {
		return strings.TrimPrefix(t.lead, "--")
	}
	return strings.TrimPrefix(t.text, "--")
}

// scanner reads tokens one by one, so that the rest of a line may be anything.
type scanner struct {
	line string
	at   int
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// more skips what separates tokens.
func (s *scanner) more() bool {
	for s.at < len(s.line) && isSpace(s.line[s.at]) {
		s.at++
	}
	return s.at < len(s.line)
}

// next reads a token; more has said that there is one.
func (s *scanner) next() (token, *Error) {
	t := token{start: s.at}
	if opensQuote(s.line[s.at]) {
		text, err := s.quote()
		if err != nil {
			return t, err
		}
		t.end, t.text, t.quoted = s.at, text, true
		return t, nil
	}
	for s.at < len(s.line) && !isSpace(s.line[s.at]) {
		c := s.line[s.at]
		if t.sep != 0 || c != '=' && c != ':' {
			s.at++
			continue
		}
		lead := s.line[t.start:s.at]
		if name, dashed := strings.CutPrefix(lead, "--"); !argName.MatchString(name) || c == '=' && !dashed {
			s.at++
			continue
		}
		t.lead, t.sep = lead, c
		s.at++
		if s.at < len(s.line) && opensQuote(s.line[s.at]) {
			value, err := s.quote()
			if err != nil {
				return t, err
			}
			t.end, t.value = s.at, value
			t.text = lead + string(c) + value
			return t, nil
		}
	}
	t.end = s.at
	t.text = s.line[t.start:t.end]
	if t.sep != 0 {
		t.value = t.text[len(t.lead)+1:]
	}
	return t, nil
}

func opensQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

// quote reads from an opening quote to behind its end.
func (s *scanner) quote() (string, *Error) {
	open := s.at
	var text string
	var ok bool
	switch s.line[open] {
	case '\'':
		text, ok = s.until(open+1, "'")
	case '`':
		text, ok = s.code()
	default:
		text, ok = s.double()
	}
	if !ok {
		return "", &Error{Code: Unclosed, Start: open, End: len(s.line), Sentence: phrase.T("command.unclosed", string(s.line[open]))}
	}
	if s.at < len(s.line) && !isSpace(s.line[s.at]) {
		return "", &Error{Code: Glued, Start: s.at, End: s.at + 1, Sentence: phrase.T("command.glued", string(s.line[open]))}
	}
	return text, nil
}

func (s *scanner) until(from int, end string) (string, bool) {
	i := strings.Index(s.line[from:], end)
	if i < 0 {
		return "", false
	}
	s.at = from + i + len(end)
	return s.line[from : from+i], true
}

// double reads "…", in which \" \\ and \n are escapes and no other backslash is.
func (s *scanner) double() (string, bool) {
	var b strings.Builder
	for i := s.at + 1; i < len(s.line); i++ {
		switch c := s.line[i]; {
		case c == '"':
			s.at = i + 1
			return b.String(), true
		case c == '\\' && i+1 < len(s.line) && strings.IndexByte(`"\n`, s.line[i+1]) >= 0:
			i++
			if s.line[i] == 'n' {
				b.WriteByte('\n')
			} else {
				b.WriteByte(s.line[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// code reads a code span or block: from a run of backticks to the next run of
// the same length. The language of a block and its last line end are no part of it.
func (s *scanner) code() (string, bool) {
	end, inner := codeSpan(s.line, s.at)
	if end < 0 {
		return "", false
	}
	fence := ticks(s.line, s.at)
	s.at = end
	if fence < 3 {
		return inner, true
	}
	if first, rest, ok := strings.Cut(inner, "\n"); ok && !strings.ContainsAny(strings.TrimSpace(first), " \t") {
		inner = rest
	}
	return strings.TrimSuffix(inner, "\n"), true
}

// codeSpan finds where the code that opens at i ends; -1 when it does not.
func codeSpan(line string, i int) (end int, inner string) {
	n := ticks(line, i)
	for at := i + n; at < len(line); {
		next := strings.IndexByte(line[at:], '`')
		if next < 0 {
			break
		}
		at += next
		run := ticks(line, at)
		if run == n {
			return at + run, line[i+n : at]
		}
		at += run
	}
	return -1, ""
}

func ticks(line string, i int) int {
	n := 0
	for i+n < len(line) && line[i+n] == '`' {
		n++
	}
	return n
}

// quoteValue writes a value so that it is read back as one positional value,
// whatever it looks like.
func quoteValue(v string) string {
	if safe.MatchString(v) && !strings.HasPrefix(v, "--") {
		if lead, _, ok := strings.Cut(v, ":"); !ok || !argName.MatchString(lead) {
			return v
		}
	}
	return strongQuote(v)
}

func strongQuote(v string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(v) + `"`
}
