package script

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/strictyaml"
)

// maxManifest is more than anybody writes by hand.
const maxManifest = 64 << 10

var envName = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)

// reserved are parts of the environment that a manifest does not set.
func reserved(name string) bool {
	return slices.Contains([]string{"PATH", "LANG", "HOME", "TMPDIR"}, name) || strings.HasPrefix(name, "CHATOPS_") || strings.HasPrefix(name, "LD_")
}

var types = []command.Type{
	command.String, command.Int, command.Bool, command.Duration, command.Time, command.Enum, command.User, command.Team,
	command.Room, command.Incident, command.Policy, command.Rotation, command.Service, command.Secret, command.Rest,
}

// parse reads the manifest of the executable name. Its error names every mistake.
func parse(name, file string, text []byte) (*Command, error) {
	if len(text) > maxManifest {
		return nil, fmt.Errorf("%s: longer than %d bytes", file, maxManifest)
	}
	top, err := strictyaml.Parse(file, text)
	if err != nil {
		return nil, err
	}
	p := &reader{}
	f := p.fields(top, "a manifest", "id", "words", "aliases", "summary", "details", "args", "examples", "risk", "permission", "public", "rooms",
		"scope", "confirm", "approval", "lock", "timeout", "concurrency", "private", "output", "secrets", "settings", "limits", "dry_run")
	c := &Command{
		name:   name,
		Output: Output(f.oneOf("output", string(Text), string(Text), string(Lines))),
		Limits: p.limits(f), DryRun: f.yes("dry_run"), Settings: map[string]string{},
		Declaration: command.Declaration{
			Words: f.words("words"), Aliases: f.list("aliases"), Summary: f.needed("summary"), Details: f.text("details"),
			Args: p.args(f), Examples: f.list("examples"),
			Permission: f.text("permission"), Public: f.yes("public"), Rooms: f.list("rooms"), Scope: f.text("scope"),
			Confirm: f.yes("confirm"), Approval: p.approval(f), Lock: f.text("lock"), Timeout: f.duration("timeout"),
			Concurrency: int(f.number("concurrency", 0, 1000)), Private: f.yes("private"), Origin: "script " + name,
		},
	}
	d := &c.Declaration
	f.needed("risk") // nothing is taken for harmless because a line was forgotten
	d.Risk = command.Risk(f.oneOf("risk", string(command.Danger), string(command.Reads), string(command.Changes), string(command.Danger)))
	d.ID = cmp.Or(f.text("id"), strings.Join(d.Words, "."))
	p.names(f, c)
	if err := d.Validate(); err != nil && len(p.errs) == 0 {
		p.say(f.node.At, "%w", err)
	}
	return c, errors.Join(p.errs...)
}

// names reads what becomes part of the environment.
func (p *reader) names(f fields, c *Command) {
	c.Secrets = f.list("secrets")
	for _, s := range c.Secrets {
		if !envName.MatchString(s) || reserved(s) {
			p.say(f.node.At, "secrets: %q cannot be a name of its environment; write capitals, digits and _, not beginning with CHATOPS_ or LD_", s)
		}
	}
	settings, ok := f.node.Get("settings")
	if !ok || settings.Kind == strictyaml.Null {
		return
	}
	sf := p.fields(settings, "settings", keysOf(settings)...)
	for _, key := range keysOf(settings) {
		if !envName.MatchString(key) || reserved(key) || slices.Contains(c.Secrets, key) {
			p.say(settings.At, "settings: %q cannot be a name of its environment; write capitals, digits and _, not beginning with CHATOPS_ or LD_, and not that of a secret", key)
		}
		c.Settings[key] = sf.text(key)
	}
}

func keysOf(n strictyaml.Node) []string {
	keys := make([]string, 0, len(n.Pairs))
	for _, pair := range n.Pairs {
		keys = append(keys, pair.Key)
	}
	return keys
}

func (p *reader) approval(f fields) command.Approval {
	n, ok := f.node.Get("approval")
	if !ok {
		return command.Approval{}
	}
	a := p.fields(n, "approval", "group", "count", "peer", "ttl")
	return command.Approval{Group: a.text("group"), Count: int(a.number("count", 1, 10)), Peer: a.yes("peer"), TTL: a.duration("ttl")}
}

func (p *reader) limits(f fields) Limits {
	n, ok := f.node.Get("limits")
	if !ok {
		return Standard
	}
	l := p.fields(n, "limits", "cpu", "memory", "processes", "files", "disk")
	return Limits{
		CPU: l.duration("cpu"), Memory: l.size("memory"), Processes: int(l.number("processes", 1, 10000)),
		Files: int(l.number("files", 1, 100000)), Disk: l.size("disk"),
	}.or(Standard)
}

