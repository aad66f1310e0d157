package command

import (
	"errors"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/phrase"
)

// said is one value as it was typed.
type said struct {
	text       string
	start, end int
	byName     bool
}

// reading is what a line gives before anything is resolved.
type reading struct {
	d       Declaration
	scan    scanner
	named   map[string]bool // arguments that are given by name, so never by position
	left    map[string]bool // optional ones that were left out for the next
	values  map[string][]said
	options Options
	only    bool // values alone from here on: "--" was read
}

// read sorts the tokens of a line to the arguments of its command. An argument
// that is given by name after another took its place by position is found by
// reading once more.
func (t *Tree) read(d Declaration, line string, after int) (*reading, error) {
	named := map[string]bool{}
	for {
		r := &reading{d: d, scan: scanner{line: line, at: after}, named: named, left: map[string]bool{}, values: map[string][]said{}}
		again, err := r.run()
		switch {
		case again != "":
			named[again] = true // at most once for every argument
		case err != nil:
			return r, err
		default:
			return r, nil
		}
	}
}

// run reads to the end. again names an argument that is given by name but was
// taken to be given by position.
func (r *reading) run() (again string, wrong error) {
	for r.scan.more() {
		if r.takeRest(false) {
			continue // options may end it
		}
		from := r.scan.at
		tok, err := r.scan.next()
		if err != nil {
			r.scan.at = from
			if r.takeRest(true) { // an apostrophe in plain words
				continue
			}
			return "", err
		}
		switch {
		case r.only:
			again, wrong = r.byPosition(tok)
		case tok.bare() && tok.text == "--":
			r.only = true
		case tok.option():
			again, wrong = r.option(tok)
		case tok.sep == ':' && r.has(tok.lead):
			again, wrong = r.byName(tok)
		case isPipe(tok):
			wrong = &Error{Code: NotYet, Start: tok.start, End: tok.end, Sentence: phrase.T("command.not_yet", brief(tok.text))}
		default:
			again, wrong = r.byPosition(tok)
		}
		if again != "" || wrong != nil {
			return again, wrong
		}
	}
	return "", nil
}

func isPipe(t token) bool {
	if t.quoted {
		return false
	}
	if strings.HasPrefix(t.text, "|") || t.text == ">" || t.text == ">>" {
		return true
	}
	target, ok := strings.CutPrefix(t.text, ">")
	return ok && (strings.HasPrefix(target, "#") || strings.HasPrefix(target, "@") || slices.Contains([]string{"here", "me", "thread"}, target))
}

func (r *reading) has(name string) bool {
	_, ok := r.arg(name)
	return ok
}

// arg finds an argument or an option of every command.
func (r *reading) arg(name string) (a Arg, ok bool) {
	if a, ok = r.d.Arg(name); ok {
		return a, true
	}
	i := slices.IndexFunc(universal, func(o Arg) bool { return o.Name == name })
	if i < 0 {
		return Arg{}, false
	}
	return universal[i], true
}

// position is the argument that the next value by position belongs to.
func (r *reading) position() (Arg, bool) {
	for _, a := range r.d.Args {
		if !a.Option && !r.named[a.Name] && !r.left[a.Name] && (a.Many || len(r.values[a.Name]) == 0) {
			return a, true
		}
	}
	return Arg{}, false
}

// takeRest gives what is left of the line to an argument that takes it as it
// is, when that is the next one and no option stands before it. desperate also
// leaves out optional arguments, because what follows is no token at all.
func (r *reading) takeRest(desperate bool) bool {
	for _, a := range r.d.Args {
		switch {
		case a.Option || r.named[a.Name] || r.left[a.Name] || len(r.values[a.Name]) > 0:
			continue
		case a.takes() != Rest && (a.Required || !desperate || !a.plain()):
			return false
		case a.takes() != Rest:
			continue
		}
		from := r.scan.at
		if !desperate && !r.only {
			tok, err := r.scan.next()
			r.scan.at = from
			if err == nil && (tok.option() || tok.bare() && tok.text == "--" || tok.sep == ':' && r.has(tok.lead) || !tok.quoted && strings.HasPrefix(tok.text, "|")) {
				return false
			}
		}
		r.scan.at = len(r.scan.line)
		if !r.only {
			r.scan.at = from + r.d.tail(r.scan.line[from:])
		}
		text := strings.TrimRight(r.scan.line[from:r.scan.at], " \t\r\n")
		r.values[a.Name] = []said{{text: text, start: from, end: from + len(text)}}
		return true
	}
	return false
}

