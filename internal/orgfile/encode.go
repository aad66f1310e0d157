package orgfile

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/oncall"
)

// Encode writes the document as YAML that Parse reads back to the same
// document. Keys of integrations that are in it are written out: an export has
// none, a parsed document has those that were given.
func (d Document) Encode() []byte {
	w := &writer{}
	w.buf.WriteString("# The organisation of Watchroom, for: watchroom apply FILE\n" +
		"# What a section does not list is deleted (users: disabled); a section that is not here is left alone.\n")
	if d.Settings != nil {
		w.buf.WriteString("\nsettings:\n")
		w.object(d.Settings.fields(), "  ")
	}
	write(w, "users", "Names that are mentioned and put on rotas. Passwords are not here: people set their own.", d.Users, User.fields)
	write(w, "teams", "", d.Teams, Team.fields)
	write(w, "rotations", "Who is on call when. Members take turns in the order written.", d.Rotations, Rotation.fields)
	write(w, "policies", "Who is paged after how long.", d.Policies, Policy.fields)
	write(w, "routing_keys", "The last word of the address that an alert is sent to.", d.RoutingKeys, RoutingKey.fields)
	write(w, "integrations", "Keys are not exported. One without a key keeps its own, a new one gets a fresh one.", d.Integrations, Integration.fields)
	return w.buf.Bytes()
}

// field is one line; an empty value leaves it out.
type field struct {
	name  string
	value any // scalar, flow, or []object
}

type (
	scalar string   // encoded
	flow   string   // a list on one line, encoded
	object []field  // a mapping
	list   []object // a list of mappings, one below the other
)

// without drops fields with nothing to say.
func without(fields ...field) object {
	var out object
	for _, f := range fields {
		if f.value != nil {
			out = append(out, f)
		}
	}
	return out
}

func (s Settings) fields() object {
	var policy any
	if s.DefaultPolicy != nil {
		policy = text(s.DefaultPolicy.Name)
	}
	return without(
		field{"name", pointed(s.Name)}, field{"default_policy", policy}, field{"warnings_open", given(s.WarningsOpen)},
		field{"snooze_morning_at", pointed(s.SnoozeMorningAt)},
	)
}

func (u User) fields() object {
	var contacts any
	if u.Contacts != nil {
		all := list{}
		for _, c := range *u.Contacts {
			all = append(all, without(field{"email", text(c.Email)}, field{"label", some(c.Label)}, field{"off", yes(c.Off)}))
		}
		contacts = all
	}
	return without(
		field{"username", text(u.Username)}, field{"name", text(u.Name)}, field{"email", text(u.Email)}, field{"role", text(string(u.Role))},
		field{"zone", text(u.Zone)}, field{"contacts", contacts}, field{"disabled", yes(u.Disabled)},
	)
}

func (t Team) fields() object {
	return without(field{"slug", text(t.Slug)}, field{"name", text(t.Name)}, field{"members", refList(t.Members)})
}

func (r Rotation) fields() object {
	layers := list{}
	for _, l := range r.Layers {
		layers = append(layers, without(
			field{"name", some(l.Name)}, field{"members", refList(l.Members)}, field{"every", every(l.Every, l.Unit)},
			field{"handoff_at", text(l.HandoffAt)}, field{"start", text(l.Start)}, field{"end", some(l.End)},
		))
	}
	return without(field{"name", text(r.Name)}, field{"team", some(r.Team.Name)}, field{"zone", text(r.Zone)}, field{"layers", layers})
}

func every(n int, unit oncall.Unit) scalar {
	name := string(unit)
	if n == 1 {
		name = strings.TrimSuffix(name, "s")
	}
	return scalar(strconv.Itoa(n) + " " + name)
}