func (p *reader) args(f fields) []command.Arg {
	n, ok := f.node.Get("args")
	if !ok || n.Kind == strictyaml.Null {
		return nil
	}
	if n.Kind != strictyaml.List {
		p.say(n.At, "args: write a list, in the order in which they are typed")
		return nil
	}
	var all []command.Arg
	for _, item := range n.Items {
		a := p.arg(item)
		if slices.ContainsFunc(all, func(b command.Arg) bool { return a.Name == b.Name }) {
			p.say(item.At, "args: %q is there twice", a.Name)
		}
		all = append(all, a)
	}
	return all
}

func (p *reader) arg(item strictyaml.Node) command.Arg {
	af := p.fields(item, "an argument", "name", "type", "summary", "required", "option", "many", "default", "values", "complete", "pattern", "min", "max")
	names := make([]string, 0, len(types))
	for _, t := range types {
		names = append(names, string(t))
	}
	a := command.Arg{
		Name: af.needed("name"), Type: command.Type(af.oneOf("type", string(command.String), names...)), Summary: af.text("summary"),
		Required: af.yes("required"), Option: af.yes("option"), Many: af.yes("many"), Default: af.text("default"),
		Values: af.list("values"), Asks: af.yes("complete"), Pattern: af.text("pattern"), Min: af.bound("min"), Max: af.bound("max"),
	}
	return a
}

// reader collects mistakes.
type reader struct{ errs []error }

func (p *reader) say(at strictyaml.Position, format string, args ...any) {
	p.errs = append(p.errs, at.Errorf(format, args...))
}

// fields takes a mapping that may have the known keys.
func (p *reader) fields(n strictyaml.Node, what string, known ...string) fields {
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

// fields are the lines of one mapping.
type fields struct {
	p    *reader
	node strictyaml.Node
}

func (f fields) scalar(key string) (strictyaml.Position, string, bool) {
	n, ok := f.node.Get(key)
	switch {
	case !ok:
		return f.node.At, "", false
	case n.Kind != strictyaml.Scalar:
		f.p.say(n.At, "%s: write one plain value", key)
		return n.At, "", false
	case strings.ContainsRune(n.Text, 0):
		f.p.say(n.At, "%s: there is a zero byte in it", key)
		return n.At, "", false
	}
	return n.At, n.Text, true
}

func (f fields) text(key string) string {
	_, text, _ := f.scalar(key)
	return text
}

func (f fields) needed(key string) string {
	if _, ok := f.node.Get(key); !ok {
		f.p.say(f.node.At, "%s is missing", key)
	}
	return f.text(key)
}

func (f fields) oneOf(key, otherwise string, may ...string) string {
	at, text, ok := f.scalar(key)
	if !ok {
		return otherwise
	}
	if !slices.Contains(may, text) {
		f.p.say(at, "%s: %q is none of %s", key, text, strings.Join(may, ", "))
		return otherwise
	}
	return text
}

func (f fields) yes(key string) bool {
	return f.oneOf(key, "false", "true", "false") == "true"
}

func (f fields) number(key string, least, most int64) int64 {
	at, text, ok := f.scalar(key)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		f.p.say(at, "%s: %q is not a whole number from %d to %d", key, text, least, most)
	}
	return n
}

func (f fields) bound(key string) *int64 {
	at, text, ok := f.scalar(key)
	if !ok {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		f.p.say(at, "%s: %q is not a whole number", key, text)
	}
	return &n
}

func (f fields) duration(key string) time.Duration {
	at, text, ok := f.scalar(key)
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		f.p.say(at, "%s: %q is not a duration such as 30s, 5m or 1h", key, text)
	}
	return d
}

func (f fields) size(key string) int64 {
	at, text, ok := f.scalar(key)
	if !ok {
		return 0
	}
	var s config.Size
	if err := s.UnmarshalText([]byte(text)); err != nil {
		f.p.say(at, "%s: %w", key, err)
	} else if s < 1<<20 {
		f.p.say(at, "%s: at least 1MiB", key)
	}
	return int64(s)
}

// list takes [a, b] or one plain value.
func (f fields) list(key string) []string {
	n, ok := f.node.Get(key)
	if !ok || n.Kind == strictyaml.Null {
		return nil
	}
	if n.Kind == strictyaml.Scalar {
		return []string{n.Text}
	}
	if n.Kind != strictyaml.List {
		f.p.say(n.At, "%s: write a list", key)
		return nil
	}
	var all []string
	for _, item := range n.Items {
		if item.Kind != strictyaml.Scalar || item.Text == "" {
			f.p.say(item.At, "%s: each is one plain value", key)
			continue
		}
		all = append(all, item.Text)
	}
	return all
}

// words takes a list, or words with spaces between.
func (f fields) words(key string) []string {
	words := f.list(key)
	if len(words) == 1 {
		words = strings.Fields(words[0])
	}
	if len(words) == 0 {
		f.p.say(f.node.At, "%s: write the words as they are typed: deploy run", key)
	}
	return words
}
