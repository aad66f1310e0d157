package orgfile

import (
	"fmt"
	"strings"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/routing"
)

// Diff says for people what is different in after: a line beginning with + for
// a new thing, - for one that is gone, ~ for a changed one with its changed
// fields below. It is "" when nothing is, and shows no secret.
func Diff(before, after *org.Org) string { return diffFor("", before, after) }

// diffFor is Diff with the private rooms that reader is in.
func diffFor(reader id.User, before, after *org.Org) string {
	var b strings.Builder
	a, z := ExportFor(before, reader), ExportFor(after, reader)
	if lines := changed(a.Settings.fields(), z.Settings.fields()); lines != "" {
		b.WriteString("~ settings\n" + lines)
	}
	diff(&b, "user", a.Users, z.Users, func(u User) string { return u.Username }, User.fields)
	diff(&b, "team", a.Teams, z.Teams, func(t Team) string { return t.Slug }, Team.fields)
	diff(&b, "rotation", a.Rotations, z.Rotations, func(r Rotation) string { return rotationKey(r.Name) }, Rotation.fields)
	diff(&b, "public holidays", a.Holidays, z.Holidays, func(h Holidays) string { return h.Name }, Holidays.fields)
	diff(&b, "policy", a.Policies, z.Policies, func(p Policy) string { return p.Slug }, Policy.fields)
	diff(&b, "routing key", a.RoutingKeys, z.RoutingKeys, func(k RoutingKey) string { return routing.Fold(k.Name) }, RoutingKey.fields)
	markKeys(before, after, &z)
	markSecrets(before, after, &z)
	diff(&b, "integration", a.Integrations, z.Integrations, func(i Integration) string { return i.Name }, Integration.fields)
	diff(&b, "heartbeat", a.Heartbeats, z.Heartbeats, func(h Heartbeat) string { return h.Slug }, Heartbeat.fields)
	diff(&b, "maintenance", a.Maintenance, z.Maintenance, Maintenance.shown, Maintenance.fields)
	diff(&b, "provider", a.Providers, z.Providers, func(v Provider) string { return v.Name }, Provider.fields)
	diff(&b, "room", a.Rooms, z.Rooms, Room.key, Room.fields)
	diff(&b, "robot", a.Robots, z.Robots, func(r Robot) string { return r.Username }, Robot.fields)
	return b.String()
}

// markKeys makes another key of an integration visible without showing it.
func markKeys(before, after *org.Org, z *Document) {
	hashes := func(o *org.Org) map[string]string {
		all := map[string]string{}
		for _, i := range o.Integrations {
			all[i.Name] = i.KeyHash
		}
		return all
	}
	was, is := hashes(before), hashes(after)
	for n := range z.Integrations.Items {
		i := &z.Integrations.Items[n]
		if old, ok := was[i.Name]; ok && old != is[i.Name] {
			i.Key = "another one"
		}
	}
}

// markSecrets does the same for secrets of providers and keys of heartbeats.
func markSecrets(before, after *org.Org, z *Document) {
	for n := range z.Heartbeats.Items {
		h := &z.Heartbeats.Items[n]
		was, known := slugged(before, h.Slug)
		if is, _ := slugged(after, h.Slug); known && was != is {
			h.Key = "another one"
		}
	}
	keys, are := robotKeys(before), robotKeys(after)
	for n := range z.Robots.Items {
		if r := &z.Robots.Items[n]; keys[r.Username] != "" && keys[r.Username] != are[r.Username] {
			r.Key = "another one"
		}
	}
	secrets := func(o *org.Org) map[string]map[string]string {
		all := map[string]map[string]string{}
		for _, v := range o.Providers {
			all[v.Name] = v.Secrets
		}
		return all
	}
	was, is := secrets(before), secrets(after)
	for n := range z.Providers.Items {
		v := &z.Providers.Items[n]
		old, known := was[v.Name]
		for name := range v.Secrets {
			if known && old[name] != is[v.Name][name] {
				v.Secrets[name] = Hidden{Text: "another one"}
			}
		}
	}
}

