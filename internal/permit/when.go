package permit

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Bounds of one condition. With neither loops nor variables in the language it
// takes time in proportion to its length and to what it compares.
const (
	maxNodes    = 150
	memory      = 10_000 // elements that an evaluation may make
	maxInterval = 1000
)

// condition is what stands after "when".
type condition struct {
	program   *vm.Program
	args      []string // the arguments it names
	usesArgs  bool     // in any way
	calendars []string // that it asks for, by CalendarName
}

// language is everything that a condition can name besides the arguments of the
// command; the values are of the right type and stand for it.
func language() map[string]any {
	return map[string]any{
		"user": "", "role": "", "robot": false, "teams": []string{}, "room": "", "via": "", "reason": "",
		"command": "", "permission": "", "risk": "",
		"date": "", "time": "", "weekday": "", "hour": 0,
		"args":     map[string]any{},
		"calendar": func(string) (bool, error) { return false, nil },
		"team":     func(string) bool { return false },
		"oncall":   func(string) bool { return false },
		"has":      func(string) bool { return false },
	}
}

// misnamed is a function used like an argument of the same name.
var misnamed = regexp.MustCompile(`(?:^|[^."'\w])(team|oncall|calendar|has)\s*(?:[^(\s\w"'-]|in\b|matches\b|startsWith\b|contains\b|$)`)

var builtins = []string{"lower", "upper", "trim", "len", "duration"}

// compileWhen compiles a condition, or says in a sentence what is wrong.
func compileWhen(text string) (*condition, error) {
	if text == "" {
		return nil, errors.New(phrase.T("permit.when.empty"))
	}
	known := language()
	look := &inspector{known: known}
	options := []expr.Option{
		expr.Env(known), expr.AllowUndefinedVariables(), expr.AsBool(), expr.MaxNodes(maxNodes), expr.DisableAllBuiltins(), expr.Patch(look),
	}
	for _, name := range builtins {
		options = append(options, expr.EnableBuiltin(name))
	}
	program, err := expr.Compile(text, options...)
	switch {
	case look.refused != "": // first: what we refuse may not compile either
		return nil, errors.New(look.refused)
	case err != nil && misnamed.MatchString(text):
		return nil, errors.New(phrase.T("permit.when.misnamed", misnamed.FindStringSubmatch(text)[1]))
	case err != nil:
		return nil, errors.New(phrase.T("permit.when.wrong", sentenceOf(err)))
	}
	slices.Sort(look.args)
	return &condition{program: program, args: slices.Compact(look.args), usesArgs: look.usesArgs, calendars: look.calendars}, nil
}