// tail is where, in the rest of a line, options that end it begin: people write
// "lock shop database move --for 2h --private". One of them has to be the command's
// own; what else looks like an option belongs to the words, and so does a quote
// that does not end.
func (d Declaration) tail(rest string) int {
	r := &reading{d: d, scan: scanner{line: rest}, values: map[string][]said{}}
	begin := -1
	for first := true; r.scan.more(); first = false {
		tok, err := r.scan.next()
		if err != nil {
			tok.end = tok.start + len(untilSpace(rest[tok.start:]))
		}
		switch {
		case first || err != nil || !r.ends(tok):
			begin, r.scan.at = -1, tok.end
			clear(r.values)
		case begin < 0:
			begin = tok.start
		}
	}
	if begin < 0 || len(r.values) == 0 {
		return len(rest)
	}
	return begin
}

func untilSpace(s string) string {
	if i := strings.IndexAny(s, " \t\r\n"); i >= 0 {
		return s[:i]
	}
	return s
}

// ends reads an option that may end the words before it. One whose value is
// wrong is one, too: that is said, and it is not lost among the words.
func (r *reading) ends(tok token) bool {
	name := strings.ToLower(tok.name())
	a, ok := r.arg(name)
	if !ok {
		a, ok = r.arg(strings.TrimPrefix(name, "no-"))
	}
	if _, own := r.d.Arg(a.Name); !tok.option() || !ok || own && !a.Option {
		return false
	}
	_, wrong := r.option(tok)
	e, ok := errors.AsType[*Error](wrong)
	return !ok || e.Code == Twice || e.Code == Invalid
}

// option reads --name, --name=value, --name value and --no-name.
func (r *reading) option(tok token) (again string, wrong error) {
	name := tok.name()
	lower := strings.ToLower(name)
	a, ok := r.arg(lower)
	off, negated := strings.CutPrefix(lower, "no-")
	switch {
	case ok && a.takes() == Bool && tok.sep != '=':
		return r.put(a, said{text: "true", start: tok.start, end: tok.end, byName: true})
	case ok && tok.sep == '=':
		return r.put(a, r.span(a, tok.value, tok.start+len(tok.lead)+1, tok.end, tok.bare()))
	case ok:
		if !r.scan.more() {
			return "", &Error{Code: Missing, Arg: a.Name, Start: tok.start, End: tok.end, Sentence: phrase.T("command.option_value", a.Name)}
		}
		value, err := r.scan.next()
		if err != nil {
			err.Arg = a.Name
			return "", err
		}
		if value.option() {
			return "", &Error{Code: Missing, Arg: a.Name, Start: tok.start, End: tok.end, Sentence: phrase.T("command.option_value", a.Name)}
		}
		return r.put(a, r.span(a, value.text, value.start, value.end, value.bare()))
	case negated && tok.sep == 0:
		if a, ok := r.arg(off); ok && a.takes() == Bool {
			return r.put(a, said{text: "false", start: tok.start, end: tok.end, byName: true})
		}
	}
	return "", r.noOption(name, tok)
}

func (r *reading) noOption(name string, tok token) error {
	e := &Error{Code: UnknownOption, Start: tok.start, End: tok.end}
	var names []string
	for _, a := range slices.Concat(r.d.Args, universal) {
		names = append(names, a.Name)
	}
	e.Candidates = near(name, names, 1)
	if len(e.Candidates) > 0 {
		e.Sentence = phrase.T("command.unknown_option.near", r.d.Name(), brief(name), e.Candidates[0])
	} else {
		e.Sentence = phrase.T("command.unknown_option", r.d.Name(), brief(name))
	}
	return e
}

// byName reads name:value.
func (r *reading) byName(tok token) (again string, wrong error) {
	a, _ := r.arg(tok.lead)
	if tok.value == "" && tok.bare() {
		return "", &Error{Code: Missing, Arg: a.Name, Start: tok.start, End: tok.end, Sentence: phrase.T("command.named_value", a.Name)}
	}
	return r.put(a, r.span(a, tok.value, tok.start+len(tok.lead)+1, tok.end, tok.bare()))
}

