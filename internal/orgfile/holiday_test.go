package orgfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/oncall"
)

func TestHolidays(t *testing.T) {
	doc := parse(t, `
teams: [{slug: ops}]
holidays:
  - name: Bavaria
    team: ops
    days: [2027-01-06 Epiphany, 2026-12-25 Christmas Day, 2026-12-25 Christmas Day]
`)
	o := apply(t, emptyOrg(t), doc, Options{}).After
	if len(o.Holidays) != 1 {
		t.Fatalf("holidays are %+v", o.Holidays)
	}
	for n, c := range o.Holidays {
		want := oncall.HolidayCalendar{ID: n, Name: "Bavaria", Team: c.Team, Days: []oncall.Holiday{{Date: "2026-12-25", Name: "Christmas Day"}, {Date: "2027-01-06", Name: "Epiphany"}}}
		if diff := cmp.Diff(want, c); diff != "" || o.Teams[c.Team].Slug != "ops" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	renewed := apply(t, o, parse(t, "holidays: [{name: Bavaria, days: [2027-12-25 Christmas Day]}]"), Options{})
	if len(renewed.After.Holidays) != 1 || !strings.Contains(renewed.Diff, "~ public holidays Bavaria") {
		t.Errorf("renewed: %+v\n%s", renewed.After.Holidays, renewed.Diff)
	}
	if gone := apply(t, o, parse(t, "holidays: []"), Options{}); len(gone.After.Holidays) != 0 || !strings.Contains(gone.Diff, "- public holidays Bavaria") {
		t.Errorf("not listed: %+v\n%s", gone.After.Holidays, gone.Diff)
	}
	for text, want := range map[string]string{
		"holidays: [{name: Bavaria, days: [2026-12-25]}]":                              "org.yaml:1: days: \"2026-12-25\": write the date and the name",
		"holidays: [{name: Bavaria, days: [Christmas Day]}]":                           "\"Christmas\" is not a date",
		"holidays: [{name: Bavaria}]":                                                  "days: there are none",
		"holidays: [{days: [2026-12-25 x]}]":                                           "name is missing",
		"holidays: [{name: A, team: nobody, days: [2026-12-25 x]}]":                    "nobody",
		"holidays: [{name: A, days: [2026-12-25 x]}, {name: A, days: [2026-12-25 x]}]": "public holidays",
	} {
		doc, err := Parse([]File{{"org.yaml", []byte(text)}}, Secrets{})
		if err == nil {
			_, err = doc.Plan(emptyOrg(t), Options{}, testMaker())
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
