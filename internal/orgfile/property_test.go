package orgfile

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/secret"
)

// testMaker makes predictable identifiers; sealing is only a mark.
func testMaker() Maker {
	n := 0
	next := func() string { n++; return fmt.Sprintf("id%04d", n) }
	return Maker{
		NewID:    next,
		RoomSlug: func(wish string) string { return wish + "-" + next() },
		NewIntegration: func(kind routing.Kind, name, key string) routing.Integration {
			if key == "" {
				key = "fresh-" + next()
			}
			return routing.Integration{ID: id.Integration(next()), Kind: kind, Name: name, KeyHash: secret.Hash(key), Sealed: "sealed"}
		},
		Sealed: func(was, plain string) string {
			if was == "sealed "+secret.Hash(plain) {
				return was
			}
			return "sealed " + secret.Hash(plain)
		},
	}
}

func emptyOrg(t interface {
	Helper()
	Fatal(...any)
}) *org.Org {
	t.Helper()
	o, err := org.Build(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// anyName draws a text as people write them, and as nobody does.
func anyName(t *rapid.T, label string) string {
	s := rapid.OneOf(
		rapid.SampledFrom([]string{"Kim Larsen", "no", "null", "1e3", "0x10", "a: b", "# x", "- x", "x #y", "[a]", "{a: b}", "\"q\"", "it's", "~", "é ü", "日本", "a\\b", "tab\there", " lead", "trail ", "@x", "%x", "&a", "*a", "!a", "|", ">", "x:", "2026-01-05", "12:30", "${X}", "=", "<<", "\u0085", "\ufeff", "\u200b", "🚒", "a\u2028b", "\x7f", "line\nline", "\r"}),
		rapid.StringN(1, 20, 60),
	).Draw(t, label)
	if s = strings.ToValidUTF8(s, "?"); s == "" { // as everything that was stored as JSON
		return "x"
	}
	return s
}

// personName is any name that nobody else has.
func personName(t *rapid.T, n string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return '-'
		}
		return r
	}, anyName(t, "name")) + " name" + n
}

func pick[T any](t *rapid.T, from []T, label string) []T {
	var all []T
	for i := range rapid.IntRange(0, 3).Draw(t, label+" count") {
		if len(from) > 0 {
			all = append(all, rapid.SampledFrom(from).Draw(t, label+strconv.Itoa(i)))
		}
	}
	return all
}

func maybe[T any](t *rapid.T, from []T, label string) T {
	var none T
	if len(from) == 0 || rapid.Bool().Draw(t, label+" none") {
		return none
	}
	return rapid.SampledFrom(from).Draw(t, label)
}

