package org

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
)

func TestProblemsOfPeopleOnCall(t *testing.T) {
	twice := rota("primary", "Primary", "kim")
	twice.Layers = append(twice.Layers, twice.Layers[0])
	twice.Layers[0].Name, twice.Layers[1].Name = "first", "second"
	o, _, err := example(t).Apply(puts(twice, oncall.Absence{ID: "a", User: "kim", Start: now, End: now.Add(time.Hour)})...)
	if err != nil {
		t.Fatal(err)
	}
	want := []Problem{{"Rotation Primary", "Kim is on call right now, but away."}, {"Rotation Primary", "Kim is on call in several layers at once right now."}}
	if diff := cmp.Diff(want, o.Problems(now)); diff != "" {
		t.Errorf("Problems() (-want +got):\n%s", diff)
	}
	if got := o.Problems(now.Add(time.Hour)); len(got) != 1 {
		t.Errorf("Problems() after the absence = %v, want the double duty only", got)
	}
}

// Rooms are renamed and closed by those who talk in them.
func TestProblemsOfRooms(t *testing.T) {
	p := policy("database", "Database", escalation.Target{User: "kim"}, escalation.Target{Room: "#ops"}, escalation.Target{Room: "timeline"}, escalation.Target{Room: "gone"})
	p.LastResort = []escalation.Target{{Room: "gone"}, {Room: "dm-bot~kim"}}
	ops := room.Room{ID: "r1", Kind: room.Public, Slug: "ops"}
	o, _, err := example(t).Apply(puts(p, ops)...)
	if err != nil {
		t.Fatal(err)
	}
	gone := Problem{"Policy Database", "It tells the room gone, which is not there or is closed."}
	direct := Problem{"Policy Database", "It tells the room dm-bot~kim, which is not there or is closed."}
	if diff := cmp.Diff([]Problem{gone, direct}, o.Problems(now)); diff != "" {
		t.Errorf("Problems() (-want +got):\n%s", diff)
	}
	ops.Closed = true
	if o, _, err = o.Apply(puts(ops)...); err != nil {
		t.Fatal(err)
	}
	closed := Problem{"Policy Database", "It tells the room #ops, which is not there or is closed."}
	if diff := cmp.Diff([]Problem{closed, gone, direct}, o.Problems(now)); diff != "" {
		t.Errorf("Problems() of a closed room (-want +got):\n%s", diff)
	}
}

func TestRisks(t *testing.T) {
	silent := person("lee", "Lee", people.Member)
	silent.Contacts = nil
	ended := rota("primary", "Primary", "kim", "lee")
	ended.Layers[0].End = "2026-01-12"
	office := rota("primary", "Primary", "kim", "lee")
	office.Layers[0].Restrictions = []oncall.Restriction{{Days: oncall.Weekdays()[:5], From: "09:00", To: "17:00"}}
	endedOffice := office
	endedOffice.Layers = []oncall.Layer{office.Layers[0]}
	endedOffice.Layers[0].End = "2026-01-12"
	nights := office
	nights.Layers = []oncall.Layer{office.Layers[0], office.Layers[0]}
	nights.Layers[0].Name, nights.Layers[1].Name = "days", "nights"
	nights.Layers[1].Restrictions = []oncall.Restriction{{From: "17:00", To: "09:00"}, {Days: []oncall.Weekday{oncall.Saturday, oncall.Sunday}, From: "00:00", To: "00:00"}}
	two := rota("primary", "Primary", "kim", "lee")
	two.Layers = append(two.Layers, rota("", "", "kim", "ada").Layers...)
	two.Layers[0].Name, two.Layers[1].Name = "first", "second"
	only := policy("database", "Database", escalation.Target{Rotation: "primary"})
	behind := policy("fallback", "Fallback", escalation.Target{Policy: "database"})
	filled := oncall.Override{ID: "o", Rotation: "primary", User: "ada", Start: now, Kind: oncall.Planned}
	tests := []struct {
		intent  string
		changes []Change
		want    []string // id: text from–to
	}{
		{"all is well", nil, nil},
		{"a layer ends; others in the policy are there", puts(ended), []string{"gap:primary nobody is on call 12 09:00–"}},
		{"and those policies of which it was the last person", puts(ended, only, behind), []string{
			"gap:primary nobody is on call 12 09:00–", "nobody:database it can reach nobody 12 09:00–", "nobody:fallback it can reach nobody 12 09:00–",
		}},
		{"filled by an override", puts(ended, only, filled), nil},
		{"outside of the hours, the first time", puts(office), []string{"hours:primary nobody is on call outside the hours of its layers 05 17:00–06 09:00"}},
		{"both in one rota", puts(endedOffice), []string{
			"gap:primary nobody is on call 12 09:00–", "hours:primary nobody is on call outside the hours of its layers 05 17:00–06 09:00",
		}},
		{"days and nights", puts(nights), nil},
		{"who cannot be reached", puts(silent), []string{"unreachable:primary:lee Lee has no contact method that works"}},
		{"who stands in and cannot be reached", puts(silent, rota("primary", "Primary", "kim"), func() oncall.Override { v := filled; v.User = "lee"; return v }()),
			[]string{"unreachable:primary:lee Lee has no contact method that works"}},
		{"who is away on duty", puts(oncall.Absence{ID: "a", User: "lee", Start: now, End: now.AddDate(0, 0, 8)}), []string{"absent:primary:a Lee is on call, but away 12 09:00–13 10:00"}},
		{"who is away off duty", puts(oncall.Absence{ID: "a", User: "lee", Start: now, End: now.AddDate(0, 0, 6)}), nil},
		{"in two layers at once", puts(two), []string{"doubled:primary:kim Kim is on call in several layers at once 05 10:00–12 09:00"}},
	}
	for _, tt := range tests {
		o, _, err := example(t).Apply(tt.changes...)
		if err != nil {
			t.Fatalf("%s: %v", tt.intent, err)
		}
		var got []string
		for _, r := range o.Risks(now, now.AddDate(0, 0, 14)) {
			s := r.ID + " " + r.Text
			if !r.Start.IsZero() {
				s += " " + r.Start.Format("02 15:04") + "–"
			}
			if !r.End.IsZero() {
				s += r.End.Format("02 15:04")
			}
			if r.Team != "dba" || !strings.HasPrefix(r.ID, string(r.Kind)+":") {
				t.Errorf("%s: %s is of team %q and kind %s", tt.intent, r.ID, r.Team, r.Kind)
			}
			got = append(got, s)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: Risks() (-want +got):\n%s", tt.intent, diff)
		}
	}
}

