package command

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func berlin(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// declared are commands of every shape.
var declared = []Declaration{
	{ID: "help", Words: []string{"help"}, Summary: "What I can do", Risk: Reads, Public: true, Args: []Arg{{Name: "about", Type: Rest}}},
	{ID: "whoami", Words: []string{"whoami"}, Summary: "Who you are here", Risk: Reads},
	{ID: "pending", Words: []string{"pending"}, Summary: "What waits for approval", Risk: Reads},
	{ID: "oncall", Words: []string{"oncall"}, Summary: "Who is on call", Risk: Reads, Args: []Arg{{Name: "team", Type: Team}}, Examples: []string{"oncall database"}},
	{
		ID: "incident.ack", Words: []string{"incident", "ack"}, Aliases: []string{"ack"}, Summary: "Acknowledge incidents", Risk: Changes,
		Args: []Arg{{Name: "incidents", Type: Incident, Many: true, Required: true, Summary: "numbers"}}, Examples: []string{"ack 17", "ack 17 18"},
	},
	{
		ID: "incident.resolve", Words: []string{"incident", "resolve"}, Aliases: []string{"resolve", "incident close"}, Summary: "Resolve incidents", Risk: Changes,
		Args: []Arg{{Name: "incidents", Type: Incident, Many: true, Required: true}},
	},
	{
		ID: "incident.note", Words: []string{"incident", "note"}, Aliases: []string{"note"}, Summary: "Write into the record", Risk: Changes,
		Args: []Arg{{Name: "incident", Type: Incident}, {Name: "text", Type: Rest, Required: true}},
	},
	{ID: "incident.list", Words: []string{"incident", "list"}, Summary: "Open incidents", Risk: Reads},
	{
		ID: "snooze", Words: []string{"snooze"}, Summary: "Be quiet about an incident for a while", Risk: Changes,
		Args: []Arg{{Name: "incident", Type: Incident, Required: true}, {Name: "for", Type: Duration, Default: "1h"}},
	},
	{
		ID: "remind", Words: []string{"remind"}, Summary: "Say something later", Risk: Changes,
		Args: []Arg{{Name: "when", Type: Time, Required: true}, {Name: "text", Type: Rest, Required: true}},
	},
	{
		ID: "page", Words: []string{"page"}, Summary: "Page somebody", Risk: Changes,
		Args: []Arg{{Name: "who", Type: User, Required: true}, {Name: "incident", Type: Incident}, {Name: "text", Type: Rest}},
	},
	{
		ID: "lock", Words: []string{"lock"}, Summary: "Keep others from something", Risk: Changes,
		Args: []Arg{{Name: "name", Required: true}, {Name: "why", Type: Rest}, {Name: "for", Type: Duration, Option: true}, {Name: "hard", Type: Bool, Option: true}},
	},
	{
		ID: "deploy.run", Words: []string{"deploy", "run"}, Summary: "Bring a version out", Risk: Danger, Confirm: true,
		Approval: Approval{Group: "release-managers", Count: 1, Peer: true}, Scope: "app", Lock: "deploy/{app}/{env}", Rooms: []string{"ops"}, Origin: "script deploy",
		Details: "Rolls out step by step.",
		Args: []Arg{
			{Name: "app", Required: true, Pattern: "[a-z]+", Summary: "lower-case letters"},
			{Name: "env", Type: Enum, Values: []string{"staging", "prod"}, Default: "staging", Summary: "where to"},
			{Name: "count", Type: Int, Option: true, Min: new(int64(1)), Max: new(int64(9))},
			{Name: "force", Type: Bool, Option: true},
			{Name: "at", Type: Time, Option: true},
			{Name: "tags", Option: true, Many: true},
		},
	},
	{ID: "deploy.status", Words: []string{"deploy", "status"}, Summary: "What runs where", Risk: Reads},
	{
		ID: "vm.login", Words: []string{"vm", "login"}, Summary: "Log in to a machine", Risk: Changes, Private: true,
		Args: []Arg{{Name: "name", Required: true}, {Name: "password", Type: Secret, Required: true}, {Name: "room", Type: Room, Default: "here"}},
	},
	{ID: "secretly", Words: []string{"secretly"}, Summary: "For a button", Risk: Changes, Hidden: true},
}

func tree(t testing.TB) *Tree {
	t.Helper()
	tree, err := New(declared)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// world is who and what there is, for an asker in Berlin on a Wednesday.
type world struct {
	now  time.Time
	zone *time.Location
}

func newWorld(t testing.TB) world {
	return world{now: time.Date(2026, 11, 25, 13, 0, 0, 500, time.UTC), zone: berlin(t)}
}

func (w world) Now() time.Time       { return w.now }
func (w world) Zone() *time.Location { return w.zone }

func (w world) Find(kind Type, text string) Found {
	text = strings.ToLower(text)
	switch kind {
	case User:
		if text == "me" {
			text = "kim"
		}
		return pick(strings.TrimPrefix(text, "@"), "@", "u-", "kim", "kira", "alex", "o'brien")
	case Team:
		return pick(strings.TrimPrefix(text, "@@"), "@@", "t-", "database", "web", "site reliability")
	case Room:
		if text == "here" || text == "timeline" {
			return Found{OK: true, Shown: "#timeline"} // the first room has no id
		}
		if text = strings.TrimPrefix(text, "#"); text == "timeline" {
			return Found{OK: true, Shown: "#timeline"}
		}
		return pick(text, "#", "r-", "ops")
	case Incident:
		if n := strings.TrimPrefix(text, "#"); n != "" && len(n) < 3 && strings.Trim(n, "0123456789") == "" {
			return Found{OK: true, ID: n, Shown: "#" + n}
		}
	}
	return Found{}
}

func pick(text, sign, prefix string, names ...string) Found {
	if slices.Contains(names, text) {
		return Found{OK: true, ID: prefix + text, Shown: sign + text}
	}
	var f Found
	for _, n := range names {
		if text != "" && strings.HasPrefix(n, text) {
			f.Candidates = append(f.Candidates, sign+n)
		}
	}
	return f
}

// Complete offers the people and teams of the world.
func (w world) Complete(_ Declaration, a Arg, prefix string, _ int) []Candidate {
	var all []Candidate
	for _, c := range w.Find(a.takes(), prefix).Candidates {
		all = append(all, Candidate{Text: c, Summary: "there is one"})
	}
	return all
}
