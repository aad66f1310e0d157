package orgfile

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/strictyaml"
)

// fields are the lines of one mapping on their way into a struct. Mistakes go
// to the parser; the value is then the zero value and nothing else happens.
type fields struct {
	p    *parser
	node strictyaml.Node
}

// parser collects mistakes.
type parser struct {
	from Secrets
	errs []error
}

func (p *parser) say(at Position, format string, args ...any) {
	p.errs = append(p.errs, at.Errorf(format, args...))
}

// fields takes a mapping that may have the known keys.
func (p *parser) fields(n strictyaml.Node, what string, known ...string) fields {
	if n.Kind != strictyaml.Mapping {
		p.say(n.At, "%s is a mapping with %s", what, strings.Join(known, ", "))
		return fields{p, strictyaml.Node{At: n.At, Kind: strictyaml.Mapping}}
	}
	for _, pair := range n.Pairs {
		if !slices.Contains(known, pair.Key) {
			p.say(pair.At, "%s has no %q; it may have %s", what, pair.Key, strings.Join(known, ", "))
		}
	}
	return fields{p, n}
}

func (f fields) has(key string) bool {
	_, ok := f.node.Get(key)
	return ok
}

// scalar returns the text of a key; ok is false when it is absent or no text.
func (f fields) scalar(key string) (at Position, text string, ok bool) {
	n, ok := f.node.Get(key)
	switch {
	case !ok:
		return f.node.At, "", false
	case n.Kind == strictyaml.Null:
		f.p.say(n.At, `%s: nothing is written after it; write "" for an empty text, or leave the line out`, key)
		return n.At, "", false
	case n.Kind != strictyaml.Scalar:
		f.p.say(n.At, "%s: write one plain value", key)
		return n.At, "", false
	}
	return n.At, n.Text, true
}

func (f fields) text(key string) string {
	_, text, _ := f.scalar(key)
	return text
}

func (f fields) textOr(key, otherwise string) string {
	if !f.has(key) {
		return otherwise
	}
	return f.text(key)
}

// needed is a text that has to be there.
func (f fields) needed(what, key string) string {
	if !f.has(key) {
		f.p.say(f.node.At, "%s: %s is missing", what, key)
	}
	return f.text(key)
}

func (f fields) optional(key string) *string {
	if _, text, ok := f.scalar(key); ok {
		return &text
	}
	return nil
}

func (f fields) flag(key string) *bool {
	at, text, ok := f.scalar(key)
	if !ok {
		return nil
	}
	yes := text == "true"
	if !yes && text != "false" {
		f.p.say(at, "%s: %q is neither true nor false", key, text)
	}
	return &yes
}

func (f fields) yes(key string) bool {
	v := f.flag(key)
	return v != nil && *v
}

func (f fields) number(key string) int {
	at, text, ok := f.scalar(key)
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		f.p.say(at, "%s: %q is not a whole number", key, text)
	}
	return n
}

func (f fields) duration(key string, otherwise escalation.Duration) escalation.Duration {
	at, text, ok := f.scalar(key)
	if !ok {
		return otherwise
	}
	var d escalation.Duration
	if err := d.UnmarshalText([]byte(text)); err != nil {
		f.p.say(at, "%s: %w", key, err)
	}
	return d
}

func (f fields) ref(key string) Ref {
	at, text, ok := f.scalar(key)
	if !ok {
		return Ref{}
	}
	return Ref{at, text}
}

func (f fields) refs(key string) []Ref {
	var all []Ref
	for _, n := range f.list(key) {
		if n.Kind != strictyaml.Scalar {
			f.p.say(n.At, "%s: a list of names is needed, such as [kim, alex]", key)
			continue
		}
		all = append(all, Ref{n.At, n.Text})
	}
	return all
}

func (f fields) list(key string) []strictyaml.Node {
	n, ok := f.node.Get(key)
	switch {
	case !ok:
		return nil
	case n.Kind == strictyaml.Null:
		// Somebody who has commented out every line must not delete everything by it.
		f.p.say(n.At, "%s: nothing is listed; write [] for none, or leave the line out", key)
	case n.Kind != strictyaml.List:
		f.p.say(n.At, "%s: a list is needed: lines that begin with a dash", key)
	}
	return n.Items
}

// Secrets says where secrets come from. A nil function refuses that source, as
// the server does for files that somebody has sent.
type Secrets struct {
	Env  func(name string) (string, bool)
	File func(yaml, name string) (string, error) // name as written in the file yaml
}

var (
	variable = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`)
	key      = regexp.MustCompile(`^[A-Za-z0-9._~-]{16,200}$`)
)

// secret reads ${NAME}, {file: NAME} or the secret itself.
func (f fields) secret(name string) Secret {
	n, ok := f.node.Get(name)
	if !ok {
		return ""
	}
	text, err := f.p.from.read(n)
	if err != nil {
		f.p.say(n.At, "%s: %w", name, err)
		return ""
	}
	if !key.MatchString(text) {
		f.p.say(n.At, "%s: use 16 to 200 letters, digits, dots, dashes, underscores or tildes", name)
	}
	return Secret(text)
}

func (s Secrets) read(n strictyaml.Node) (string, error) {
	switch n.Kind {
	case strictyaml.Scalar:
		m := variable.FindStringSubmatch(n.Text)
		if m == nil {
			return n.Text, nil
		}
		if s.Env == nil {
			return "", errors.New("environment variables are read by watchroom apply, not by the server")
		}
		value, ok := s.Env(m[1])
		if !ok || value == "" {
			return "", fmt.Errorf("the environment variable %s is not set", m[1])
		}
		return value, nil
	case strictyaml.Mapping:
		file, ok := n.Get("file")
		if !ok || len(n.Pairs) != 1 || file.Kind != strictyaml.Scalar {
			break
		}
		if s.File == nil {
			return "", errors.New("files are read by watchroom apply, not by the server")
		}
		text, err := s.File(n.At.File, file.Text)
		return strings.TrimSpace(text), err
	}
	return "", errors.New("write ${VARIABLE}, {file: NAME} or the text itself")
}
