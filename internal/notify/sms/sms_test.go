package sms_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/sms"
)

func one(title string) notify.Page {
	return notify.Page{Incidents: []notify.PageIncident{{
		Number: 123, Severity: "critical", Title: title,
		URL: "https://oncall.example/i/123", AckURL: "https://oncall.example/a/" + strings.Repeat("t", 40),
	}}}
}

func TestTextOfOneIncident(t *testing.T) {
	cases := []struct {
		what, title, want string
		segments          int
		gsm               bool
	}{
		{"plain", "Disk full on db7", "#123 critical: Disk full on db7. Reply ACK 123 or RES 123 https://oncall.example/i/123", 1, true},
		{"typography", "“Disk” full — db7…", `#123 critical: "Disk" full - db7... Reply ACK 123 or RES 123 https://oncall.example/i/123`, 1, true},
		{"accents", "Größe façade Łódź", "#123 critical: Größe facade Lodz. Reply ACK 123 or RES 123 https://oncall.example/i/123", 1, true},
		{"a letter and its mark apart", "cafe\u0301", "#123 critical: café. Reply ACK 123 or RES 123 https://oncall.example/i/123", 1, true},
		{"emoji", "🔥 db down 🔥", "#123 critical: db down. Reply ACK 123 or RES 123 https://oncall.example/i/123", 1, true},
		{"lines and controls", "a\nb\x00\u202ec", "#123 critical: a b c. Reply ACK 123 or RES 123 https://oncall.example/i/123", 1, true},
		{"nothing", "  ", "#123 critical: incident without a title. Reply ACK 123 or RES 123 https://oncall.example/i/123", 1, true},
		{"Cyrillic keeps its letters", "Диск заполнен", "#123 critical: Диск заполнен. Reply ACK 123 or RES 123 https://oncall.example/i/123", 2, false},
	}
	for _, c := range cases {
		got := sms.Text(one(c.title), true)
		n, gsm := sms.Segments(got)
		if got != c.want || n != c.segments || gsm != c.gsm {
			t.Errorf("%s: Text(%q) =\n%q (%d segments, GSM %v), want\n%q (%d, %v)", c.what, c.title, got, n, gsm, c.want, c.segments, c.gsm)
		}
	}
}

func TestTextCutsTheTitleAndNotTheAnswer(t *testing.T) {
	got := sms.Text(one(strings.Repeat("filesystem ", 40)), true)
	if n, gsm := sms.Segments(got); n != 1 || !gsm {
		t.Errorf("%d segments, GSM %v: %q", n, gsm, got)
	}
	if !strings.HasSuffix(got, "m... Reply ACK 123 or RES 123") {
		t.Errorf("no cut title and whole answer in %q", got)
	}
	if strings.Contains(got, "https") {
		t.Errorf("a link where there is no room: %q", got)
	}
}

func TestTextWithoutRepliesHasTheLinkThatAcknowledges(t *testing.T) {
	p := one(strings.Repeat("filesystem ", 40))
	got := sms.Text(p, false)
	if n, gsm := sms.Segments(got); n != 2 || !gsm {
		t.Errorf("%d segments, GSM %v: %q", n, gsm, got)
	}
	if !strings.HasSuffix(got, " "+p.Incidents[0].AckURL) || strings.Contains(got, "Reply") {
		t.Errorf("no link, or a promise to read replies: %q", got)
	}
	p.Incidents[0].AckURL = "https://oncall.example/" + strings.Repeat("x", 300)
	if got := sms.Text(p, false); strings.Contains(got, "http") {
		t.Errorf("a link that was cut: %q", got)
	}
}