// slugged is the hash of the key of a heartbeat.
func slugged(o *org.Org, slug string) (keyHash string, known bool) {
	for _, h := range o.Heartbeats {
		if h.Slug == slug {
			return h.KeyHash, true
		}
	}
	return "", false
}

func diff[T any](b *strings.Builder, what string, before, after Section[T], key func(T) string, fields func(T) object) {
	was := map[string]T{}
	for _, item := range before.Items {
		was[key(item)] = item
	}
	for _, item := range after.Items {
		old, ok := was[key(item)]
		delete(was, key(item))
		if !ok {
			fmt.Fprintf(b, "+ %s %s\n", what, key(item))
			for _, f := range fields(item)[1:] {
				fmt.Fprintf(b, "    %s: %s\n", f.name, inline(f.value))
			}
			continue
		}
		if lines := changed(fields(old), fields(item)); lines != "" {
			fmt.Fprintf(b, "~ %s %s\n%s", what, key(item), lines)
		}
	}
	for _, item := range before.Items {
		if _, gone := was[key(item)]; gone {
			fmt.Fprintf(b, "- %s %s\n", what, key(item))
		}
	}
}

// changed lists the fields that differ, each as old → new.
func changed(before, after object) string {
	var b strings.Builder
	was := map[string]string{}
	for _, f := range before {
		was[f.name] = inline(f.value)
	}
	for _, f := range after {
		if is := inline(f.value); was[f.name] != is {
			fmt.Fprintf(&b, "    %s: %s → %s\n", f.name, absent(was[f.name]), is)
		}
		delete(was, f.name)
	}
	for _, f := range before {
		if old, gone := was[f.name]; gone {
			fmt.Fprintf(&b, "    %s: %s → %s\n", f.name, old, absent(""))
		}
	}
	return b.String()
}

func absent(text string) string {
	if text == "" {
		return "(none)"
	}
	return text
}

// Plan is what applying a document would do: the changes, the organisation
// after them, and the difference for people.
type Plan struct {
	Changes []org.Change
	After   *org.Org
	Applied []org.Applied
	Diff    string

	before *org.Org
	reader id.User
}

// Shows reports whether whoever applies may be told of something applied: not
// of rooms that they see neither before nor after.
func (p Plan) Shows(a org.Applied) bool {
	sees := func(o *org.Org) bool {
		r, ok := o.Rooms[id.Room(a.ID)]
		return ok && r.CanRead(p.reader)
	}
	return a.Kind != org.RoomKind || sees(p.before) || sees(p.After)
}

// Plan computes the changes and checks them against the whole organisation.
func (d Document) Plan(o *org.Org, opts Options, make Maker) (Plan, error) {
	changes, err := d.Changes(o, opts, make)
	if err != nil {
		return Plan{}, err
	}
	after, applied, err := o.Apply(changes...)
	if err != nil {
		return Plan{}, fmt.Errorf("%s", plainly(o, err.Error()))
	}
	return Plan{Changes: changes, After: after, Applied: applied, Diff: diffFor(opts.Reader, o, after), before: o, reader: opts.Reader}, nil
}

// plainly puts names for the identifiers in a sentence about the organisation,
// which name what is about to be deleted.
func plainly(o *org.Org, sentence string) string {
	var pairs []string
	add := func(objectID, name string) { pairs = append(pairs, objectID, name) }
	for k, v := range o.Users {
		add(string(k), v.Username)
	}
	for k, v := range o.Teams {
		add(string(k), v.Slug)
	}
	for k, v := range o.Policies {
		add(string(k), v.Slug)
	}
	for k, v := range o.Rotations {
		add(string(k), rotationKey(v.Name))
	}
	return strings.NewReplacer(pairs...).Replace(sentence)
}