func (p Policy) fields() object {
	steps := list{}
	for _, s := range p.Steps {
		targets := make([]string, len(s.Page))
		for i, t := range s.Page {
			targets[i] = t.encode()
		}
		steps = append(steps, object{{"after", duration(s.After)}, {"page", flow("[" + strings.Join(targets, ", ") + "]")}})
	}
	var repeat, pause any
	if p.Repeat != 0 {
		repeat = scalar(strconv.Itoa(p.Repeat))
	}
	if p.RepeatAfter != escalation.DefaultRepeatAfter {
		pause = duration(p.RepeatAfter)
	}
	return without(
		field{"slug", text(p.Slug)}, field{"name", text(p.Name)}, field{"team", some(p.Team.Name)}, field{"steps", steps},
		field{"repeat", repeat}, field{"repeat_after", pause},
	)
}

func (t Target) encode() string {
	switch {
	case t.Rotation.Name != "":
		return "{rotation: " + string(text(t.Rotation.Name)) + "}"
	case t.User.Name != "":
		return "{user: " + string(text(t.User.Name)) + "}"
	default:
		return "{team: " + string(text(t.Team.Name)) + "}"
	}
}

func (k RoutingKey) fields() object {
	return without(field{"name", text(k.Name)}, field{"policy", text(k.Policy.Name)}, field{"note", some(k.Note)})
}

func (i Integration) fields() object {
	return without(field{"name", text(i.Name)}, field{"kind", text(string(i.Kind))}, field{"key", some(string(i.Key))}, field{"off", yes(i.Off)})
}

func some(s string) any {
	if s == "" {
		return nil
	}
	return text(s)
}

func yes(b bool) any {
	if !b {
		return nil
	}
	return scalar("true")
}

func pointed(s *string) any {
	if s == nil {
		return nil
	}
	return text(*s)
}

func given(b *bool) any {
	if b == nil {
		return nil
	}
	return scalar(strconv.FormatBool(*b))
}

func duration(d escalation.Duration) scalar { return scalar(d.String()) }

func refList(refs []Ref) flow {
	all := make([]string, len(refs))
	for i, r := range refs {
		all[i] = string(text(r.Name))
	}
	return flow("[" + strings.Join(all, ", ") + "]")
}

// plain are texts that mean themselves, in lists on one line too; a date does.
var (
	plain    = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_./@+-]*( [A-Za-z0-9_./@+-]+)*|[0-9]{4}-[0-9]{2}-[0-9]{2})$`)
	reserved = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n|nan|inf)$`)
)

// text encodes any text as one scalar.
func text(s string) scalar {
	if plain.MatchString(s) && !reserved.MatchString(s) {
		return scalar(s)
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r) && r != utf8.RuneError:
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return scalar(b.String())
}

type writer struct{ buf bytes.Buffer }

func write[T any](w *writer, name, comment string, s Section[T], fields func(T) object) {
	if !s.Listed {
		return
	}
	w.buf.WriteByte('\n')
	if comment != "" {
		w.buf.WriteString("# " + comment + "\n")
	}
	all := list{}
	for _, item := range s.Items {
		all = append(all, fields(item))
	}
	w.field(field{name, all}, "")
}

func (w *writer) object(o object, indent string) {
	for _, f := range o {
		w.field(f, indent)
	}
}

func (w *writer) field(f field, indent string) {
	w.buf.WriteString(indent + f.name + ":")
	switch v := f.value.(type) {
	case scalar:
		w.buf.WriteString(" " + string(v) + "\n")
	case flow:
		w.buf.WriteString(" " + string(v) + "\n")
	case list:
		if len(v) == 0 {
			w.buf.WriteString(" []\n")
			return
		}
		w.buf.WriteByte('\n')
		for _, o := range v {
			for i, f := range o {
				if i > 0 {
					w.field(f, indent+"    ")
					continue
				}
				w.buf.WriteString(indent + "  - ")
				inner := &writer{}
				inner.field(f, indent+"    ")
				w.buf.WriteString(strings.TrimPrefix(inner.buf.String(), indent+"    "))
			}
		}
	}
}

// inline writes a value on one line, for people.
func inline(value any) string {
	switch v := value.(type) {
	case scalar:
		return string(v)
	case flow:
		return string(v)
	case list:
		all := make([]string, len(v))
		for i, o := range v {
			parts := make([]string, len(o))
			for j, f := range o {
				parts[j] = f.name + ": " + inline(f.value)
			}
			all[i] = "{" + strings.Join(parts, ", ") + "}"
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	return ""
}