// A problem keeps its id while time goes on, or it would come up again and again.
// A holiday is told of by itself, until somebody has taken it over; only of the
// teams that have it.
func TestHolidayRisks(t *testing.T) {
	days := oncall.HolidayCalendar{ID: "h", Name: "Somewhere", Team: "ops", Days: []oncall.Holiday{
		{Date: now.AddDate(0, 0, 3).Format(time.DateOnly), Name: "One"}, {Date: now.AddDate(0, 0, 4).Format(time.DateOnly), Name: "Two"},
	}}
	ours := rota("primary", "Primary", "kim")
	ours.Team = "ops"
	texts := func(o *Org) []string {
		var all []string
		for _, r := range o.Risks(now, now.AddDate(0, 0, 14)) {
			if r.Kind == HolidayRisk {
				all = append(all, r.ID+" "+r.Text)
			}
		}
		return all
	}
	team := people.Team{ID: "ops", Slug: "ops", Name: "Operations"}
	o, _, err := example(t).Apply(puts(team, ours, days)...)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"holiday:primary:" + days.Days[0].Date + ":kim Kim is on call on a public holiday (One)",
		"holiday:primary:" + days.Days[1].Date + ":kim Kim is on call on a public holiday (Two)",
	}
	if diff := cmp.Diff(want, texts(o)); diff != "" {
		t.Errorf("Risks() (-want +got):\n%s", diff)
	}
	duty := o.HolidayDuties("primary", now, now.AddDate(0, 0, 14))[0]
	taken := oncall.Override{ID: "o", Rotation: "primary", User: "ada", For: "kim", Start: duty.From, End: duty.To, Kind: oncall.Planned}
	if o, _, err = o.Apply(puts(taken)...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want[1:], texts(o)); diff != "" {
		t.Errorf("after an override (-want +got):\n%s", diff)
	}
	if _, _, err := o.Apply(Remove(TeamKind, "ops")); err == nil {
		t.Error("a team is deleted whose holidays are there")
	}
	ours.Team = ""
	if o, _, err = o.Apply(puts(ours)...); err != nil || len(texts(o)) != 0 {
		t.Errorf("the rota of nobody has %v, %v", texts(o), err)
	}
}

func TestRisksKeepTheirIDs(t *testing.T) {
	ended := rota("primary", "Primary", "kim", "lee")
	ended.Layers[0].End = "2026-01-12"
	o, _, err := example(t).Apply(puts(ended)...)
	if err != nil {
		t.Fatal(err)
	}
	for at := now; at.Before(now.AddDate(0, 1, 0)); at = at.Add(7 * time.Hour) {
		risks := o.Risks(at, at.AddDate(0, 0, 14))
		if len(risks) != 1 || risks[0].ID != "gap:primary" || risks[0].Person != id.User("") {
			t.Fatalf("at %s: %+v", at, risks)
		}
	}
}
