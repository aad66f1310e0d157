package permit

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/maintenance"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Limits of the text.
const (
	MaxText  = 64 << 10 // bytes
	MaxRules = 500
	maxLine  = 1000 // bytes
)

// Policy is a text of rules, understood and compiled. It never changes.
type Policy struct {
	Text  string // one's own
	Rules []Rule // those of Default first
	// Zone is on whose clocks the rules are: weekday, hour, date, time, and the
	// calendars of the text. UTC when it names none.
	Zone  *time.Location
	spans []span // of the text's own calendars
}

// Problem is one mistake in the text.
type Problem struct {
	Line       int // from 1
	Start, End int // bytes of the line
	Sentence   string
}

func (p Problem) Error() string { return phrase.T("permit.problem", p.Line, p.Sentence) }

// Problems are all mistakes of a text, in the order of its lines.
type Problems []Problem

func (all Problems) Error() string {
	var lines []string
	for _, p := range all {
		lines = append(lines, p.Error())
	}
	return strings.Join(lines, "\n")
}

// withoutDefaults is the line that leaves Default out.
const withoutDefaults = "without defaults"

// Compile reads one's own rules; Default comes before them unless they say
// otherwise. The error is Problems: with one there is no policy, because half
// of the rules are not what somebody meant.
func Compile(text string) (*Policy, error) {
	if len(text) > MaxText {
		return nil, Problems{{Line: 1, Sentence: phrase.T("permit.too_long", MaxText)}}
	}
	own, head, wrong := compile(text)
	if len(own) > MaxRules {
		wrong = append(wrong, Problem{Line: own[MaxRules].Line, Sentence: phrase.T("permit.too_many", MaxRules)})
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	p := &Policy{Text: text, Zone: head.clock(), spans: head.spans}
	if !head.bare {
		built, _, wrong := compile(Default)
		if len(wrong) > 0 {
			return nil, wrong // a test compiles it
		}
		for _, r := range built {
			r.BuiltIn = true
			p.Rules = append(p.Rules, r)
		}
	}
	p.Rules = append(p.Rules, own...)
	return p, nil
}

func compile(text string) (rules []Rule, head header, wrong Problems) {
	number := 0
	var calendars []written
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || trimmed[0] == '#':
			continue
		case strings.Join(strings.Fields(trimmed), " ") == withoutDefaults:
			head.bare = true
			continue
		case len(line) <= maxLine && begins(trimmed, "zone"):
			if err := head.setZone(line); err != nil {
				wrong = append(wrong, problem(number, line, err))
			}
			continue
		case len(line) <= maxLine && begins(trimmed, "calendar"):
			calendars = append(calendars, written{number, line})
			continue
		}
		r, err := parse(line)
		if err != nil {
			wrong = append(wrong, problem(number, line, err))
			continue
		}
		r.Line, r.Text = number, trimmed
		rules = append(rules, r)
	}
	wrong = append(wrong, head.read(calendars)...) // when the zone is known
	slices.SortStableFunc(wrong, func(a, b Problem) int { return a.Line - b.Line })
	return rules, head, wrong
}

// problem is what is wrong with a line, and where.
func problem(number int, line string, err error) Problem {
	p := Problem{Line: number, End: len(line), Sentence: err.Error()}
	var here *misplaced
	if errors.As(err, &here) {
		p.Start, p.End = here.start, here.end
	}
	return p
}

// misplaced is a mistake at a place of the line.
type misplaced struct {
	start, end int
	sentence   string
}

func (m *misplaced) Error() string { return m.sentence }

// word is one part of a rule and where it stands.
type word struct {
	text       string
	start, end int
}

func (w word) wrong(key string, args ...any) error {
	return &misplaced{w.start, w.end, phrase.T(key, append([]any{w.text}, args...)...)}
}

