package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
)

const christmas = `BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
SUMMARY:Christmas
DTSTART;VALUE=DATE:20261225
DTEND;VALUE=DATE:20261227
END:VEVENT
BEGIN:VEVENT
UID:2
SUMMARY:Office party
DTSTART:20261218T160000Z
DTEND:20261218T200000Z
END:VEVENT
END:VCALENDAR
`

// A calendar is pasted; the rota then says who is on call on a holiday, in the
// calendar, among its problems and ahead, each with the dialog for cover.
func TestHolidays(t *testing.T) {
	h := newWatch(t)
	h.has(h.get("kim", "/oncall/holidays"), "No public holidays")
	h.lacks(h.get("kim", "/oncall/holidays"), "Add a calendar")
	_, page := h.send("/oncall/holidays", refuses, "name", "Bavaria")
	h.has(page, "Choose a file, or paste a calendar.", `value="Bavaria"`)
	_, page = h.send("/oncall/holidays", refuses, "name", "Bavaria", "calendar", "no calendar")
	h.has(page, "no calendar</textarea>")
	h.send("/oncall/holidays", saved, "name", "Bavaria", "team", "", "calendar", christmas)
	var got []oncall.HolidayCalendar
	for _, c := range h.org().Holidays {
		c.ID = ""
		got = append(got, c)
	}
	want := []oncall.HolidayCalendar{{Name: "Bavaria", Days: []oncall.Holiday{{Date: "2026-12-25", Name: "Christmas"}, {Date: "2026-12-26", Name: "Christmas"}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("holidays (-want +got):\n%s", diff)
	}
	page = h.get("kim", "/oncall/holidays")
	h.has(page, "Friday 25 December 2026", "Christmas · Bavaria", "by the rota", "/oncall/override?", "2 days, the last is 26 December 2026")
	h.has(h.get("kim", "/oncall?view=month&from=2026-12-01"), "cal-holiday", `title="Christmas"`)
	h.lacks(h.get("kim", "/oncall?view=month&from=2026-11-01"), `title="Christmas"`)

	h.send("/oncall/holidays", saved, "name", "Bavaria", "calendar", strings.Replace(christmas, "20261227", "20261226", 1))
	if all := h.org().Holidays; len(all) != 1 {
		t.Errorf("the same region again: %+v, want it renewed", all)
	}
	for n, c := range h.org().Holidays {
		if len(c.Days) != 1 {
			t.Errorf("after the renewal the days are %+v", c.Days)
		}
		for _, who := range []string{"kim", "olga", ""} {
			if answer, _ := h.ask(request{as: who, method: http.MethodPost, path: "/oncall/holidays/" + string(n) + "/remove", plain: true}); !refused(answer) {
				t.Errorf("removed as %q: %s", who, answer.Status)
			}
		}
		h.send("/oncall/holidays/"+string(n)+"/remove", saved)
		h.send("/oncall/holidays/"+string(n)+"/remove", http.StatusNotFound)
	}
	if all := h.org().Holidays; len(all) != 0 {
		t.Errorf("left are %+v", all)
	}
}

// A day that is near is among the problems of the calendar.
func TestAHolidayIsAProblemAhead(t *testing.T) {
	h := newWatch(t)
	h.put(org.Put(oncall.HolidayCalendar{ID: "bavaria", Name: "Bavaria", Days: []oncall.Holiday{{Date: "2026-11-25", Name: "A day off"}}}))
	h.has(h.get("kim", "/oncall"), "on call on a public holiday (A day off)", "/oncall/override?", "A day off")
}
