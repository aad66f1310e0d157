package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/search"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/web/view"
)

// filter is what a timeline is narrowed to; the page, its fragments and the
// stream read it from the same query.
type filter struct {
	room     id.Room // "" is the organisation's timeline; who asks may read it
	thread   id.Seq  // the replies to this message alone
	groups   []string
	kinds    []timeline.Kind // none: all
	team     id.Team
	person   id.User
	incident id.Incident
	text     string
	words    []string
}

// Limits of what is searched for.
const (
	maxSearch = 200
	maxWords  = 8
)

// filterOf reads kind (a group or a kind, several times), team, person,
// incident and q. What makes no sense narrows nothing.
func filterOf(q url.Values) filter {
	f := filter{thread: seqOf(q.Get("thread")), team: id.Team(q.Get("team")), person: id.User(q.Get("person")), incident: incidentOf(q.Get("incident"))}
	for _, name := range q["kind"] {
		switch {
		case slices.Contains(view.Groups(), name) && !slices.Contains(f.groups, name):
			f.groups = append(f.groups, name)
			f.kinds = append(f.kinds, view.KindsOf([]string{name})...)
		case slices.Contains(timeline.Kinds, timeline.Kind(name)):
			f.kinds = append(f.kinds, timeline.Kind(name))
		}
	}
	slices.Sort(f.kinds)
	f.kinds = slices.Compact(f.kinds)
	f.text, f.words = searched(q.Get("q"))
	return f
}

// searched is what somebody looks for, as text and in words.
func searched(q string) (text string, words []string) {
	text = alert.Cut(strings.TrimSpace(q), maxSearch)
	words = store.Words(text)
	return text, words[:min(len(words), maxWords)]
}

// incidentOf reads a number with or without the "#" that people write before
// it; 0 for anything else.
func incidentOf(text string) id.Incident {
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.TrimSpace(text), "#"), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return id.Incident(n)
}

// query asks the store for what f chooses.
func (f filter) query(limit int) store.EntryFilter {
	return store.EntryFilter{Rooms: []id.Room{f.room}, Thread: f.thread, NoReplies: f.thread == 0, Lines: true, Kinds: f.kinds, Team: f.team, Person: f.person, Incident: f.incident, Words: f.words, Limit: limit}
}

// match says of a new entry what query says of the stored ones.
func (f filter) match(e timeline.Entry) bool {
	return f.room == e.Room && (len(f.kinds) == 0 || slices.Contains(f.kinds, e.Kind)) &&
		(f.team == "" || f.team == e.Team) &&
		(f.person == "" || f.person == e.Person) &&
		(f.incident == 0 || f.incident == e.Incident) &&
		search.Match(f.words, e)
}

func (f filter) view(o *org.Org) view.Filter {
	return view.Filter{
		Groups: f.groups, Team: string(f.team), Person: string(f.person), Incident: f.incident, Text: f.text,
		Teams: teamsToChoose(o, string(f.team)), People: peopleOptions(o, string(f.person)),
	}
}

// position is where in the timeline to look; the zero position is the present.
type position struct {
	before, after id.Seq
	at            time.Time
	limit         int
}

// positionOf reads before, after, at (an instant, or a day in zone) and limit.
func positionOf(q url.Values, zone *time.Location) (position, error) {
	p := position{limit: entriesAtOnce}
	for name, into := range map[string]*id.Seq{"before": &p.before, "after": &p.after} {
		n, err := strconv.ParseInt(q.Get(name), 10, 64)
		if q.Get(name) != "" && (err != nil || n < 0) {
			return p, fault.Invalid(name, phrase.T("webmain.bad_number", name))
		}
		*into = id.Seq(n)
	}
	if n, err := strconv.Atoi(q.Get("limit")); err == nil && n > 0 {
		p.limit = min(n, mostAtOnce)
	}
	text := q.Get("at")
	if text == "" {
		return p, nil
	}
	if zone == nil {
		zone = time.UTC
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = time.ParseInLocation(time.DateOnly, text, zone)
	}
	// Beyond this, microseconds since 1970 do not fit where the store keeps them.
	if err != nil || at.Year() < 1970 || at.Year() > 9999 {
		return p, fault.Invalid("at", phrase.T("webmain.bad_time"))
	}
	p.at = at
	return p, nil
}
