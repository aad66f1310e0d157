package bot

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/routing"
)

// lookup knows the organisation for one asker in one place.
type lookup struct {
	org   *org.Org
	asker id.User
	room  id.Room
	now   time.Time
}

// Now implements command.Lookup.
func (l lookup) Now() time.Time { return l.now }

// Zone implements command.Lookup.
func (l lookup) Zone() *time.Location {
	if u, ok := l.org.Users[l.asker]; ok {
		return u.Location()
	}
	return time.UTC
}

// Find implements command.Lookup.
func (l lookup) Find(kind command.Type, text string) command.Found {
	text = strings.TrimSpace(text)
	switch kind {
	case command.User:
		return l.user(strings.TrimPrefix(text, "@"))
	case command.Team:
		slug := strings.TrimLeft(text, "@")
		if t, ok := l.org.TeamBySlug(strings.ToLower(slug)); ok {
			return command.Found{OK: true, ID: string(t.ID), Shown: "@@" + t.Slug}
		}
		return among(l.org.Teams, slug, func(t people.Team) (string, string, string) { return string(t.ID), t.Name, "@@" + t.Slug })
	case command.Room:
		return l.roomNamed(text)
	case command.Incident:
		n, err := strconv.ParseInt(strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(text), "incident"), "#"), 10, 64)
		if err != nil || n <= 0 {
			return command.Found{}
		}
		number := strconv.FormatInt(n, 10)
		return command.Found{OK: true, ID: number, Shown: "#" + number}
	case command.Policy:
		if p, ok := l.org.PolicyBySlug(strings.ToLower(text)); ok {
			return command.Found{OK: true, ID: string(p.ID), Shown: p.Slug}
		}
		return among(l.org.Policies, text, func(p escalation.Policy) (string, string, string) { return string(p.ID), p.Name, p.Slug })
	case command.Rotation:
		if r, ok := l.org.RotationBySlug(id.Slug(text)); ok {
			return command.Found{OK: true, ID: string(r.ID), Shown: id.Slug(r.Name)}
		}
		return among(l.org.Rotations, text, func(r oncall.Rotation) (string, string, string) { return string(r.ID), r.Name, id.Slug(r.Name) })
	case command.Service:
		if k, ok := l.org.KeyByName(text); ok {
			return command.Found{OK: true, ID: string(k.ID), Shown: k.Name}
		}
		return among(l.org.Keys, text, func(k routing.Key) (string, string, string) { return string(k.ID), k.Name, k.Name })
	}
	return command.Found{}
}

func (l lookup) user(name string) command.Found {
	if u, ok := l.org.Users[l.asker]; ok && (strings.EqualFold(name, "me") || strings.EqualFold(name, "myself")) {
		return command.Found{OK: true, ID: string(u.ID), Shown: "@" + u.Username}
	}
	if u, ok := l.org.UserByName(name); ok && !u.Disabled {
		return command.Found{OK: true, ID: string(u.ID), Shown: "@" + u.Username}
	}
	here := map[id.User]people.User{}
	for n, u := range l.org.Users {
		if !u.Disabled {
			here[n] = u
		}
	}
	return among(here, name, func(u people.User) (string, string, string) { return string(u.ID), u.Name, "@" + u.Username })
}

func (l lookup) roomNamed(text string) command.Found {
	if strings.EqualFold(text, "here") {
		return command.Found{OK: true, ID: string(l.room), Shown: l.shown(l.room)}
	}
	if r, ok := l.org.RoomNamed(text); ok && r.CanRead(l.asker) {
		return command.Found{OK: true, ID: string(r.ID), Shown: l.shown(r.ID)}
	}
	return command.Found{}
}

// shown is what a room is typed as.
func (l lookup) shown(n id.Room) string { return roomName(l.org, n) }

// roomName is what people type for a room, and what rules call it.
func roomName(o *org.Org, n id.Room) string {
	if n == room.Main {
		return "timeline"
	}
	if r, ok := o.Rooms[n]; ok && r.Slug != "" {
		return r.Slug
	}
	return string(n)
}

// among finds by a name that is not what one would type, and lists what may
// have been meant.
func among[K comparable, V any](all map[K]V, text string, of func(V) (objectID, name, typed string)) command.Found {
	var exact, close []command.Found
	folded := strings.ToLower(strings.TrimSpace(text))
	for _, v := range all {
		objectID, name, typed := of(v)
		lower := strings.ToLower(name)
		switch {
		case lower == folded || id.Slug(name) == folded:
			exact = append(exact, command.Found{OK: true, ID: objectID, Shown: typed})
		case folded != "" && (strings.HasPrefix(lower, folded) || strings.Contains(strings.ToLower(typed), folded)):
			close = append(close, command.Found{Shown: typed})
		}
	}
	if len(exact) == 1 {
		return exact[0]
	}
	var names []string
	for _, f := range append(exact, close...) {
		names = append(names, f.Shown)
	}
	slices.Sort(names)
	return command.Found{Candidates: names[:min(len(names), 8)]}
}

// Complete implements command.Completer.
func (l lookup) Complete(_ command.Declaration, a command.Arg, prefix string, limit int) []command.Candidate {
	var all []command.Candidate
	add := func(text, summary string) {
		if strings.HasPrefix(strings.ToLower(strings.TrimLeft(text, "@#")), strings.ToLower(strings.TrimLeft(prefix, "@#"))) ||
			strings.HasPrefix(strings.ToLower(summary), strings.ToLower(strings.TrimLeft(prefix, "@#"))) {
			all = append(all, command.Candidate{Text: text, Summary: summary})
		}
	}
	switch a.Type {
	case command.User:
		for _, u := range l.org.Users {
			if !u.Disabled && !u.Robot {
				add("@"+u.Username, u.Name)
			}
		}
	case command.Team:
		for _, t := range l.org.Teams {
			add("@@"+t.Slug, t.Name)
		}
	case command.Room:
		for _, r := range l.org.ReadableRooms(l.asker) {
			add("#"+roomName(l.org, r.ID), r.Topic)
		}
	case command.Policy:
		for _, p := range l.org.Policies {
			add(p.Slug, p.Name)
		}
	case command.Rotation:
		for _, r := range l.org.Rotations {
			add(id.Slug(r.Name), r.Name)
		}
	case command.Service:
		for _, k := range l.org.Keys {
			add(k.Name, k.Note)
		}
	}
	slices.SortFunc(all, func(x, y command.Candidate) int { return strings.Compare(x.Text, y.Text) })
	return all[:min(len(all), limit)]
}