// anyOrg draws an organisation that could be stored.
func anyOrg(t *rapid.T) *org.Org {
	var changes []org.Change
	zones := rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/St_Johns"})
	at := rapid.SampledFrom([]string{"00:00", "09:00", "23:59"})
	var users []id.User
	for i := range rapid.IntRange(0, 5).Draw(t, "users") {
		n := strconv.Itoa(i)
		u := people.User{
			ID: id.User("user" + n), Username: rapid.SampledFrom([]string{"no", "1e", "a.b", "k_", "x-"}).Draw(t, "username") + n, Name: personName(t, n),
			Email: "u" + n + "@example.org", Role: rapid.SampledFrom(people.Roles).Draw(t, "role"), Zone: zones.Draw(t, "zone"), Disabled: rapid.Bool().Draw(t, "disabled"),
		}
		if rapid.Bool().Draw(t, "greeted") {
			u.Chat = people.ChatSettings{Direct: people.HearPush, Greeted: time.Unix(1_800_000_000, 0).UTC()}
		}
		for j := range rapid.IntRange(0, 3).Draw(t, "contacts") {
			c := people.Contact{
				ID: id.Contact(fmt.Sprintf("c%d-%d", i, j)), Method: people.Email, Label: rapid.SampledFrom([]string{"", "on", "work: x"}).Draw(t, "label"),
				Address: fmt.Sprintf("c%d@example.org", j), Off: rapid.Bool().Draw(t, "off"),
			}
			switch rapid.IntRange(0, 4).Draw(t, "method") {
			case 0:
				c.Proof = people.Wanted
			case 1:
				c.Method, c.Address, c.VerifiedAt = people.SMS, fmt.Sprintf("+4930123456%d", j), time.Unix(1_800_000_000, 0).UTC()
			case 2:
				c.Method, c.Address = people.Voice, fmt.Sprintf("+4930123456%d", j)
			}
			u.Contacts = append(u.Contacts, c)
		}
		u.Reminders = slices.Compact(pick(t, []people.Reminder{people.ShiftStart, people.HandOver}, "reminder"))
		if len(u.Reminders) == 3 {
			u.Reminders = u.Reminders[:2]
		}
		if rapid.Bool().Draw(t, "paging") {
			u.Paging = anyPaging(t, u.Contacts)
		}
		users, changes = append(users, u.ID), append(changes, org.Put(u))
	}
	var teams []id.Team
	for i := range rapid.IntRange(0, 3).Draw(t, "teams") {
		n := strconv.Itoa(i)
		v := people.Team{ID: id.Team("team" + n), Slug: rapid.SampledFrom([]string{"no-", "1", "t"}).Draw(t, "slug") + n, Name: anyName(t, "name"), Members: pick(t, users, "member")}
		teams, changes = append(teams, v.ID), append(changes, org.Put(v))
	}
	var rotations []id.Rotation
	for i := range rapid.IntRange(0, 3).Draw(t, "rotations") {
		n := strconv.Itoa(i)
		v := oncall.Rotation{ID: id.Rotation("rota" + n), Name: anyName(t, "name") + " " + n, Team: maybe(t, teams, "team"), Zone: zones.Draw(t, "zone")}
		for j := range rapid.IntRange(0, 2).Draw(t, "layers") {
			l := oncall.Layer{
				Name: rapid.SampledFrom([]string{"", "on", "night: x"}).Draw(t, "layer") + strings.Repeat("x", j), Members: pick(t, users, "turn"), Every: rapid.IntRange(1, 5).Draw(t, "every"),
				Unit: rapid.SampledFrom([]oncall.Unit{oncall.Hours, oncall.Days, oncall.Weeks, oncall.Months}).Draw(t, "unit"), HandoffAt: at.Draw(t, "at"), Start: "2026-01-05",
			}
			if rapid.Bool().Draw(t, "ends") {
				l.End = "2027-01-05"
			}
			switch rapid.IntRange(0, 3).Draw(t, "restricted") {
			case 1:
				l.Restrictions = []oncall.Restriction{{From: "22:00", To: "06:00"}}
			case 2:
				l.Restrictions = []oncall.Restriction{{Days: []oncall.Weekday{oncall.Friday}, From: "17:00", Until: oncall.Monday, To: "09:00"}}
			case 3:
				l.Restrictions = []oncall.Restriction{{Days: oncall.Weekdays()[:5], From: "09:00", To: "17:00"}, {Days: []oncall.Weekday{oncall.Saturday}, From: "00:00", To: "00:00"}}
				l.Unit, l.Count = oncall.Days, oncall.CountShifts
			}
			v.Layers = append(v.Layers, l)
		}
		rotations, changes = append(rotations, v.ID), append(changes, org.Put(v))
	}
	if rapid.Bool().Draw(t, "has holidays") {
		changes = append(changes, org.Put(oncall.HolidayCalendar{ID: "holidays", Name: "x" + anyName(t, "name"), Team: maybe(t, teams, "team"), Days: []oncall.Holiday{
			{Date: "2026-12-25", Name: "x" + anyName(t, "holiday")}, {Date: "2027-01-06", Name: "x" + anyName(t, "holiday")},
		}}))
	}
	var policies []id.Policy
	for i := range rapid.IntRange(0, 3).Draw(t, "policies") {
		n := strconv.Itoa(i)
		v := escalation.Policy{
			ID: id.Policy("policy" + n), Slug: rapid.SampledFrom([]string{"on-", "1", "p"}).Draw(t, "slug") + n, Name: anyName(t, "name"), Team: maybe(t, teams, "team"),
			Repeat: rapid.IntRange(0, 3).Draw(t, "repeat"), RepeatAfter: escalation.Duration(time.Duration(rapid.IntRange(60, 9000).Draw(t, "pause")) * time.Second),
		}
		for range rapid.IntRange(0, 3).Draw(t, "steps") {
			s := escalation.Step{After: escalation.Duration(time.Duration(rapid.IntRange(0, 80_000_000).Draw(t, "after")) * time.Millisecond)}
			for _, r := range pick(t, rotations, "rotation") {
				s.Targets = append(s.Targets, escalation.Target{Rotation: r})
			}
			for _, u := range pick(t, users, "user") {
				s.Targets = append(s.Targets, escalation.Target{User: u})
			}
			for _, m := range pick(t, teams, "paged team") {
				s.Targets = append(s.Targets, escalation.Target{Team: m})
			}
			anyStep(t, &s, rotations, policies)
			v.Steps = append(v.Steps, s)
		}
		anyOptions(t, &v, users)
		policies, changes = append(policies, v.ID), append(changes, org.Put(v))
	}
	for i, p := range pick(t, policies, "routed") {
		k := routing.Key{ID: id.RoutingKey("key" + strconv.Itoa(i)), Name: rapid.SampledFrom([]string{"No", "1e", "K_"}).Draw(t, "key") + strconv.Itoa(i), Policy: p, Note: rapid.SampledFrom([]string{"", "a: b", "x\ny"}).Draw(t, "note")}
		changes = append(changes, org.Put(k))
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "integrations") {
		n := strconv.Itoa(i)
		changes = append(changes, org.Put(routing.Integration{
			ID: id.Integration("int" + n), Kind: routing.REST, Name: "x" + anyName(t, "name") + n, KeyHash: "hash" + n, Sealed: "s", Off: rapid.Bool().Draw(t, "off"),
		}))
	}
	changes = append(changes, anyQuiet(t, teams)...)
	changes = append(changes, anyTalk(t, users)...)
	if rapid.Bool().Draw(t, "has settings") {
		changes = append(changes, org.Put(org.Settings{
			Name: "x" + anyName(t, "name"), DefaultPolicy: maybe(t, policies, "default"), WarningsOpen: rapid.Bool().Draw(t, "warnings"), SnoozeMorningAt: at.Draw(t, "morning"),
			SecondFactor: people.RolesOf(rapid.SliceOf(rapid.SampledFrom(people.Roles)).Draw(t, "second factor")...),
			Retention:    org.Retention{Messages: rapid.IntRange(0, 400).Draw(t, "messages"), Outputs: rapid.IntRange(0, 400).Draw(t, "outputs")},
		}))
	}
	o, _, err := emptyOrg(t).Apply(changes...)
	if err != nil {
		t.Fatalf("the generator makes an impossible organisation: %v", err)
	}
	return o
}

