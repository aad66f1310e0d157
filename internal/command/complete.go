package command

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/phrase"
)

// maxCandidates is how many completions there are at most.
const maxCandidates = 20

// Completer knows the values that arguments may have: people, teams, rooms and
// so on, and those of commands that can say themselves.
type Completer interface {
	// Complete lists at most limit values of a that may be meant by prefix.
	Complete(d Declaration, a Arg, prefix string, limit int) []Candidate
}

// Candidate is one way to go on.
type Candidate struct {
	Text    string `json:"text"`  // what to put in the place of From to To
	Label   string `json:"label"` // what to show; "" is Text
	Summary string `json:"summary,omitempty"`
}

// Completion is how a line can go on at the cursor.
type Completion struct {
	From       int         `json:"from"` // bytes of the line
	To         int         `json:"to"`
	Candidates []Candidate `json:"candidates"`
	Usage      string      `json:"usage,omitempty"` // of the command, once there is one
	Arg        string      `json:"arg,omitempty"`   // the argument at the cursor
}

// Complete says how line, without address or sigil, can go on at the byte at.
// Only what the tree has is offered: ask it of Tree.Only.
func (t *Tree) Complete(line string, at int, values Completer) Completion {
	at = max(0, min(at, len(line)))
	for at > 0 && at < len(line) && !utf8.RuneStart(line[at]) {
		at--
	}
	head := line[:at]
	c := Completion{From: at, To: at}
	words := t.completeWords(head)
	d, after, unknown := t.command(head)
	if unknown != nil || after == len(head) {
		c.From, c.Candidates = len(head)-len(strings.TrimLeft(head, " \t\r\n")), words
		return c
	}
	c.Usage = Usage(d)
	t.completeArg(d, head, after, values, &c)
	if len(words) > 0 && len(c.Candidates) == 0 { // a longer command
		c.From, c.Candidates = len(head)-len(strings.TrimLeft(head, " \t\r\n")), words
	}
	c.Candidates = c.Candidates[:min(maxCandidates, len(c.Candidates))]
	return c
}

// completeWords are the commands that begin with what was typed, or, when there
// are none, that have it inside.
func (t *Tree) completeWords(head string) []Candidate {
	typed := strings.Join(strings.Fields(strings.ToLower(head)), " ")
	if strings.HasSuffix(head, " ") && typed != "" {
		typed += " "
	}
	var begin, inside []Candidate
	for _, d := range t.all {
		if d.Hidden {
			continue
		}
		c := Candidate{Text: d.Name() + " ", Label: Usage(d), Summary: d.Summary}
		i := slices.IndexFunc(d.Aliases, func(a string) bool { return strings.HasPrefix(a, typed) })
		switch {
		case strings.HasPrefix(d.Name(), typed):
			begin = append(begin, c)
		case i >= 0:
			c.Text = d.Aliases[i] + " "
			begin = append(begin, c)
		case len(typed) > 1 && strings.Contains(d.Name(), typed):
			inside = append(inside, c)
		}
	}
	all := slices.Concat(begin, inside)
	return all[:min(maxCandidates, len(all))]
}

// completeArg offers what the argument at the end of head may be.
func (t *Tree) completeArg(d Declaration, head string, after int, values Completer, c *Completion) {
	from, typed := lastToken(head, after)
	r := &reading{
		d: d, scan: scanner{line: head[:from], at: after}, named: map[string]bool{}, left: map[string]bool{}, values: map[string][]said{},
	}
	again, err := r.run()
	for again != "" {
		r.named[again] = true
		r = &reading{d: d, scan: scanner{line: head[:from], at: after}, named: r.named, left: map[string]bool{}, values: map[string][]said{}}
		again, err = r.run()
	}
	if e, ok := err.(*Error); ok && e.Code == Missing { //nolint:errorlint // run wraps nothing
		if a, ok := r.arg(e.Arg); ok { // "--env " waits for its value
			c.value(d, a, from, typed, values)
		}
		return
	}
	if err != nil {
		return
	}
	name, value, given := strings.Cut(typed, "=")
	switch {
	case r.only:
	case strings.HasPrefix(typed, "--") && given:
		if a, ok := r.arg(strings.TrimPrefix(name, "--")); ok {
			c.value(d, a, from+len(name)+1, value, values)
		}
		return
	case strings.HasPrefix(typed, "-"):
		c.options(r, from, typed)
		return
	default:
		name, value, given = strings.Cut(typed, ":")
		if a, ok := d.Arg(name); ok && given {
			c.value(d, a, from+len(name)+1, value, values)
			return
		}
	}
	if a, ok := r.position(); ok {
		c.value(d, a, from, typed, values)
	}
	if typed == "" && !r.only && r.scan.at == from && !r.restTaken() {
		c.options(r, from, "--")
	}
}

// restTaken reports whether the rest of the line has begun.
func (r *reading) restTaken() bool {
	return slices.ContainsFunc(r.d.Args, func(a Arg) bool { return a.takes() == Rest && len(r.values[a.Name]) > 0 })
}

// lastToken is the token that the cursor at the end of head is in, and where it
// begins; of an open quote what is in it so far.
func lastToken(head string, after int) (from int, typed string) {
	s := scanner{line: head, at: after}
	for s.more() {
		start := s.at
		if _, err := s.next(); err != nil {
			if opensQuote(head[start]) {
				return start, head[start+1:]
			}
			return start, head[start:]
		}
		if s.at == len(head) {
			return start, head[start:]
		}
	}
	return len(head), ""
}

// value offers values of a.
func (c *Completion) value(d Declaration, a Arg, from int, typed string, values Completer) {
	c.From, c.Arg = from, a.Name
	prefix := strings.ToLower(strings.TrimLeft(typed, `"'`))
	var fixed []string
	switch a.takes() {
	case Enum:
		fixed = a.Values
	case Bool:
		fixed = []string{"yes", "no"}
	case Duration:
		fixed = []string{"15m", "30m", "1h", "4h", "1d"}
	case Time:
		fixed = []string{"in 30m", "in 2h", "tomorrow 9:00", "monday 9:00"}
	case Rest, Secret, Int:
		return
	default:
		for _, one := range values.Complete(d, a, strings.TrimLeft(typed, `"'`), maxCandidates) {
			if one.Label == "" {
				one.Label = one.Text
			}
			one.Text = quoteValue(one.Text) + " "
			c.Candidates = append(c.Candidates, one)
		}
		return
	}
	for _, v := range fixed {
		if strings.HasPrefix(strings.ToLower(v), prefix) {
			c.Candidates = append(c.Candidates, Candidate{Text: v + " ", Label: v})
		}
	}
}

// options offers the options that were not given yet.
func (c *Completion) options(r *reading, from int, typed string) {
	offer := func(a Arg, summary string) {
		text := "--" + a.Name
		if len(r.values[a.Name]) > 0 && !a.Many || !strings.HasPrefix(text, strings.ToLower(typed)) {
			return
		}
		one := Candidate{Text: text + " ", Label: text, Summary: summary}
		if a.takes() != Bool {
			one.Text = text + "="
		}
		c.Candidates = append(c.Candidates, one)
	}
	c.From = from
	for _, a := range r.d.Args {
		if a.Option || typed != "--" { // by position goes without saying
			offer(a, about(a))
		}
	}
	for _, a := range universal {
		offer(a, phrase.T("command.complete."+a.Name))
	}
}