// byPosition gives a value to the next argument that can have it.
func (r *reading) byPosition(tok token) (again string, wrong error) {
	for {
		a, ok := r.position()
		if !ok {
			return "", r.oneTooMany(tok)
		}
		if a.takes() == Rest { // an optional argument before it was left out
			r.scan.at = tok.start
			r.takeRest(true)
			return "", nil
		}
		v := r.span(a, tok.text, tok.start, tok.end, tok.bare())
		if !a.Required && a.plain() && !fits(a, v.text) && r.canLeave(a) {
			r.left[a.Name] = true
			continue
		}
		v.byName = false
		return r.put(a, v)
	}
}

// canLeave reports whether a, which has no value yet, may be left out in favour
// of another by position.
func (r *reading) canLeave(a Arg) bool {
	if len(r.values[a.Name]) > 0 {
		return false
	}
	i := slices.IndexFunc(r.d.Args, func(b Arg) bool { return b.Name == a.Name })
	return slices.ContainsFunc(r.d.Args[i+1:], func(b Arg) bool { return !b.Option && !r.named[b.Name] && !r.left[b.Name] })
}

func (r *reading) oneTooMany(tok token) error {
	e := &Error{Code: TooMany, Start: tok.start, End: tok.end}
	for _, a := range r.d.Args {
		if a.takes() == Secret { // it may be half of one
			e.Sentence = phrase.T("command.too_many.secret", r.d.Name())
			return e
		}
	}
	e.Sentence = phrase.T("command.too_many", brief(tok.text), Usage(r.d))
	return e
}

// words is how many tokens a value of the type may have: "tomorrow at 9:00 pm".
func words(t Type) int {
	switch t {
	case Time:
		return 4
	case Duration:
		return 2
	}
	return 1
}

// span is the value that begins with text, and the tokens after it that belong
// to it because of what the argument takes: "in 2h", "tomorrow 9:00". The scanner
// then stands behind them.
func (r *reading) span(a Arg, text string, start, end int, bare bool) said {
	best := said{text: text, start: start, end: end, byName: true}
	if !bare || words(a.takes()) == 1 {
		return best
	}
	at := r.scan.at
	for joined := text; strings.Count(joined, " ")+1 < words(a.takes()) && r.scan.more(); {
		tok, err := r.scan.next()
		if err != nil || !tok.bare() || tok.option() || tok.sep != 0 {
			break
		}
		joined += " " + tok.text
		if fits(a, joined) {
			best.text, best.end, at = joined, tok.end, r.scan.at
		}
	}
	r.scan.at = at
	return best
}

// put gives an argument a value. Many values may be written with commas between them.
func (r *reading) put(a Arg, v said) (again string, wrong error) {
	if _, own := r.d.Arg(a.Name); !own {
		return "", r.universal(a, v)
	}
	have := r.values[a.Name]
	if len(have) > 0 && !a.Many && v.byName && !have[0].byName {
		return a.Name, nil
	}
	if len(have) > 0 && !a.Many {
		return "", &Error{Code: Twice, Arg: a.Name, Start: v.start, End: v.end, Sentence: phrase.T("command.twice", a.Name)}
	}
	if !a.Many || a.takes() == String || !strings.Contains(v.text, ",") {
		r.values[a.Name] = append(have, v)
		return "", nil
	}
	for part := range strings.SplitSeq(v.text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			have = append(have, said{text: part, start: v.start, end: v.end, byName: v.byName})
		}
	}
	r.values[a.Name] = have
	return "", nil
}

// universal takes an option that every command has.
func (r *reading) universal(o Arg, v said) error {
	on := v.text == "true"
	if o.Type == Bool && !on && v.text != "false" {
		value, _, err := readBool(v.text)
		if err != nil {
			return wrongValue(o, v, err)
		}
		on = value == "true"
	}
	switch o.Name {
	case "help":
		r.options.Help = on
	case "dry-run":
		r.options.DryRun = on
	case "private":
		r.options.Private = on
	case "json":
		r.options.JSON = on
	case "break-glass":
		r.options.BreakGlass = on
	case "thread":
		r.options.Thread = &on
	case "reason":
		r.options.Reason = strings.TrimSpace(v.text)
	case "timeout":
		d, err := ParseDuration(v.text)
		if err == nil && (d <= 0 || d > maxWait) {
			return &Error{Code: Invalid, Arg: o.Name, Start: v.start, End: v.end, Sentence: phrase.T("command.timeout")}
		}
		if err != nil {
			return wrongValue(o, v, err)
		}
		r.options.Timeout = d
	}
	return nil
}