// sentenceOf is the first line of what the compiler says, with the column.
func sentenceOf(err error) string {
	var at *file.Error
	if errors.As(err, &at) && at.Line > 0 {
		return phrase.T("permit.when.at", at.Message, at.Column+1)
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}

// inspector lets through what cannot run away, and collects the arguments named.
type inspector struct {
	known     map[string]any
	args      []string
	usesArgs  bool
	calendars []string
	refused   string
}

// Visit implements ast.Visitor. It changes nothing.
func (v *inspector) Visit(n *ast.Node) {
	switch n := (*n).(type) {
	case *ast.NilNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode, *ast.ConstantNode,
		*ast.UnaryNode, *ast.ArrayNode, *ast.ConditionalNode, *ast.BuiltinNode, *ast.ChainNode:
	case *ast.IdentifierNode:
		v.name(n.Value)
	case *ast.MemberNode:
		of, ok := n.Node.(*ast.IdentifierNode)
		name, isName := n.Property.(*ast.StringNode)
		if !ok || of.Value != "args" || !isName {
			v.refuse("permit.when.member")
			return
		}
		v.args = append(v.args, name.Value)
	case *ast.CallNode:
		callee, ok := n.Callee.(*ast.IdentifierNode)
		if !ok || v.known[callee.Value] == nil {
			v.refuse("permit.when.call")
			return
		}
		if callee.Value == "calendar" {
			v.calendar(n)
		}
		if callee.Value == "has" {
			v.usesArgs = true
			for _, a := range n.Arguments {
				if name, ok := a.(*ast.StringNode); ok {
					v.args = append(v.args, name.Value)
				}
			}
		}
	case *ast.BinaryNode:
		v.binary(n)
	default:
		v.refuse("permit.when.loop")
	}
}

// calendar notes which calendar is asked for. It has to be written out, so that
// one which there is not is found when the rule is saved and not in the middle of the night.
func (v *inspector) calendar(n *ast.CallNode) {
	if len(n.Arguments) == 1 {
		if name, ok := n.Arguments[0].(*ast.StringNode); ok {
			v.calendars = append(v.calendars, CalendarName(name.Value))
			return
		}
	}
	v.refuse("permit.when.calendar")
}

func (v *inspector) binary(n *ast.BinaryNode) {
	switch n.Operator {
	case "matches":
		if _, ok := n.Right.(*ast.StringNode); !ok {
			v.refuse("permit.when.pattern")
		}
	case "..":
		from, ok := n.Left.(*ast.IntegerNode)
		to, too := n.Right.(*ast.IntegerNode)
		if !ok || !too || to.Value-from.Value > maxInterval || to.Value < from.Value {
			v.refuse("permit.when.interval", maxInterval)
		}
	case "**", "^", "??", "|":
		v.refuse("permit.when.operator", n.Operator)
	}
}

// name notes an identifier that is not of the language: an argument.
func (v *inspector) name(name string) {
	if _, ok := v.known[name]; !ok {
		v.usesArgs = true
		if !slices.Contains([]string{"null", "nil"}, name) {
			v.args = append(v.args, name)
		}
	}
	v.usesArgs = v.usesArgs || name == "args"
}

func (v *inspector) refuse(key string, args ...any) {
	if v.refused == "" {
		v.refused = phrase.T(key, args...)
	}
}

// holds computes the condition.
func (c *condition) holds(l *looking) Reason {
	if l.env == nil {
		l.env = l.environment()
	}
	machine := vm.VM{MemoryBudget: memory}
	out, err := machine.Run(c.program, l.env)
	is, ok := out.(bool)
	switch {
	case err != nil || !ok:
		return Undecidable
	case !is:
		return NotWhen
	}
	return Matches
}

// errNoCalendar makes a condition undecidable.
var errNoCalendar = errors.New("no such calendar")

// environment are the facts as conditions name them. Arguments are there by
// their own names too, unless the language has the name.
func (l *looking) environment() map[string]any {
	f, args := l.f, map[string]any{}
	env := map[string]any{}
	for name, value := range l.args {
		a, _ := l.d.Arg(name)
		args[name] = typed(a.Type, value)
		env[name] = args[name]
	}
	teams := f.Teams
	if teams == nil {
		teams = []string{}
	}
	maps.Copy(env, map[string]any{
		"user": f.User, "role": string(f.Role), "robot": f.Robot, "teams": teams, "room": f.Room, "via": f.Via, "reason": f.Reason,
		"command": l.d.ID, "permission": l.d.Needs(), "risk": string(l.d.Risk),
		"date": f.Now.Format(time.DateOnly), "time": f.Now.Format("15:04"), "weekday": strings.ToLower(f.Now.Weekday().String()), "hour": f.Now.Hour(),
		"args": args,
		"calendar": func(name string) (bool, error) {
			now, ok := f.Calendars[CalendarName(name)]
			if !ok {
				return false, errNoCalendar
			}
			return now, nil
		},
		"team": func(name string) bool { return slices.Contains(f.Teams, name) },
		"oncall": func(name string) bool {
			return slices.ContainsFunc(f.OnCall, func(d Duty) bool { return strings.EqualFold(d.Name, name) })
		},
		"has": func(name string) bool { _, ok := l.args[name]; return ok },
	})
	return env
}

// typed is a value as conditions compare it.
func typed(t command.Type, value string) any {
	switch t {
	case command.Int:
		if n, err := strconv.Atoi(value); err == nil {
			return n
		}
	case command.Bool:
		return value == "true"
	case command.Duration:
		if d, err := command.ParseDuration(value); err == nil {
			return d
		}
	}
	return value
}
