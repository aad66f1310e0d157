package web

import (
	"bytes"
	"html"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

// form sends a plain form as somebody and wants a status.
func (h *watch) form(as, path string, want int, pairs ...string) (reply, string) {
	h.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	answer, body := h.ask(request{as: as, method: http.MethodPost, path: path, form: form, plain: true})
	if answer.StatusCode != want {
		h.Fatalf("POST %s %v as %s: %s, want %d\n%.3000s", path, form, as, answer.Status, want, body)
	}
	return answer, html.UnescapeString(body)
}

// local is an instant some days from today, as the fields of a form hold it.
func local(days int, clock string) string {
	berlin, _ := time.LoadLocation("Europe/Berlin")
	return time.Now().In(berlin).AddDate(0, 0, days).Format(time.DateOnly) + "T" + clock
}

func (h *watch) overrides() []oncall.Override {
	h.Helper()
	return org.Sorted(h.org().Overrides, func(v oncall.Override) string { return string(v.ID) })
}

func TestOnCallPage(t *testing.T) {
	h := newWatch(t)
	page := h.get("olga", "/oncall/now")
	h.has(page, "Storage days", "Kim", "Europe/Berlin", "Database", "database", "everything else")
	h.lacks(page, "/settings/rotations/new")
}

// A shift that the same person's follows is no end, wherever the end is told.
func TestTheSamePersonOnceMoreIsNoEnd(t *testing.T) {
	h := newWatch(t)
	h.put(org.Put(oncall.Rotation{ID: "ro-alone", Name: "Alone", Zone: "UTC", Layers: []oncall.Layer{
		{Members: []id.User{"u-kim"}, Every: 1, Unit: oncall.Days, HandoffAt: "09:00", Start: "2026-01-05"},
	}}))
	o := h.org()
	if got := rotationNow(o, o.Rotations["ro-alone"], time.Now(), "u-kim"); len(got.Now) != 1 || !got.Until.IsZero() {
		t.Errorf("one who is always on duty is so until %s: %+v", got.Until, got.Now)
	}
}

// A reader sees the calendar and is offered nothing that would be refused.
func TestCalendarOffersWhatIsAllowed(t *testing.T) {
	h := newWatch(t)
	page := h.get("olga", "/oncall")
	h.has(page, "Storage days", "Kim", `aria-current="page">Week`, "cal-agenda")
	h.lacks(page, "data-can-act", "/oncall/override", "/oncall/away/new", `method="post" action="/oncall`)
	h.has(h.get("kim", "/oncall"), "data-can-act", `href="/oncall/override"`, `href="/oncall/away/new"`)
	for _, path := range []string{"/oncall/take", "/oncall/overrides", "/oncall/away", "/oncall/swaps", "/oncall/swaps/x/accept", "/oncall/overrides/x/back"} {
		h.form("olga", path, http.StatusForbidden)
	}
}

var shiftLink = regexp.MustCompile(`href="(/oncall/shift\?[^"]+)"`)

func (h *watch) shiftLink(as, calendar string) string {
	h.Helper()
	m := shiftLink.FindStringSubmatch(h.get(as, calendar))
	if m == nil {
		h.Fatalf("no shift on %s as %s", calendar, as)
	}
	return html.UnescapeString(m[1])
}

func TestTakeOnCallAndHandItBack(t *testing.T) {
	h := newWatch(t)
	link := h.shiftLink("ada", "/oncall")
	dialog := h.get("ada", link)
	h.has(dialog, "Take on-call now", "Have somebody else do it", "On call now")
	h.lacks(h.get("olga", link), `method="post" action="/oncall`)
	h.has(h.get("kim", link), "(you)", "Ask for a swap")

	h.form("ada", "/oncall/take", saved, "rotation", "r-db", "layer", "0", "for", "u-kim", "note", "lunch", "back", "/oncall?view=week")
	all := h.overrides()
	if len(all) != 1 || all[0].User != "u-ada" || all[0].Kind != oncall.Taken || all[0].Note != "lunch" {
		t.Fatalf("overrides are %+v", all)
	}
	if on := h.org().OnCall("r-db", time.Now()); len(on) != 1 || on[0].User != "u-ada" || on[0].Instead != "u-kim" {
		t.Errorf("on call are %+v, want Ada instead of Kim", on)
	}
	h.has(h.get("olga", "/oncall"), "instead of Kim", "bar-override")
	rotation := url.Values{"rotation": {"r-db"}, "layer": {"0"}, "at": {strconv.FormatInt(time.Now().Unix(), 10)}}
	h.has(h.get("kim", "/oncall/shift?"+rotation.Encode()), "Hand back", "lunch", "made by Ada")
	answer, _ := h.form("ada", "/oncall/overrides/"+string(all[0].ID)+"/back", saved, "back", "https://elsewhere.example/oncall")
	if to := answer.Header.Get("Location"); to != "/oncall" {
		t.Errorf("a form that came from elsewhere leads to %q", to)
	}
	if on := h.org().OnCall("r-db", time.Now().Add(time.Second)); len(on) != 1 || on[0].User != "u-kim" {
		t.Errorf("on call are %+v, want Kim", on)
	}
}

// The dialog says what an override would change, and saves it.
func TestOverrideDialog(t *testing.T) {
	h := newWatch(t)
	form := []string{"rotation", "r-db", "user", "u-ada", "from", local(2, "09:00"), "until", local(2, "21:00")}
	_, preview := h.form("ada", "/oncall/override/preview", http.StatusOK, form...)
	h.has(preview, "Ada", "+ 12 hours", "Kim", "− 12 hours")
	if n := len(h.overrides()); n != 0 {
		t.Fatalf("looking made %d overrides", n)
	}
	_, page := h.form("ada", "/oncall/overrides", http.StatusOK, append(form, "do", "preview")...)
	h.has(page, "+ 12 hours", `value="`+local(2, "09:00")+`"`)
	h.form("ada", "/oncall/overrides", saved, form...)
	if all := h.overrides(); len(all) != 1 || all[0].User != "u-ada" || all[0].End.Sub(all[0].Start) != 12*time.Hour {
		t.Fatalf("overrides are %+v", all)
	}
	_, preview = h.form("ada", "/oncall/override/preview", http.StatusOK, form...)
	h.has(preview, "This changes nothing")

	_, page = h.form("ada", "/oncall/overrides", refuses, "rotation", "r-db", "user", "u-ada", "from", "soon", "until", "")
	h.has(page, "That is not a time.", "This is needed.", `value="soon"`)
	_, page = h.form("ada", "/oncall/overrides", refuses, "rotation", "r-db", "user", "u-ada", "for", "u-ada", "from", local(3, "09:00"), "until", local(3, "08:00"))
	h.has(page, "Nobody can stand in for themselves.", "It must end after it begins.")
	// Kim may not put Ada on duty, and reads it where it was tried.
	_, page = h.form("kim", "/oncall/overrides", refuses, "rotation", "r-db", "user", "u-ada", "from", local(4, "09:00"), "until", local(4, "21:00"))
	h.has(page, "notice tone-critical")

	h.form("ada", "/oncall/overrides/"+string(h.overrides()[0].ID)+"/remove", saved)
	if all := h.overrides(); len(all) != 0 {
		t.Errorf("after removing there are %+v", all)
	}
}

func TestFragmentOfADialogHasNoFrame(t *testing.T) {
	h := newWatch(t)
	_, body := h.ask(request{as: "kim", path: "/oncall/override?rotation=r-db&at=1893456000&until=1893499200", header: http.Header{"Hx-Request": {"true"}}})
	h.has(body, `data-dialogue-title="Add override"`, `value="2030-01-01T01:00"`, `value="2030-01-01T13:00"`)
	h.lacks(body, "<html", "topbar")
}

func TestAbsenceWarnsUntilThereIsCover(t *testing.T) {
	h := newWatch(t)
	h.form("kim", "/oncall/away", saved, "from", local(1, "00:00"), "until", local(2, "00:00"), "note", "dentist")
	page := h.get("kim", "/oncall/away")
	h.has(page, "dentist", "On call in Storage days", "Find cover")
	h.lacks(h.get("olga", "/oncall/away"), "Find cover", `method="post" action="/oncall`)
	h.has(h.get("ada", "/oncall?view=month"), "bar-away", "Find cover")
	cover := regexp.MustCompile(`href="(/oncall/override\?[^"]+for=u-kim[^"]*)"`).FindStringSubmatch(h.get("ada", "/oncall/away"))
	if cover == nil {
		t.Fatal("no link to find cover")
	}
	h.has(h.get("ada", html.UnescapeString(cover[1])), `value="`+local(1, "00:00")+`"`, `value="u-kim" selected`)
	h.form("ada", "/oncall/overrides", saved, "rotation", "r-db", "user", "u-ada", "for", "u-kim", "from", local(1, "00:00"), "until", local(2, "00:00"))
	h.lacks(h.get("kim", "/oncall/away"), "Find cover")

	_, page = h.form("kim", "/oncall/away", refuses, "from", local(2, "00:00"), "until", local(1, "00:00"))
	h.has(page, "It must end after it begins.")
	for n := range h.org().Absences {
		h.form("kim", "/oncall/away/"+string(n)+"/remove", saved, "back", "/oncall/away")
	}
	if left := h.org().Absences; len(left) != 0 {
		t.Errorf("absences are %+v", left)
	}
}

func TestSwapIsAskedAndAnswered(t *testing.T) {
	h := newWatch(t)
	ask := []string{"rotation", "r-db", "to", "u-ada", "from", local(1, "10:00"), "until", local(1, "12:00"), "note", "school play"}
	_, page := h.form("kim", "/oncall/swaps", refuses, append(slices.Clone(ask), "to", "u-kim", "to", "")[:2]...)
	h.has(page, "This is needed.")
	h.form("kim", "/oncall/swaps", saved, ask...)
	h.has(h.get("kim", "/oncall/away"), "Waits for an answer", "Withdraw")
	h.has(h.get("ada", "/oncall/away"), "You are asked to take over", "school play", "Accept")
	h.has(h.get("ada", "/oncall"), `data-n="1"`)
	var swap id.Swap
	for n := range h.org().Swaps {
		swap = n
	}
	h.form("ada", "/oncall/swaps/"+string(swap)+"/accept", saved, "back", "/oncall/away")
	if all := h.overrides(); len(all) != 1 || all[0].User != "u-ada" || all[0].For != "u-kim" {
		t.Errorf("the swap became %+v", all)
	}
	h.has(h.get("kim", "/oncall/away"), "Accepted")
	h.form("kim", "/oncall/swaps", saved, "rotation", "r-db", "to", "u-ada", "from", local(3, "10:00"), "until", local(3, "12:00"))
	for n, s := range h.org().Swaps {
		if s.State == oncall.SwapAsked {
			h.form("kim", "/oncall/swaps/"+string(n)+"/withdraw", saved)
		}
	}
	h.lacks(h.get("ada", "/oncall/away"), "You are asked to take over")
}

// The address of a feed is shown once, to who made it.
func TestFeedPages(t *testing.T) {
	h := newWatch(t)
	_, page := h.form("kim", "/oncall/feeds", http.StatusOK, "rotation", "r-db")
	m := regexp.MustCompile(`value="http://watch.example/calendar/([a-z0-9]+)\.ics"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no address of a feed in %.3000s", page)
	}
	if f, err := h.dispatch.Feed(t.Context(), m[1]); err != nil || f.Rotation != "r-db" {
		t.Errorf("the feed is %+v, %v", f, err)
	}
	h.form("kim", "/oncall/feeds", http.StatusOK)
	again := h.get("kim", "/oncall/feeds")
	h.has(again, "Storage days", "Kim", "Revoke")
	h.lacks(again, m[1])
	h.lacks(h.get("olga", "/oncall/feeds"), "Revoke")
	for n := range h.org().Feeds {
		h.form("kim", "/oncall/feeds/"+string(n)+"/revoke", saved)
	}
	if _, err := h.dispatch.Feed(t.Context(), m[1]); err == nil {
		t.Error("a revoked feed is still there")
	}
}

// A calendar is looked at before it is saved.
func TestImportPages(t *testing.T) {
	h := newWatch(t)
	day := time.Now().UTC().AddDate(0, 0, 7).Format("20060102")
	calendar := strings.ReplaceAll("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n"+
		"BEGIN:VEVENT\nUID:a\nDTSTAMP:20260101T000000Z\nDTSTART:"+day+"T080000Z\nDTEND:"+day+"T160000Z\nSUMMARY:Ada\nEND:VEVENT\n"+
		"BEGIN:VEVENT\nUID:b\nDTSTAMP:20260101T000000Z\nDTSTART:"+day+"T180000Z\nDTEND:"+day+"T200000Z\nSUMMARY:Somebody else\nEND:VEVENT\n"+
		"END:VCALENDAR\n", "\n", "\r\n")
	upload := func(as, file, again string, want int) string {
		t.Helper()
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		if file != "" {
			part, err := m.CreateFormFile("file", "rota.ics")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = part.Write([]byte(file))
		}
		if again != "" {
			_ = m.WriteField("calendar", again)
			_ = m.WriteField("do", "save")
		}
		_ = m.Close()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/settings/rotations/r-db/import", &b)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", m.FormDataContentType())
		req.AddCookie(&http.Cookie{Name: "watchroom", Value: "cookie-" + as})
		answer, err := noRedirects().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var body bytes.Buffer
		_, _ = body.ReadFrom(answer.Body)
		if answer.StatusCode != want {
			t.Fatalf("upload as %s: %s, want %d\n%.2000s", as, answer.Status, want, body.String())
		}
		return html.UnescapeString(body.String())
	}
	upload("kim", calendar, "", http.StatusForbidden)
	h.has(upload("ada", "", "", refuses), "Choose a file")
	h.has(upload("ada", "nonsense", "", refuses), "notice tone-critical")
	h.has(upload("ada", calendar, "", http.StatusOK), "1 override would be made", "Somebody else", "cannot be matched", "BEGIN:VCALENDAR")
	if n := len(h.overrides()); n != 0 {
		t.Fatalf("looking made %d overrides", n)
	}
	upload("ada", "", calendar, saved)
	if all := h.overrides(); len(all) != 1 || all[0].User != "u-ada" {
		t.Errorf("imported %+v", all)
	}
}

// The editor keeps hours of the week, and says what an edit takes from whom.
func TestRotationHoursAndPreview(t *testing.T) {
	h := newWatch(t)
	form := []string{
		"name", "Storage days", "zone", "Europe/Berlin", "team", "t-db", "layers", "1", "0.every", "5", "0.unit", "days", "0.handoff", "09:00", "0.start", "2024-01-01",
		"0.member", "u-ada", "0.member", "u-kim", "0.hours", "1", "0.hours.0.day", "monday", "0.hours.0.day", "friday", "0.hours.0.from", "09:00", "0.hours.0.to", "17:00", "0.count", "on",
	}
	preview := func(pairs ...string) string {
		_, body := h.form("ada", "/settings/rotations/preview", http.StatusOK, pairs...)
		return body
	}
	h.has(preview(append([]string{"id", "r-db"}, form...)...), "When the clocks change", "go forward by 1 hour", "go back by 1 hour", "What this changes", "Kim")
	h.send("/settings/rotations/r-db", saved, form...)
	l := h.org().Rotations["r-db"].Layers[0]
	want := oncall.Restriction{Days: []oncall.Weekday{oncall.Monday, oncall.Friday}, From: "09:00", To: "17:00"}
	if len(l.Restrictions) != 1 || !slices.Equal(l.Restrictions[0].Days, want.Days) || l.Restrictions[0].To != want.To || l.Count != oncall.CountShifts {
		t.Errorf("the layer is %+v", l)
	}
	h.has(h.get("ada", "/settings/rotations/r-db"), `value="friday" checked`, `name="0.hours.0.from" value="09:00"`)
	h.has(h.get("olga", "/settings/rotations/r-db"), "Mon, Fri 09:00 – 17:00")
	_, page := h.send("/settings/rotations/r-db", http.StatusOK, append(slices.Clone(form), "do", "add-hours:0")...)
	h.has(page, `name="0.hours.1.from" value="17:00"`)
	_, page = h.send("/settings/rotations/r-db", http.StatusOK, append(slices.Clone(form), "do", "drop-hours:0:0")...)
	h.lacks(page, "0.hours.0.from")
	_, page = h.send("/settings/rotations/r-db", refuses, append(slices.Clone(form), "0.hours.0.until", "sunday")...)
	h.has(page, "begin on exactly one day")
}

func TestCalendarSpan(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 25, 23, 30, 0, 0, time.UTC) // Thursday 00:30 in Berlin
	for _, c := range []struct{ query, title, prev, next string }{
		{"", "23 – 29 March 2026", "2026-03-16", "2026-03-30"},
		{"view=week&from=2026-04-01", "30 March – 5 April 2026", "2026-03-23", "2026-04-06"},
		{"view=fortnight&from=2026-12-31", "28 December 2026 – 10 January 2027", "2026-12-14", "2027-01-11"},
		{"view=month&from=2028-02-29", "February 2028", "2028-01-01", "2028-03-01"},
		{"view=century&from=never", "23 – 29 March 2026", "2026-03-16", "2026-03-30"},
		{"from=9999-01-01", "23 – 29 March 2026", "2026-03-16", "2026-03-30"},
	} {
		q, _ := url.ParseQuery(c.query)
		s := spanOf(q, now, berlin)
		if s.title() != c.title || !strings.Contains(s.move(-1), "from="+c.prev) || !strings.Contains(s.move(1), "from="+c.next) {
			t.Errorf("%q: %s, before it %s, after it %s", c.query, s.title(), s.move(-1), s.move(1))
		}
	}
	// The week in which the clocks go forward has 167 hours.
	s := spanOf(url.Values{}, now, berlin)
	if got := s.to().Sub(s.from()); got != 167*time.Hour {
		t.Errorf("the week lasts %s", got)
	}
	if got := s.share(time.Date(2026, 3, 29, 22, 0, 0, 0, time.UTC)); got != 100 {
		t.Errorf("its end lies at %v%%", got)
	}
}

// A typed time means the first instant at which the clocks show it or a later one.
func TestWallInstant(t *testing.T) {
	for _, c := range []struct{ zone, typed, want string }{
		{"Europe/Berlin", "2026-07-01T09:00", "2026-07-01T07:00:00Z"},
		{"Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00:00Z"}, // skipped
		{"Europe/Berlin", "2026-03-29T03:30", "2026-03-29T01:30:00Z"},
		{"Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00Z"}, // doubled: the first
		{"Europe/Berlin", "2026-10-25T03:30", "2026-10-25T02:30:00Z"},
		{"Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30:00Z"}, // half an hour is skipped
		{"Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00:00Z"},        // a day that never was
		{"America/New_York", "2026-11-01T01:30", "2026-11-01T05:30:00Z"},
		{"UTC", "2026-11-01T01:30", "2026-11-01T01:30:00Z"},
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		wall, err := time.Parse(typedForm, c.typed)
		if err != nil {
			t.Fatal(err)
		}
		if got := wallInstant(wall, loc).Format(time.RFC3339); got != c.want {
			t.Errorf("%s in %s is %s, want %s", c.typed, c.zone, got, c.want)
		}
	}
}

// FuzzCalendarAddress opens the calendar at any address: it shows between a week
// and a month that holds the day asked for, and can be left to both sides.
func FuzzCalendarAddress(f *testing.F) {
	f.Add("view=week&from=2026-03-29&mine=1", "Europe/Berlin")
	f.Add("view=month&from=1970-01-01", "Pacific/Apia")
	f.Add("view=fortnight&from=2999-12-31&team=%zz", "UTC")
	f.Fuzz(func(t *testing.T, query, zone string) {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			return
		}
		q, _ := url.ParseQuery(query)
		c := calendar{o: &org.Org{}, span: spanOf(q, time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC), loc), may: func(people.Permission) bool { return true }}
		v := c.view()
		if len(v.Days) < 7 || len(v.Days) > 31 || !v.Start.Before(v.End) || v.Prev == v.Self || v.Next == v.Self {
			t.Errorf("%d days from %s to %s", len(v.Days), v.Start, v.End)
		}
	})
}
