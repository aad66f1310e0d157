package chatopsrpc

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/phrase"
)

// LineArg is the one argument of every declaration of a service: what stands
// behind its words, because the service's own expression reads it.
const LineArg = "line"

// wholeArg is in Match.Args: all behind the prefix. Nobody can type it, for no
// argument is declared with that name; it tells "run run" from "run".
const wholeArg = "whole line"

var idWord = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

// Match is a line that a method understands.
type Match struct {
	Method      Method
	Declaration command.Declaration
	Line        string            // what was matched, without the prefix
	Params      map[string]string // named groups that matched something, and long options
	Args        map[string]string // for program.Request
}

// Match finds the method that understands line, which is all behind the prefix.
// The first by name counts when several do.
func (s *Service) Match(line string) (Match, bool) { return s.MatchFor("", line) }

// MatchFor is Match of a line that the tree of commands took for the command with
// an id: when several methods understand it, that one counts.
func (s *Service) MatchFor(commandID, line string) (Match, bool) {
	state := s.State()
	methods := slices.Clone(state.Methods)
	slices.SortStableFunc(methods, func(a, b Method) int {
		return btoi(s.methodID(b.Name) == commandID) - btoi(s.methodID(a.Name) == commandID)
	})
	for _, m := range methods {
		if s.cfg.policy(m.Name).Off {
			continue
		}
		if params, ok := m.match(line); ok {
			line = strings.TrimSpace(line)
			return Match{m, s.declaration(m, state), line, params, map[string]string{wholeArg: line}}, true
		}
	}
	return Match{}, false
}

// match reads a line with the method's expression. Options of the line never
// replace what the expression found: what was approved is what is sent.
func (m Method) match(line string) (map[string]string, bool) {
	head, params := longOptions(strings.TrimSpace(line))
	found := m.compiled.FindStringSubmatch(head)
	if found == nil {
		return nil, false
	}
	for i, name := range m.compiled.SubexpNames() {
		if name != "" && found[i] != "" {
			params[name] = found[i]
		}
	}
	return params, true
}

// longOptions cuts the text from the first " --" on off: --key some words, up to
// the next " --", and a bare --flag, which is "true".
func longOptions(line string) (head string, params map[string]string) {
	head, rest, any := strings.Cut(line, " --")
	params = map[string]string{}
	if !any {
		return line, params
	}
	for option := range strings.SplitSeq(rest, " --") {
		key, value, _ := strings.Cut(strings.TrimSpace(option), " ")
		if value = strings.TrimSpace(value); value == "" {
			value = "true"
		}
		if key != "" {
			params[key] = value
		}
	}
	return strings.TrimSpace(head), params
}

// Declarations are one for the prefix, which shows the help of the service, and
// one for each method. A line that the tree takes for the first may still be a
// method's, whose expression begins with no fixed word: ask Match.
func (s *Service) Declarations() []command.Declaration {
	state := s.State()
	if state.At.IsZero() {
		return nil
	}
	root := command.Declaration{
		ID: s.rootID(), Words: []string{s.cfg.Prefix}, Summary: limit(strings.Join(strings.Fields(state.Listing.Help), " "), 180),
		Args: []command.Arg{{Name: LineArg, Type: command.Rest}}, Risk: command.Reads, Origin: s.origin(state), Timeout: Timeout,
	}
	if root.Summary == "" {
		root.Summary = phrase.T("chatopsrpc.root_summary", state.Listing.Namespace)
	}
	all := []command.Declaration{root}
	for _, m := range state.Methods {
		if !s.cfg.policy(m.Name).Off {
			all = append(all, s.declaration(m, state))
		}
	}
	return all
}

func (s *Service) rootID() string              { return "rpc." + s.cfg.Prefix }
func (s *Service) origin(state State) string   { return "rpc " + state.Listing.Namespace }
func (s *Service) methodID(name string) string { return s.rootID() + "." + strings.ToLower(name) }

func (s *Service) declaration(m Method, state State) command.Declaration {
	p := s.cfg.policy(m.Name)
	return command.Declaration{
		ID: s.methodID(m.Name), Words: s.words(m, state.Methods), Summary: m.summary(), Details: m.Help, Args: []command.Arg{{Name: LineArg, Type: command.Rest}},
		Risk: p.Risk, Permission: p.Permission, Rooms: p.Rooms, Confirm: p.Confirm, Approval: p.Approval, Private: p.Private,
		Timeout: Timeout, Origin: s.origin(state), Version: m.version,
	}
}

// words are the prefix and the fixed words with which the method's expression
// begins; those of a method without any, or whose words another before it has,
// are the prefix and its name.
func (s *Service) words(m Method, all []Method) []string {
	own := m.fixed()
	for _, other := range all {
		if other.Name == m.Name {
			break
		}
		if slices.Equal(other.fixed(), own) {
			own = nil
		}
	}
	if len(own) == 0 {
		own = []string{strings.ToLower(m.Name)}
	}
	return append([]string{s.cfg.Prefix}, own...)
}

// fixed are the words that every line of the method begins with.
func (m Method) fixed() []string {
	tree, err := syntax.Parse(m.Regex, syntax.Perl)
	if err != nil {
		return nil
	}
	text, whole := literal(tree.Simplify())
	words := strings.Fields(strings.ToLower(text))
	if !whole && len(words) > 0 && !strings.HasSuffix(text, " ") {
		words = words[:len(words)-1] // the last may go on
	}
	for i, w := range words {
		if !idWord.MatchString(w) || i == 4 {
			return words[:i]
		}
	}
	return words
}

// literal is the text that an expression begins with, and whether that is all of it.
func literal(re *syntax.Regexp) (text string, whole bool) {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune), true
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpEndLine, syntax.OpEndText, syntax.OpEmptyMatch:
		return "", true
	case syntax.OpCapture:
		return "", false // a parameter, even if it can only be one thing
	case syntax.OpPlus:
		if re.Sub[0].String() == `[\t\n\f\r ]` { // \s+
			return " ", true
		}
		return "", false
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			t, all := literal(sub)
			if text += t; !all {
				return text, endsWord(sub)
			}
		}
		return text, true
	default:
		return "", false
	}
}

// endsWord reports whether what follows cannot be part of the word before: it is
// optional and begins with a space.
func endsWord(re *syntax.Regexp) bool {
	if re.Op != syntax.OpQuest && re.Op != syntax.OpStar {
		return false
	}
	text, _ := literal(re.Sub[0])
	return strings.HasPrefix(text, " ")
}
