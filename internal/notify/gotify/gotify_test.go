package gotify_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/gotify"
	"github.com/watchroom/watchroom/internal/notify/gotify/gotifytest"
)

const token = "AyhjRuzRJ.1sZf2"

var fixed = time.Date(2026, 3, 29, 0, 59, 30, 0, time.UTC)

func page(to string, incidents ...notify.PageIncident) notify.Page {
	return notify.Page{Key: "k", To: to, Secret: token, Token: "Tok_1-x", At: fixed, Incidents: incidents}
}

func incident(n int64) notify.PageIncident {
	return notify.PageIncident{
		Number: id.Incident(n), Title: "Disk full", Message: "93% full\n1. [click](https://evil.example) ![](https://evil.example/x.png)", Severity: "critical",
		Team: "Database", TriggeredAt: fixed, Reason: "You are on call.", URL: fmt.Sprintf("https://watch.example.org/incidents/%d", n),
		AckURL: "https://watch.example.org/a/ack?x=(1)", ResolveURL: "https://watch.example.org/a/resolve",
	}
}

func TestSendOneIncident(t *testing.T) {
	server := gotifytest.New(t, token)
	receipt, err := gotify.New(gotify.Config{}, nil).Send(t.Context(), page(server.URL+"/", incident(42)))
	if err != nil || receipt.RemoteID != "1" {
		t.Fatalf("Send: %+v, %v", receipt, err)
	}
	got := server.Messages()[0]
	want := []any{
		"#42 Critical: Disk full", 8, "text/markdown", "https://watch.example.org/incidents/42",
		"93\\% full  \n1\\. \\[click\\]\\(https\\:\\/\\/evil\\.example\\) \\!\\[\\]\\(https\\:\\/\\/evil\\.example\\/x\\.png\\)  \n" +
			"Database · since 00\\:59 UTC  \nYou are on call\\.\n\n" +
			"[Acknowledge](<https://watch.example.org/a/ack?x=(1)>) · [Resolve](<https://watch.example.org/a/resolve>) · " +
			"[Open](<https://watch.example.org/incidents/42>)",
	}
	if diff := cmp.Diff(want, []any{got.Title, got.Priority, got.ContentType(), got.ClickURL(), got.Message}); diff != "" {
		t.Error(diff)
	}
}

func TestBundleNoticeDrill(t *testing.T) {
	server := gotifytest.New(t, token)
	c := gotify.New(gotify.Config{HomeURL: "https://watch.example.org/"}, nil)
	var many []notify.PageIncident
	for n := range 100 {
		inc := incident(int64(n))
		inc.Severity = "warning"
		many = append(many, inc)
	}
	drill := page(server.URL, incident(1))
	drill.Drill = true
	long := page(server.URL, incident(1))
	long.Incidents[0].Message = strings.Repeat("*🔥", 9000)
	notice := notify.Page{To: server.URL, Secret: token, Notice: &notify.Notice{Subject: "Your code", Lines: []string{"123456"}, Action: "Confirm", URL: "https://w.example/v"}}
	bare := notify.Page{To: server.URL, Secret: token, Notice: &notify.Notice{Subject: "Test_page"}}
	for _, p := range []notify.Page{page(server.URL, many...), drill, long, notice, bare} {
		if _, err := c.Send(t.Context(), p); err != nil {
			t.Fatalf("Send: %v", err)
		}
	}
	got := server.Messages()
	first := "[\\#0 Warning\\: Disk full](<https://watch.example.org/incidents/0>) · [Acknowledge](<https://watch.example.org/a/ack?x=(1)>)  \n"
	if b := got[0]; b.Title != "100 new incidents" || b.Priority != 5 || !strings.HasPrefix(b.Message, first) || !strings.Contains(b.Message, "… and ") ||
		utf8.RuneCountInString(b.Message) > 4200 || b.ClickURL() != "https://watch.example.org/" {
		t.Errorf("bundle: %+v", b)
	}
	if d := got[1]; !strings.HasPrefix(d.Title, "[DRILL] ") || !strings.HasPrefix(d.Message, "This is a drill") {
		t.Errorf("drill: %+v", d)
	}
	if l := got[2].Message; !utf8.ValidString(l) || !strings.Contains(l, "…  \nDatabase") || !strings.Contains(l, "[Acknowledge](") {
		t.Errorf("long: %q", l[len(l)-300:])
	}
	if n := got[3]; n.Message != "123456\n\n[Confirm](<https://w.example/v>)" || n.Priority != 5 {
		t.Errorf("notice: %+v", n)
	}
	if n := got[4]; n.Message != `Test\_page` || n.ClickURL() != "" {
		t.Errorf("bare notice: %+v", n)
	}
}

