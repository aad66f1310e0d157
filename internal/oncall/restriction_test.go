package oncall

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
)

func restricted(r Rotation, count Count, restrictions ...Restriction) Rotation {
	r.Layers[0].Restrictions, r.Layers[0].Count = restrictions, count
	return r
}

func TestRestrictedShifts(t *testing.T) {
	workdays := Weekdays()[:5]
	hours := Restriction{Days: workdays, From: "09:00", To: "17:00"}
	tests := []struct {
		why  string
		rota Rotation
		from string
		want []string // five at most
	}{
		{
			"working hours, handed over on Wednesday noon",
			restricted(rota("Europe/London", 1, Weeks, "12:00", "2026-01-07", "ann", "ben"), "", hours), "2026-01-13T00:00:00Z",
			[]string{"ann 2026-01-13 09:00 to 01-13 17:00", "ann 2026-01-14 09:00 to 01-14 12:00", "ben 2026-01-14 12:00 to 01-14 17:00", "ben 2026-01-15 09:00 to 01-15 17:00", "ben 2026-01-16 09:00 to 01-16 17:00"},
		},
		{
			"daily on the calendar: the weekend has its turns, too",
			restricted(rota("UTC", 1, Days, "00:00", "2026-01-09", "ann", "ben", "cem"), "", hours), "2026-01-09T00:00:00Z",
			[]string{"ann 2026-01-09 09:00 to 01-09 17:00", "ann 2026-01-12 09:00 to 01-12 17:00", "ben 2026-01-13 09:00 to 01-13 17:00", "cem 2026-01-14 09:00 to 01-14 17:00", "ann 2026-01-15 09:00 to 01-15 17:00"},
		},
		{
			"daily counting shifts: the weekend has none",
			restricted(rota("UTC", 1, Days, "00:00", "2026-01-09", "ann", "ben", "cem"), CountShifts, hours), "2026-01-09T00:00:00Z",
			[]string{"ann 2026-01-09 09:00 to 01-09 17:00", "ben 2026-01-12 09:00 to 01-12 17:00", "cem 2026-01-13 09:00 to 01-13 17:00", "ann 2026-01-14 09:00 to 01-14 17:00", "ben 2026-01-15 09:00 to 01-15 17:00"},
		},
		{
			"five shifts from Wednesday to Tuesday",
			restricted(rota("UTC", 5, Days, "00:00", "2026-01-07", "ann", "ben"), CountShifts, hours), "2026-01-12T00:00:00Z",
			[]string{"ann 2026-01-12 09:00 to 01-12 17:00", "ann 2026-01-13 09:00 to 01-13 17:00", "ben 2026-01-14 09:00 to 01-14 17:00", "ben 2026-01-15 09:00 to 01-15 17:00", "ben 2026-01-16 09:00 to 01-16 17:00"},
		},
		{
			"counting begins with the window the start lies in",
			restricted(rota("UTC", 1, Days, "12:00", "2026-01-09", "ann", "ben"), CountShifts, hours), "2026-01-01T00:00:00Z",
			[]string{"ann 2026-01-09 12:00 to 01-09 17:00", "ben 2026-01-12 09:00 to 01-12 17:00", "ann 2026-01-13 09:00 to 01-13 17:00", "ben 2026-01-14 09:00 to 01-14 17:00", "ann 2026-01-15 09:00 to 01-15 17:00"},
		},
		{
			"shifts that touch are handed over",
			restricted(rota("UTC", 1, Days, "08:00", "2026-01-05", "ann", "ben"), CountShifts, Restriction{From: "08:00", To: "20:00"}, Restriction{From: "20:00", To: "08:00"}), "2026-01-05T08:00:00Z",
			[]string{"ann 2026-01-05 08:00 to 01-05 20:00", "ben 2026-01-05 20:00 to 01-06 08:00", "ann 2026-01-06 08:00 to 01-06 20:00", "ben 2026-01-06 20:00 to 01-07 08:00", "ann 2026-01-07 08:00 to 01-07 20:00"},
		},
		{
			"a lone member counting shifts that fill the week is never relieved",
			restricted(rota("UTC", 1, Days, "08:00", "2026-01-05", "ann"), CountShifts, Restriction{From: "08:00", To: "08:00"}), "2026-01-05T08:00:00Z",
			[]string{"ann 2026-01-05 08:00 to never"},
		},
		{
			"nights: the window belongs to the day it begins",
			restricted(rota("UTC", 1, Weeks, "00:00", "2026-01-05", "ann", "ben"), "", Restriction{Days: []Weekday{Sunday}, From: "22:00", To: "06:00"}), "2026-01-11T00:00:00Z",
			[]string{"ann 2026-01-11 22:00 to 01-12 00:00", "ben 2026-01-12 00:00 to 01-12 06:00", "ben 2026-01-18 22:00 to 01-19 00:00", "ann 2026-01-19 00:00 to 01-19 06:00", "ann 2026-01-25 22:00 to 01-26 00:00"},
		},
		{
			"a weekend, round the end of the week",
			restricted(rota("UTC", 1, Weeks, "12:00", "2026-01-07", "ann", "ben"), "", Restriction{Days: []Weekday{Friday}, From: "17:00", Until: Monday, To: "09:00"}), "2026-01-12T08:00:00Z",
			[]string{"ann 2026-01-09 17:00 to 01-12 09:00", "ben 2026-01-16 17:00 to 01-19 09:00", "ann 2026-01-23 17:00 to 01-26 09:00", "ben 2026-01-30 17:00 to 02-02 09:00", "ann 2026-02-06 17:00 to 02-09 09:00"},
		},
		{
			"nights and weekends overlap and touch: one window",
			restricted(rota("UTC", 1, Weeks, "12:00", "2026-01-07", "ann", "ben"), "", Restriction{From: "17:00", To: "09:00"}, Restriction{Days: []Weekday{Saturday, Sunday}, From: "09:00", To: "17:00"}), "2026-01-09T18:00:00Z",
			[]string{"ann 2026-01-09 17:00 to 01-12 09:00", "ann 2026-01-12 17:00 to 01-13 09:00", "ann 2026-01-13 17:00 to 01-14 09:00", "ben 2026-01-14 17:00 to 01-15 09:00", "ben 2026-01-15 17:00 to 01-16 09:00"},
		},
		{
			"windows that fill the week restrict nothing",
			restricted(rota("UTC", 1, Weeks, "12:00", "2026-01-07", "ann", "ben"), "", Restriction{Days: []Weekday{Tuesday}, From: "03:00", Until: Friday, To: "01:00"}, Restriction{Days: []Weekday{Friday}, From: "01:00", Until: Tuesday, To: "04:00"}), "2026-01-08T00:00:00Z",
			[]string{"ann 2026-01-07 12:00 to 01-14 12:00", "ben 2026-01-14 12:00 to 01-21 12:00", "ann 2026-01-21 12:00 to 01-28 12:00", "ben 2026-01-28 12:00 to 02-04 12:00", "ann 2026-02-04 12:00 to 02-11 12:00"},
		},
		{
			"a lone member is relieved by the restrictions",
			restricted(rota("UTC", 1, Weeks, "09:00", "2026-01-05", "ann"), "", Restriction{Days: []Weekday{Saturday}, From: "00:00", To: "00:00"}), "2026-01-05T09:00:00Z",
			[]string{"ann 2026-01-10 00:00 to 01-11 00:00", "ann 2026-01-17 00:00 to 01-18 00:00", "ann 2026-01-24 00:00 to 01-25 00:00", "ann 2026-01-31 00:00 to 02-01 00:00", "ann 2026-02-07 00:00 to 02-08 00:00"},
		},
		{
			"turns that lie outside every window",
			restricted(rota("UTC", 1, Days, "00:00", "2026-01-05", "ann", "ben", "ann", "ben", "ann", "ben", "cem"), "", Restriction{Days: []Weekday{Monday}, From: "10:00", To: "11:00"}), "2026-01-05T00:00:00Z",
			[]string{"ann 2026-01-05 10:00 to 01-05 11:00", "ann 2026-01-12 10:00 to 01-12 11:00", "ann 2026-01-19 10:00 to 01-19 11:00", "ann 2026-01-26 10:00 to 01-26 11:00", "ann 2026-02-02 10:00 to 02-02 11:00"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			s := schedule(t, tt.rota)
			from := instant(t, tt.from)
			got := s.Between(from, from.AddDate(1, 0, 0))
			if diff := cmp.Diff(tt.want, lines(zone(t, tt.rota.Zone), got[:min(5, len(got))])); diff != "" {
				t.Errorf("shifts (-want +got):\n%s", diff)
			}
		})
	}
}