var withoutPositions = cmp.Options{cmpopts.IgnoreTypes(Position{}), cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(Hidden{}, Maintenance{})}

func TestApplyingAnExportChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := anyOrg(t)
		reader := maybe(t, slices.Sorted(maps.Keys(o.Users)), "reader")
		text := ExportFor(o, reader).Encode()
		doc, err := Parse([]File{{"export.yaml", text}}, Secrets{Env: func(string) (string, bool) { return "", false }})
		if err != nil {
			t.Fatalf("Parse of an export: %v\n%s", err, text)
		}
		if diff := cmp.Diff(ExportFor(o, reader), doc, withoutPositions); diff != "" {
			t.Fatalf("read back differently (-exported +read):\n%s\n%s", diff, text)
		}
		for _, prune := range []bool{false, true} {
			changes, err := doc.Changes(o, Options{Prune: prune, Reader: reader}, testMaker())
			if err != nil || len(changes) != 0 {
				t.Fatalf("Changes = %+v, %v, want none\n%s", changes, err, text)
			}
		}
	})
}

// From any organisation to any other: afterwards it is the other one, as far as
// files tell, and applying again changes nothing.
func TestApplyingMakesItSo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := anyOrg(t), anyOrg(t)
		doc := Export(to)
		for _, v := range doc.Providers.Items {
			for name := range v.Secrets {
				v.Secrets[name] = Hidden{Text: "hunter2", From: v.Secrets[name].From} // from its variable
			}
		}
		plan, err := doc.Plan(from, Options{Prune: true}, testMaker())
		if err != nil {
			if strings.Contains(err.Error(), "last administrator") || to.Settings.Name == "" {
				return // a refusal as it should be
			}
			t.Fatalf("Plan: %v\n%s", err, doc.Encode())
		}
		if plan.After == nil {
			t.Fatal("no organisation after")
		}
		got := Export(plan.After)
		if to.Settings.Name == "" {
			got.Settings.Name = nil // it keeps the name it had
		}
		if !to.Settings.Retention.On() {
			got.Settings.Retention = nil // and for how long it kept things
		}
		if to.Settings.SecondFactor == "" {
			got.Settings.SecondFactor = nil // and of whom it wanted a second factor
		}
		for i, u := range doc.Users.Items { // people keep what they chose, and the document is silent about
			if u.Paging == nil {
				got.Users.Items[i].Paging = nil
			}
			if u.Reminders == nil {
				got.Users.Items[i].Reminders = nil
			}
		}
		got.Rooms.Items = slices.DeleteFunc(got.Rooms.Items, func(r Room) bool { // what was said stays, in a room that is closed
			return r.Closed && !slices.ContainsFunc(doc.Rooms.Items, func(listed Room) bool { return listed.Slug == r.Slug })
		})
		for i, r := range doc.Robots.Items { // in a private room: the document does not say which
			if r.Room == nil {
				got.Robots.Items[i].Room = nil
			}
		}
		// An address that was proven stays so, whatever a file says.
		if diff := cmp.Diff(doc, got, withoutPositions, cmpopts.IgnoreFields(Hidden{}, "Text"), cmpopts.IgnoreFields(Contact{}, "Unproven")); diff != "" {
			t.Fatalf("it did not become so (-wanted +is):\n%s", diff)
		}
		again, err := doc.Plan(plan.After, Options{Prune: true}, testMaker())
		if err != nil || len(again.Changes) != 0 || again.Diff != "" {
			t.Fatalf("applying again: %+v, %v\n%s", again.Changes, err, again.Diff)
		}
		if (plan.Diff == "") != (len(plan.Applied) == 0) {
			t.Fatalf("the difference is %q for %+v", plan.Diff, plan.Applied)
		}
	})
}
