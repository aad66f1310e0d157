package oncall

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
)

func TestHolidayCalendarValidate(t *testing.T) {
	one := func(days ...Holiday) HolidayCalendar { return HolidayCalendar{ID: "h", Name: "Bavaria", Days: days} }
	many := one()
	for i := range MaxHolidays + 1 {
		many.Days = append(many.Days, Holiday{time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), "x"})
	}
	unnamed := one(Holiday{"2026-12-25", "Christmas"})
	unnamed.Name = " "
	for _, tt := range []struct {
		intent string
		c      HolidayCalendar
		want   string
	}{
		{"two days", one(Holiday{"2026-12-25", "Christmas"}, Holiday{"2026-12-26", "St Stephen's"}), ""},
		{"one date with two names", one(Holiday{"2026-06-04", "Corpus Christi"}, Holiday{"2026-06-04", "Jubilee"}), ""},
		{"no name", unnamed, "name: give 1 to 200"},
		{"no days", one(), "there are none"},
		{"too many", many, "are more than 1000"},
		{"no date", one(Holiday{"25.12.2026", "Christmas"}), "is not a date such as 2026-12-25"},
		{"a date that is not", one(Holiday{"2026-02-29", "Leap"}), "is not a date"},
		{"a date without its zeros", one(Holiday{"2026-1-1", "New Year"}), "is not a date"},
		{"a year out of all rotas", one(Holiday{"0001-01-01", "Beginning"}), "is not a date"},
		{"a day without a name", one(Holiday{"2026-12-25", ""}), "2026-12-25: give a name"},
		{"out of order", one(Holiday{"2026-12-26", "b"}, Holiday{"2026-12-25", "a"}), "by date, each once"},
		{"twice", one(Holiday{"2026-12-26", "b"}, Holiday{"2026-12-26", "b"}), "by date, each once"},
	} {
		err := tt.c.Validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: Validate() = %v, want %q", tt.intent, err, tt.want)
		}
	}
}

func TestHolidayInterval(t *testing.T) {
	for _, tt := range []struct{ intent, zone, date, from, to string }{
		{"an ordinary day", "Europe/Berlin", "2026-12-25", "2026-12-24T23:00:00Z", "2026-12-25T23:00:00Z"},
		{"Easter Sunday, 23 hours", "Europe/Berlin", "2027-03-28", "2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z"},
		{"a day of 25 hours", "Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		{"a midnight that is skipped", "Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"},
		{"the other side of the earth", "Pacific/Auckland", "2026-12-25", "2026-12-24T11:00:00Z", "2026-12-25T11:00:00Z"},
	} {
		loc, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		got := Holiday{tt.date, "x"}.Interval(loc)
		if got.From.Format(time.RFC3339) != tt.from || got.To.Format(time.RFC3339) != tt.to {
			t.Errorf("%s: Interval() = %s – %s, want %s – %s", tt.intent, got.From, got.To, tt.from, tt.to)
		}
	}
}

// Kim and Noor take turns by the day at nine, Lee has nights by week; Christmas
// is on a Friday.
func TestHolidayDuties(t *testing.T) {
	r := Rotation{ID: "r", Name: "R", Zone: "Europe/Berlin", Layers: []Layer{
		{Name: "day", Members: []id.User{"kim", "noor"}, Every: 1, Unit: Days, HandoffAt: "09:00", Start: "2026-12-21"},
		{Name: "night", Members: []id.User{"lee"}, Every: 1, Unit: Weeks, HandoffAt: "09:00", Start: "2026-12-21", Restrictions: []Restriction{{From: "22:00", To: "06:00"}}},
	}}
	s, err := r.Compile()
	if err != nil {
		t.Fatal(err)
	}
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) time.Time {
		t.Helper()
		v, err := time.ParseInLocation("2006-01-02 15:04", text, loc)
		if err != nil {
			t.Fatal(err)
		}
		return v.UTC()
	}
	days := []Holiday{{"2026-12-26", "St Stephen's"}, {"2026-12-25", "Christmas"}, {"2026-12-25", "Christmas Day"}, {"2027-01-01", "New Year"}}
	told := func(overrides []Override, from, to string) []string {
		all := []string{}
		for _, d := range HolidayDuties(Final(s, overrides), days, loc, at(from), at(to)) {
			all = append(all, fmt.Sprintf("%s %s %s–%s", d.Holiday.Name, d.User, d.From.In(loc).Format("02 15:04"), d.To.In(loc).Format("02 15:04")))
		}
		return all
	}
	for _, tt := range []struct {
		intent    string
		overrides []Override
		from, to  string
		want      []string
	}{
		{"everybody once a day, from their first hour to their last", nil, "2026-12-20 00:00", "2026-12-27 00:00", []string{
			"Christmas noor 25 00:00–25 09:00", "Christmas lee 25 00:00–26 00:00", "Christmas kim 25 09:00–26 00:00",
			"St Stephen's kim 26 00:00–26 09:00", "St Stephen's lee 26 00:00–27 00:00", "St Stephen's noor 26 09:00–27 00:00",
		}},
		{"what is over is over", nil, "2026-12-26 10:00", "2026-12-27 00:00", []string{"St Stephen's noor 26 10:00–27 00:00", "St Stephen's lee 26 22:00–27 00:00"}},
		{"who took it over has been asked", []Override{
			{ID: "o", Rotation: "r", User: "ada", For: "kim", Start: at("2026-12-25 09:00"), End: at("2026-12-26 00:00"), Kind: Planned},
		}, "2026-12-25 09:00", "2026-12-25 21:00", []string{}},
		{"a part that nobody has arranged", []Override{
			{ID: "o", Rotation: "r", User: "ada", For: "kim", Start: at("2026-12-25 09:00"), End: at("2026-12-25 18:00"), Kind: Planned},
		}, "2026-12-25 09:00", "2026-12-25 21:00", []string{"Christmas kim 25 18:00–25 21:00"}},
		{"no holiday in that time", nil, "2026-12-27 00:00", "2027-01-01 00:00", []string{}},
		{"nor in no time", nil, "2026-12-25 00:00", "2026-12-25 00:00", []string{}},
	} {
		if diff := cmp.Diff(tt.want, told(tt.overrides, tt.from, tt.to)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.intent, diff)
		}
	}
}
