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
	"github.com/watchroom/watchroom/internal/people"
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
	write(w, "holidays", "Days on which the rota says who is on call, in time to ask somebody else.", d.Holidays, Holidays.fields)
	write(w, "policies", "Who is paged after how long.", d.Policies, Policy.fields)
	write(w, "routing_keys", "The last word of the address that an alert is sent to.", d.RoutingKeys, RoutingKey.fields)
	write(w, "integrations", "Keys are not exported. One without a key keeps its own, a new one gets a fresh one.", d.Integrations, Integration.fields)
	write(w, "heartbeats", "Jobs that must call in. Keys are not exported.", d.Heartbeats, Heartbeat.fields)
	write(w, "maintenance", "What has not begun yet.", d.Maintenance, Maintenance.fields)
	write(w, "providers", "Who carries pages. A variable that is not set leaves the secret as it is.", d.Providers, Provider.fields)
	write(w, "rooms", "Where people talk. One that is not listed is closed; private rooms are their members' own.", d.Rooms, Room.fields)
	write(w, "robots", "Hubot and its kin. Keys are not exported.", d.Robots, Robot.fields)
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
		field{"snooze_morning_at", pointed(s.SnoozeMorningAt)}, field{"bot_name", pointed(s.BotName)}, field{"bot_sigil", pointed(s.BotSigil)},
		field{"rules", pointed(s.Rules)}, field{"retention", retentionFields(s.Retention)}, field{"second_factor", roleFields(s.SecondFactor)},
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
			field{"restrictions", restrictions(l.Restrictions)}, field{"count", some(string(l.Count))},
		))
	}
	return without(field{"name", text(r.Name)}, field{"team", some(r.Team.Name)}, field{"zone", text(r.Zone)}, field{"layers", layers})
}

func restrictions(all []oncall.Restriction) any {
	if len(all) == 0 {
		return nil
	}
	out := list{}
	for _, r := range all {
		var days any
		if len(r.Days) > 0 {
			days = words(r.Days)
		}
		out = append(out, without(
			field{"from", text(r.From)}, field{"to", text(r.To)}, field{"days", days}, field{"until", some(string(r.Until))},
		))
	}
	return out
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
		steps = append(steps, without(
			field{"after", duration(s.After)}, field{"page", targetList(s.Page)}, field{"notify", other(s.Notify, escalation.NotifyAll)},
			field{"when", when(s.When)}, field{"low_waits", yes(s.LowWaits)},
		))
	}
	var repeat, pause, repage, last any
	if p.Repeat != 0 {
		repeat = scalar(strconv.Itoa(p.Repeat))
	}
	if p.RepeatAfter != escalation.DefaultRepeatAfter {
		pause = duration(p.RepeatAfter)
	}
	if p.RepageAfter != 0 {
		repage = duration(p.RepageAfter)
	}
	if len(p.LastResort) > 0 {
		last = targetList(p.LastResort)
	}
	return without(
		field{"slug", text(p.Slug)}, field{"name", text(p.Name)}, field{"team", some(p.Team.Name)}, field{"steps", steps},
		field{"repeat", repeat}, field{"repeat_after", pause}, field{"last_resort", last}, field{"ack_by", other(p.AckBy, escalation.AckByOne)},
		field{"repage_after", repage}, field{"ignore_paging_policies", yes(p.EveryMethod)}, field{"urgency", some(string(p.Urgency))},
		field{"low_waits", yes(p.LowWaits)}, field{"hours", hours(p.Hours)},
	)
}

func targetList(all []Target) flow {
	targets := make([]string, len(all))
	for i, t := range all {
		targets[i] = "{" + t.Kind + ": " + string(text(t.Ref.Name)) + "}"
	}
	return flow("[" + strings.Join(targets, ", ") + "]")
}

func when(w escalation.When) any {
	if len(w.Severities) == 0 && hours(w.Hours) == nil {
		return nil
	}
	var o object
	if len(w.Severities) > 0 {
		o = append(o, field{"severities", words(w.Severities)})
	}
	if h := hours(w.Hours); h != nil {
		o = append(o, field{"hours", h})
	}
	return oneLine(o)
}

func hours(h escalation.Hours) any {
	if h.Zone == "" && h.Always() {
		return nil
	}
	return oneLine(object{{"zone", text(h.Zone)}, {"windows", windows(h.Windows)}})
}

func windows(all []people.PagingWindow) flow {
	out := make([]string, len(all))
	for i, w := range all {
		var days any
		if len(w.Days) > 0 {
			days = words(w.Days)
		}
		out[i] = string(oneLine(without(field{"days", days}, field{"from", some(w.From)}, field{"to", some(w.To)})))
	}
	return flow("[" + strings.Join(out, ", ") + "]")
}

// oneLine writes a mapping on one line.
func oneLine(o object) flow {
	parts := make([]string, len(o))
	for i, f := range o {
		parts[i] = f.name + ": " + inline(f.value)
	}
	return flow("{" + strings.Join(parts, ", ") + "}")
}

// words writes a list of texts on one line.
func words[T ~string](all []T) flow {
	out := make([]string, len(all))
	for i, w := range all {
		out[i] = string(text(string(w)))
	}
	return flow("[" + strings.Join(out, ", ") + "]")
}

// other leaves out what nothing means.
func other[T ~string](is, otherwise T) any {
	if is == otherwise {
		return nil
	}
	return text(string(is))
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