func TestTextOfSeveral(t *testing.T) {
	p := notify.Page{Drill: true}
	for n := range 7 {
		p.Incidents = append(p.Incidents, notify.PageIncident{Number: id.Incident(40 + n), Title: strings.Repeat("disk full on a host ", 4)})
	}
	got := sms.Text(p, true)
	if n, gsm := sms.Segments(got); n != 1 || !gsm {
		t.Errorf("%d segments, GSM %v: %q", n, gsm, got)
	}
	for _, want := range []string{"DRILL 7 new incidents: #40 disk", "; #41 disk", "; #42 disk", " and 4 more. Reply ACK ALL"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	p.Incidents = p.Incidents[:2]
	p.Incidents[0].Title, p.Incidents[1].Title = "a", "b"
	if got, want := sms.Text(p, true), "DRILL 2 new incidents: #40 a; #41 b. Reply ACK ALL"; got != want {
		t.Errorf("Text() = %q, want %q", got, want)
	}
}

func TestTextOfNotice(t *testing.T) {
	n := notify.Notice{Subject: "Your code", Lines: []string{"482913 is your code for Watchroom.", "It is good for 10 minutes."}, URL: "https://oncall.example/me"}
	got := sms.Text(notify.Page{Notice: &n}, true)
	if want := "Your code: 482913 is your code for Watchroom. It is good for 10 minutes. https://oncall.example/me"; got != want {
		t.Errorf("Text() = %q, want %q", got, want)
	}
	n.Subject = strings.Repeat("very long subject ", 30)
	if got := sms.Text(notify.Page{Notice: &n}, true); !strings.HasPrefix(got, "482913") || !strings.HasSuffix(got, n.URL) {
		t.Errorf("the code or the link gave way to the subject: %q", got)
	}
}

func TestNoMoreThanTwoSegments(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.RuneFrom([]rune("ab {}~€ñ.Жя中🔥\u0301\n")), 0, 400, -1))
		p := notify.Page{Drill: rapid.Bool().Draw(rt, "drill")}
		for range rapid.IntRange(0, 9).Draw(rt, "incidents") {
			p.Incidents = append(p.Incidents, notify.PageIncident{
				Number: id.Incident(rapid.Int64Range(1, 1<<62).Draw(rt, "number")), Title: text.Draw(rt, "title"),
				Severity: text.Draw(rt, "severity"), URL: text.Draw(rt, "url"), AckURL: text.Draw(rt, "ack"),
			})
		}
		if len(p.Incidents) == 0 {
			p.Notice = &notify.Notice{Subject: text.Draw(rt, "subject"), Lines: []string{text.Draw(rt, "line")}, URL: text.Draw(rt, "url")}
		}
		reply := rapid.Bool().Draw(rt, "reply")
		got := sms.Text(p, reply)
		n, gsm := sms.Segments(got)
		if n > 2 || !utf8.ValidString(got) {
			rt.Fatalf("%d segments, GSM %v: %q", n, gsm, got)
		}
		if reply && gsm && n > 1 && p.Notice == nil {
			rt.Fatalf("a page in the GSM alphabet takes %d segments: %q", n, got)
		}
		if reply && p.Notice == nil && !strings.Contains(got, "Reply ACK ") {
			rt.Fatalf("nobody learns how to answer: %q", got)
		}
	})
}

func TestSegments(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		gsm  bool
	}{
		{"", 1, true},
		{strings.Repeat("a", 160), 1, true},
		{strings.Repeat("a", 161), 2, true},
		{strings.Repeat("€", 80), 1, true},
		{strings.Repeat("€", 81), 2, true},
		{strings.Repeat("a", 307), 3, true},
		{strings.Repeat("я", 70), 1, false},
		{strings.Repeat("я", 71), 2, false},
		{strings.Repeat("🔥", 35), 1, false},
		{strings.Repeat("🔥", 36), 2, false},
	} {
		if n, gsm := sms.Segments(c.text); n != c.n || gsm != c.gsm {
			t.Errorf("Segments(%.6q… of %d) = %d, %v; want %d, %v", c.text, utf8.RuneCountInString(c.text), n, gsm, c.n, c.gsm)
		}
	}
}

func TestE164(t *testing.T) {
	for number, want := range map[string]bool{
		"+49301234567": true, "+14155550100": true, "+1234567": true, "+123456789012345": true,
		"": false, "+": false, "49301234567": false, "+0301234567": false, "+49 30 1234567": false, "+1234567890123456": false, "+49x0123456": false,
	} {
		if got := sms.E164(number); got != want {
			t.Errorf("E164(%q) = %v, want %v", number, got, want)
		}
	}
}