var (
	parenthesis = regexp.MustCompile(`\([^()]*\)`)
	whenWord    = regexp.MustCompile(`(?:^|\s)when(?:\s|$)`)
	wordShape   = regexp.MustCompile(`\S+`)
	patternForm = regexp.MustCompile(`^[a-z0-9*?_-]+(?:\.[a-z0-9*?_-]+)*$`)
	scopeForm   = regexp.MustCompile(`^([a-z][a-z0-9_-]*):(\S+)$`)
	argForm     = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)
	userForm    = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,39}$`)
	rateForm    = regexp.MustCompile(`^([0-9]{1,6})/([a-z]+)$`)
)

// sentence reads the words of one rule from left to right.
type sentence struct {
	words []word
	end   int
}

func (s *sentence) more() bool { return len(s.words) > 0 }

func (s *sentence) peek() string {
	if !s.more() {
		return ""
	}
	return s.words[0].text
}

func (s *sentence) next() word {
	if !s.more() {
		return word{start: s.end, end: s.end}
	}
	w := s.words[0]
	s.words = s.words[1:]
	return w
}

// parse reads one line.
func parse(line string) (Rule, error) {
	if len(line) > maxLine {
		return Rule{}, fmt.Errorf("%s", phrase.T("permit.line_long", maxLine))
	}
	head := line
	r := Rule{}
	if at := whenWord.FindStringIndex(line); at != nil {
		head = line[:at[0]]
		r.When = strings.TrimSpace(line[at[1]:])
		cond, err := compileWhen(r.When)
		if err != nil {
			return r, &misplaced{min(at[1], len(line)), len(line), err.Error()}
		}
		r.cond = cond
	}
	// Parts in parentheses are one word: approval(release-managers, peer).
	joined := parenthesis.ReplaceAllStringFunc(head, strings.NewReplacer(" ", "\x00", "\t", "\x00").Replace)
	s := &sentence{end: len(head)}
	for _, at := range wordShape.FindAllStringIndex(joined, -1) {
		s.words = append(s.words, word{strings.ReplaceAll(joined[at[0]:at[1]], "\x00", " "), at[0], at[1]})
	}
	return r, r.read(s)
}

func (r *Rule) read(s *sentence) error {
	switch verb := s.next(); verb.text {
	case "allow", "override":
		r.Kind = Kind(verb.text)
		who := s.next()
		ok, err := r.about(who)
		switch {
		case err != nil:
			return err
		case !ok:
			return who.wrong("permit.wrong.who")
		}
	case "deny":
		r.Kind = Deny
	case "require":
		if err := r.requirement(s.next()); err != nil {
			return err
		}
		if err := r.within(s); err != nil {
			return err
		}
		if w := s.next(); w.text != "for" {
			return w.wrong("permit.wrong.for")
		}
	case "limit":
		r.Kind = Limit
	default:
		return verb.wrong("permit.wrong.verb")
	}
	if r.Kind != Allow && r.Kind != Override {
		r.Subject.Kind = Everyone
		if ok, err := r.about(word{text: s.peek()}); err != nil {
			w := s.next()
			return w.wrong("permit.wrong.subject")
		} else if ok {
			s.next()
		}
	}
	what := s.next()
	if !patternForm.MatchString(what.text) || len(what.text) > 100 {
		return what.wrong("permit.wrong.pattern")
	}
	r.Pattern = what.text
	if r.Kind == Limit {
		if err := r.rate(s); err != nil {
			return err
		}
	}
	if s.peek() == "on" {
		s.next()
		if err := r.scopes(s); err != nil {
			return err
		}
	}
	if s.more() {
		return s.next().wrong("permit.wrong.rest")
	}
	return nil
}

// about reads a subject; ok is false when it is none.
func (r *Rule) about(w word) (ok bool, err error) {
	if w.text == string(Everyone) {
		r.Subject.Kind = Everyone
		return true, nil
	}
	kind, name, ok := strings.Cut(w.text, ":")
	if !ok {
		return false, nil
	}
	arg, isArg := strings.CutPrefix(name, "oncall(")
	arg, closed := strings.CutSuffix(arg, ")")
	r.Subject = Subject{Kind: SubjectKind(kind), Name: name}
	switch {
	case kind == "role" && slices.Contains(people.Roles, people.Role(name)):
	case kind == "role" && name == "oncall":
		r.Subject = Subject{Kind: OnCall}
	case kind == "role" && isArg && closed && argForm.MatchString(arg):
		r.Subject = Subject{Kind: OnCallFor, Arg: arg}
	case kind == "team" && people.ValidSlug(name):
	case (kind == "user" || kind == "robot") && userForm.MatchString(name):
	default:
		return false, w.wrong("permit.wrong.subject")
	}
	return true, nil
}

// requirement reads approval(…), confirmation or step_up.
func (r *Rule) requirement(w word) error {
	switch w.text {
	case "confirmation":
		r.Kind = Confirm
		return nil
	case "step_up":
		r.Kind = StepUp
		return nil
	}
	list, ok := strings.CutPrefix(w.text, "approval(")
	list, closed := strings.CutSuffix(list, ")")
	if !ok || !closed {
		return w.wrong("permit.wrong.requirement")
	}
	r.Kind, r.Approval.Count = Approve, 1
	counted := false
	for i, part := range strings.Split(list, ",") {
		part = strings.TrimSpace(part)
		n, err := strconv.Atoi(part)
		switch {
		case i == 0 && part != "peer" && err != nil && people.ValidSlug(part):
			r.Approval.Group = part
		case part == "peer" && !r.Approval.Peer:
			r.Approval.Peer = true
		case err == nil && n >= 1 && n <= 20 && !counted:
			r.Approval.Count, counted = n, true
		default:
			return w.wrong("permit.wrong.approval")
		}
	}
	return nil
}

// The bounds of the time for approval.
const (
	minWithin = time.Minute
	maxWithin = 7 * 24 * time.Hour
)

// within reads how long others have to approve.
func (r *Rule) within(s *sentence) error {
	if r.Kind != Approve || s.peek() != "within" {
		return nil
	}
	s.next()
	w := s.next()
	d, err := command.ParseDuration(w.text)
	if err != nil || d < minWithin || d > maxWithin {
		return w.wrong("permit.wrong.within")
	}
	r.Approval.TTL = d
	return nil
}

// maxRate is how many runs a limit can count.
const maxRate = 1000

// rate reads N/hour and per user.
func (r *Rule) rate(s *sentence) error {
	w := s.next()
	m := rateForm.FindStringSubmatch(w.text)
	if m == nil || rateUnits[m[2]] == 0 {
		return w.wrong("permit.wrong.rate")
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n == 0 || n > maxRate {
		return w.wrong("permit.wrong.rate")
	}
	r.Rate = Rate{N: n, Per: rateUnits[m[2]], By: "user"}
	if s.peek() != "per" {
		return nil
	}
	s.next()
	by := s.next()
	if !slices.Contains([]string{"user", "room", "all"}, by.text) {
		return by.wrong("permit.wrong.per")
	}
	r.Rate.By = by.text
	return nil
}

// scopes reads what follows on.
func (r *Rule) scopes(s *sentence) error {
	if !s.more() {
		return s.next().wrong("permit.wrong.scope")
	}
	for s.more() {
		w := s.next()
		m := scopeForm.FindStringSubmatch(w.text)
		if m == nil || slices.Contains(strings.Split(m[2], ","), "") {
			return w.wrong("permit.wrong.scope")
		}
		r.On = append(r.On, Scope{m[1], strings.Split(m[2], ",")})
	}
	return nil
}

func match(pattern, value string) bool {
	return maintenance.Match(strings.ToLower(pattern), strings.ToLower(value))
}

// Check finds what a policy says about things that there are not, with the
// commands there are and what people, teams and robots are called. It is a
// warning: they may come.
func (p *Policy) Check(commands []command.Declaration, exists func(kind SubjectKind, name string) bool) Problems {
	var found Problems
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.BuiltIn {
			continue
		}
		for _, sentence := range r.check(commands, exists) {
			found = append(found, Problem{Line: r.Line, End: len(r.Text), Sentence: sentence})
		}
	}
	return found
}

func (r *Rule) check(commands []command.Declaration, exists func(SubjectKind, string) bool) []string {
	var out []string
	if slices.Contains([]SubjectKind{Team, User, Robot}, r.Subject.Kind) && !exists(r.Subject.Kind, r.Subject.Name) {
		out = append(out, phrase.T("permit.check.subject", r.Subject.String()))
	}
	if g := r.Approval.Group; g != "" && g != Admins && !exists(Team, g) {
		out = append(out, phrase.T("permit.check.group", g))
	}
	args, any := map[string]bool{}, false
	for _, d := range commands {
		if fits(r.Pattern, d.ID, d.Needs()) {
			any = true
			for _, a := range d.Args {
				args[a.Name] = true
				// What an incident or a rotation leads to has these names.
				if a.Type == command.Incident || a.Type == command.Rotation || a.Type == command.Policy || a.Type == command.Service {
					args["service"], args["team"], args["policy"] = true, true, true
				}
				if a.Type == command.Incident {
					args["severity"], args["state"], args["acked_by"] = true, true, true
				}
			}
		}
	}
	if !any {
		return append(out, phrase.T("permit.check.pattern", r.Pattern))
	}
	var names []string
	for _, s := range r.On {
		names = append(names, s.Arg)
	}
	if r.Subject.Arg != "" {
		names = append(names, r.Subject.Arg)
	}
	if r.cond != nil {
		names = append(names, r.cond.args...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if !args[name] {
			out = append(out, phrase.T("permit.check.arg", r.Pattern, name))
		}
	}
	return out
}