func TestVerdicts(t *testing.T) {
	header := func(name, value string) http.Header { return http.Header{name: {value}} }
	cases := map[string]struct {
		prepare   func(*gotifytest.Server, *notify.Page)
		permanent bool
		after     time.Duration
		want      string
	}{
		"wrong token":  {func(_ *gotifytest.Server, p *notify.Page) { p.Secret = "Ahunter2" }, true, 0, "does not accept the application token"},
		"client token": {func(s *gotifytest.Server, p *notify.Page) { s.AllowClient("Chunter2"); p.Secret = "Chunter2" }, true, 0, "not of a client"},
		"broken":       {func(s *gotifytest.Server, _ *notify.Page) { s.BreakNext() }, false, 0, "500: Internal Server Error: database is locked"},
		"limited":      {func(s *gotifytest.Server, _ *notify.Page) { s.ProxyNext(429, header("Retry-After", "9")) }, false, 9 * time.Second, "429"},
		"proxy":        {func(s *gotifytest.Server, _ *notify.Page) { s.ProxyNext(404, nil) }, false, 0, "404 without saying why"},
		"moved":        {func(s *gotifytest.Server, _ *notify.Page) { s.ProxyNext(308, header("Location", "/x")) }, true, 0, "has moved"},
		"wrong path":   {func(s *gotifytest.Server, p *notify.Page) { p.To = s.URL + "/sub" }, true, 0, "page not found"},
		"no token":     {func(_ *gotifytest.Server, p *notify.Page) { p.Secret = "" }, true, 0, "token is missing"},
		"bad token":    {func(_ *gotifytest.Server, p *notify.Page) { p.Secret = "hunter2\n" }, true, 0, "characters that no token has"},
		"no URL":       {func(_ *gotifytest.Server, p *notify.Page) { p.To = "gotify.example" }, true, 0, "https://gotify.example.org"},
		"query":        {func(_ *gotifytest.Server, p *notify.Page) { p.To = "https://gotify.example/?token=hunter2" }, true, 0, "https://gotify.example.org"},
		"empty":        {func(_ *gotifytest.Server, p *notify.Page) { p.Incidents = nil }, true, 0, "about nothing"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := gotifytest.New(t, token)
			p := page(server.URL, incident(1))
			tc.prepare(server, &p)
			_, err := gotify.New(gotify.Config{}, nil).Send(t.Context(), p)
			f, ok := errors.AsType[*notify.Failure](err)
			if !ok || f.Permanent != tc.permanent || f.RetryAfter != tc.after || f.Config || !strings.Contains(f.Reason, tc.want) {
				t.Fatalf("%#v, want %q", err, tc.want)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), token) {
				t.Errorf("the token is in %q", err)
			}
		})
	}
}

func TestServerBelowAPath(t *testing.T) {
	var asked string
	c := gotify.New(gotify.Config{}, &http.Client{Transport: canned{200, []byte(`{"id":7}`), &asked}})
	if _, err := c.Send(t.Context(), page("https://home.example/gotify/", incident(1))); err != nil || asked != "https://home.example/gotify/message" {
		t.Errorf("asked %s: %v", asked, err)
	}
}

func TestConfig(t *testing.T) {
	if (gotify.Config{HomeURL: "ftp://x"}).Validate() == nil || (gotify.Config{}).Validate() != nil {
		t.Error("Validate disagrees")
	}
}

// Whatever an alert says, Gotify takes the message, and no unescaped bracket of
// the alert is left that could begin a link.
func FuzzMarkdown(f *testing.F) {
	f.Add("[x](javascript:alert(1)) <b> `c` | *a*", "# head\n    code\n- [ ] x\\")
	f.Fuzz(func(t *testing.T, title, text string) {
		var body []byte
		c := gotify.New(gotify.Config{}, &http.Client{Transport: capture{&body}})
		p := notify.Page{To: "https://g.example", Secret: token, Incidents: []notify.PageIncident{{Number: 1, Title: title, Message: text}}}
		if _, err := c.Send(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		var m struct{ Message string }
		if err := json.Unmarshal(body, &m); err != nil || m.Message == "" {
			t.Fatalf("%q: %v", body, err)
		}
		for i := 0; i < len(m.Message); i++ {
			switch m.Message[i] {
			case '\\':
				i++ // and what it escapes
			case '[', ']', '<', '`', '*', '_', '!', '#':
				t.Fatalf("%q has an unescaped %q", m.Message, m.Message[i])
			}
		}
	})
}

// canned answers every request alike, without a connection.
type canned struct {
	status int
	body   []byte
	asked  *string
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	*c.asked = r.URL.String()
	return &http.Response{StatusCode: c.status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(c.body))}, nil
}

type capture struct{ body *[]byte }

func (c capture) RoundTrip(r *http.Request) (*http.Response, error) {
	var err error
	if *c.body, err = io.ReadAll(r.Body); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"id":1}`))}, nil
}