// A layer's end cuts a window.
func TestRestrictionUntilTheEnd(t *testing.T) {
	r := restricted(rota("UTC", 1, Weeks, "12:00", "2026-01-05", "ann", "ben"), "", Restriction{From: "09:00", To: "17:00"})
	r.Layers[0].End = "2026-01-08"
	got := lines(zone(t, "UTC"), r.Between(instant(t, "2026-01-07T00:00:00Z"), instant(t, "2026-02-01T00:00:00Z")))
	want := []string{"ann 2026-01-07 09:00 to 01-07 17:00", "ann 2026-01-08 09:00 to 01-08 12:00"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("shifts (-want +got):\n%s", diff)
	}
}

func TestValidateRestrictions(t *testing.T) {
	good := Restriction{Days: []Weekday{Monday, Friday}, From: "09:00", To: "17:00"}
	tests := []struct {
		why    string
		change func(*Layer)
		want   string // "" for valid
	}{
		{"none", func(l *Layer) { l.Restrictions = nil }, ""},
		{"one", func(*Layer) {}, ""},
		{"every day", func(l *Layer) { l.Restrictions[0].Days = nil }, ""},
		{"weekday", func(l *Layer) { l.Restrictions[0].Days[1] = "Mon" }, `layer 1: restrictions: restriction 1: days: "Mon" is not a weekday such as monday`},
		{"weekday twice", func(l *Layer) { l.Restrictions[0].Days[1] = Monday }, "restriction 1: days: monday is there twice"},
		{"from", func(l *Layer) { l.Restrictions[0].From = "9" }, `restriction 1: from: "9" is not a time of day such as 09:00`},
		{"to", func(l *Layer) { l.Restrictions[0].To = "24:00" }, `restriction 1: to: "24:00" is not a time of day`},
		{"until no weekday", func(l *Layer) { l.Restrictions[0].Until = "never" }, `restriction 1: until: "never" is not a weekday`},
		{"until with two days", func(l *Layer) { l.Restrictions[0].Until = Sunday }, "restriction 1: until: a window over several days begins on one weekday"},
		{"second", func(l *Layer) { l.Restrictions = append(l.Restrictions, Restriction{}) }, "restriction 2: from"},
		{"too many", func(l *Layer) { l.Restrictions = make([]Restriction, 51) }, "restrictions: give at most 50"},
		{"count", func(l *Layer) { l.Count = "nights" }, `count: "nights" is not known; use shifts`},
		{"count shifts", func(l *Layer) { l.Count, l.Unit = CountShifts, Days }, ""},
		{"count weeks", func(l *Layer) { l.Count = CountShifts }, "count: shifts are counted when the unit is days"},
		{"count nothing", func(l *Layer) { l.Count, l.Unit, l.Restrictions = CountShifts, Days, nil }, "count: there are no shifts to count without restrictions"},
		{"count an overlap", func(l *Layer) {
			l.Count, l.Unit = CountShifts, Days
			l.Restrictions = append(l.Restrictions, Restriction{Days: []Weekday{Sunday}, From: "09:00", Until: Monday, To: "09:01"})
		}, "count: the restrictions overlap"},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			r := rota("Europe/London", 1, Weeks, "09:00", "2026-01-05", "ann", "ben")
			r.Layers[0].Restrictions = []Restriction{{Days: append([]Weekday{}, good.Days...), From: good.From, To: good.To}}
			tt.change(&r.Layers[0])
			err := r.Validate()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("Validate() = %v, want ... %s ...", err, tt.want)
			}
		})
	}
}

func TestRestrictionJSON(t *testing.T) {
	r := restricted(rota("UTC", 5, Days, "00:00", "2026-01-05", "ann"), CountShifts, Restriction{Days: []Weekday{Friday}, From: "17:00", Until: Monday, To: "09:00"})
	text, err := json.Marshal(r.Layers[0])
	if err != nil {
		t.Fatal(err)
	}
	if want := `"restrictions":[{"days":["friday"],"from":"17:00","until":"monday","to":"09:00"}],"count":"shifts"}`; !strings.HasSuffix(string(text), want) {
		t.Errorf("layer as JSON %s, want ... %s", text, want)
	}
}

// Setting the current person of a layer that is off duty sets whose turn it is.
func TestWithCurrentOffDuty(t *testing.T) {
	r := restricted(rota("UTC", 1, Weeks, "00:00", "2026-01-05", "ann", "ben", "cem"), "", Restriction{From: "22:00", To: "06:00"})
	got, err := r.WithCurrent("cem", instant(t, "2026-01-06T12:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]id.User{"cem", "ann", "ben"}, got.Layers[0].Members); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}
