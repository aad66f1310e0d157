package telegram_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/telegram"
	"github.com/watchroom/watchroom/internal/notify/telegram/telegramtest"
)

func TestSendOneIncident(t *testing.T) {
	server := newServer(t)
	r := send(t, client(server, nil), page(kimID, incident(42)))
	got := server.Messages()[0]
	if r.RemoteID != "4711:1" {
		t.Errorf("receipt %+v", r)
	}
	head := "#42 Critical: Disk <full> & more"
	want := telegramtest.Message{
		Text:     head + "\n93% </b> &lt; 🔥\nDatabase · since 00:59 UTC\nYou are on call.",
		Entities: []telegramtest.Entity{{Type: "bold", Length: len(head)}},
		ReplyMarkup: &telegramtest.Keyboard{Rows: [][]telegramtest.Button{
			{{Text: "Acknowledge", Data: "a:Tok_1-x"}, {Text: "Resolve", Data: "r:Tok_1-x"}},
			{{Text: "Open", URL: `https://watch.example.org/incidents/42?a="1"&b=2`}},
		}},
	}
	if diff := cmp.Diff(want, telegramtest.Message{Text: got.Text, Entities: got.Entities, ReplyMarkup: got.ReplyMarkup}); diff != "" {
		t.Error(diff)
	}
}

func TestBundleNoticeDrillLong(t *testing.T) {
	server := newServer(t)
	c := client(server, func(cfg *telegram.Config) { cfg.HomeURL = "https://watch.example.org/" })
	var many []notify.PageIncident
	for n := range 300 {
		many = append(many, incident(int64(n+1)))
	}
	drill, long := page(kimID, incident(1)), page(kimID, incident(1))
	drill.Drill = true
	long.Incidents[0].Message, long.Incidents[0].Title = strings.Repeat("🔥&", 9000), strings.Repeat("&", 300)
	long.Token = strings.Repeat("x", 40)
	notice := notify.Page{To: "4711", Notice: &notify.Notice{Subject: "Your code", Lines: []string{"<123456>"}, Action: "Confirm", URL: "https://w.example/v"}}
	bare := notify.Page{To: "4711", Notice: &notify.Notice{Subject: "Test"}}
	for _, p := range []notify.Page{page(kimID, many...), drill, long, notice, bare} {
		send(t, c, p)
	}
	got := server.Messages()
	if b := got[0]; !strings.HasPrefix(b.Text, "300 new incidents\n#1 Critical") || !strings.Contains(b.Text, " more\nYou are on call.") ||
		b.Button("Acknowledge all").Data != "a:Tok_1-x" || b.Button("Open the incidents").URL != "https://watch.example.org/" ||
		b.Entities[1].URL != many[0].URL && b.Entities[1].Type != "text_link" {
		t.Errorf("bundle: %+v", b)
	}
	if d := got[1]; !strings.HasPrefix(d.Text, "[DRILL] ") || !strings.Contains(d.Text, "This is a drill") {
		t.Errorf("drill: %+v", d)
	}
	l := got[2].Text
	if n := len(utf16.Encode([]rune(l))); n < 1500 || n > 3900 || !utf8.ValidString(l) || !strings.HasSuffix(l, "You are on call.") {
		t.Errorf("long: %d units, %q", n, l)
	}
	if got[2].Button("Resolve").Data != "r:"+long.Token {
		t.Errorf("long token: %+v", got[2].ReplyMarkup)
	}
	if n := got[3]; n.Text != "Your code\n<123456>" || n.Button("Confirm").URL != "https://w.example/v" || n.Button("Acknowledge").Data != "" {
		t.Errorf("notice: %+v", n)
	}
	if n := got[4]; n.Text != "Test" || n.ReplyMarkup != nil {
		t.Errorf("bare notice: %+v", n)
	}
}

// A server at localhost has pages whose links Telegram refuses in a button.
func TestLinkThatNoButtonTakes(t *testing.T) {
	server := newServer(t)
	p := page(kimID, incident(1))
	p.Incidents[0].URL = "http://localhost:8080/incidents/1"
	send(t, client(server, nil), p)
	got := server.Messages()[0]
	if got.Button("Open").URL != "" || got.Button("Acknowledge").Data == "" || !strings.HasSuffix(got.Text, "Open: http://localhost:8080/incidents/1") {
		t.Errorf("%+v", got)
	}
}

func TestTokenTooLongForAButton(t *testing.T) {
	server := newServer(t)
	p := page(kimID, incident(1))
	p.Token = strings.Repeat("x", 63)
	send(t, client(server, nil), p)
	if got := server.Messages()[0]; got.Button("Acknowledge").Data != "" || got.Button("Open").URL == "" {
		t.Errorf("%+v", got.ReplyMarkup)
	}
}

func TestGroupThatMoved(t *testing.T) {
	server := newServer(t)
	server.Migrate(group, -100200300)
	r := send(t, client(server, nil), page(group, incident(1)))
	if r.RemoteID != "-100200300:1" || !strings.Contains(r.Detail, "-100200300") {
		t.Errorf("receipt %+v", r)
	}
	if got := server.Messages(); len(got) != 1 || got[0].Chat.ID != -100200300 {
		t.Errorf("%+v", got)
	}
	server.Migrate(-100200300, -100200301) // never for ever
	if _, err := client(server, nil).Send(t.Context(), page(group, incident(1))); !notify.Permanent(err) {
		t.Errorf("moved twice: %v", err)
	}
}

func TestVerdicts(t *testing.T) {
	cases := map[string]struct {
		prepare           func(*telegramtest.Server, *telegram.Config, *notify.Page)
		permanent, config bool
		after             time.Duration
		want              string
	}{
		"blocked":       {func(s *telegramtest.Server, _ *telegram.Config, _ *notify.Page) { s.Block(kimID) }, true, false, 0, "blocked by the user"},
		"deactivated":   {func(s *telegramtest.Server, _ *telegram.Config, _ *notify.Page) { s.Deactivate(kimID) }, true, false, 0, "cannot be written to"},
		"kicked":        {func(s *telegramtest.Server, _ *telegram.Config, _ *notify.Page) { s.Kick(kimID) }, true, false, 0, "cannot be written to"},
		"deleted":       {func(s *telegramtest.Server, _ *telegram.Config, _ *notify.Page) { s.Delete(kimID) }, true, false, 0, "cannot be written to"},
		"unknown chat":  {func(_ *telegramtest.Server, _ *telegram.Config, p *notify.Page) { p.To = "5" }, true, false, 0, "chat not found"},
		"a name":        {func(_ *telegramtest.Server, _ *telegram.Config, p *notify.Page) { p.To = "@kim" }, true, false, 0, "known by its number"},
		"empty":         {func(_ *telegramtest.Server, _ *telegram.Config, p *notify.Page) { p.Incidents = nil }, true, false, 0, "about nothing"},
		"too many":      {func(s *telegramtest.Server, _ *telegram.Config, _ *notify.Page) { s.LimitNext(17) }, false, false, 17 * time.Second, "429"},
		"broken":        {func(s *telegramtest.Server, _ *telegram.Config, _ *notify.Page) { s.BreakNext(502) }, false, false, 0, "502 without"},
		"not Telegram":  {func(s *telegramtest.Server, _ *telegram.Config, _ *notify.Page) { s.BreakNext(200) }, false, false, 0, "200 without"},
		"moved API":     {func(s *telegramtest.Server, _ *telegram.Config, _ *notify.Page) { s.BreakNext(301) }, false, true, 0, "has moved"},
		"wrong token":   {func(_ *telegramtest.Server, c *telegram.Config, _ *notify.Page) { c.Token = "1:hunter2" }, false, true, 0, "bot token"},
		"token with /":  {func(_ *telegramtest.Server, c *telegram.Config, _ *notify.Page) { c.Token = "1:hunter2/x?#" }, false, true, 0, "bot token"},
		"token with \\": {func(_ *telegramtest.Server, c *telegram.Config, _ *notify.Page) { c.Token = "1:hunter2\n" }, false, true, 0, "could not be made"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := newServer(t)
			cfg, p := telegram.Config{Token: telegramtest.Token, BaseURL: server.URL}, page(kimID, incident(1))
			tc.prepare(server, &cfg, &p)
			_, err := telegram.New(cfg, nil).Send(t.Context(), p)
			f, ok := errors.AsType[*notify.Failure](err)
			if !ok || f.Permanent != tc.permanent || f.Config != tc.config || f.RetryAfter != tc.after || !strings.Contains(f.Reason, tc.want) {
				t.Fatalf("%#v, want %q", err, tc.want)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), telegramtest.Token) {
				t.Errorf("the token is in %q", err)
			}
		})
	}
}

func TestUnreachableKeepsTheToken(t *testing.T) {
	server := telegramtest.Start()
	c := client(server, nil)
	server.Close()
	_, err := c.Send(t.Context(), page(kimID, incident(1)))
	if err == nil || notify.Permanent(err) || strings.Contains(err.Error(), telegramtest.Token) {
		t.Errorf("Send: %v", err)
	}
	if err := c.Listen(t.Context(), nil); err == nil || strings.Contains(err.Error(), telegramtest.Token) {
		t.Errorf("Listen: %v", err)
	}
}

func TestUsernameAndLink(t *testing.T) {
	server := newServer(t)
	name, err := client(server, nil).Username(t.Context())
	if err != nil || name != telegramtest.Username {
		t.Errorf("Username: %q, %v", name, err)
	}
	if got := telegram.LinkURL(name, "c0de"); got != "https://t.me/watchroom_test_bot?start=c0de" {
		t.Error(got)
	}
	_, err = client(server, func(c *telegram.Config) { c.Token = "1:x" }).Username(t.Context())
	if f, ok := errors.AsType[*notify.Failure](err); !ok || !f.Config {
		t.Errorf("wrong token: %v", err)
	}
}

func TestConfig(t *testing.T) {
	good := telegram.Config{Token: telegramtest.Token}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*telegram.Config){
		"@BotFather":    func(c *telegram.Config) { c.Token = "hunter2" },
		"http or https": func(c *telegram.Config) { c.BaseURL = "api.telegram.org" },
		"from 0 to 10m": func(c *telegram.Config) { c.PollFor = time.Hour },
	} {
		cfg := good
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Validate: %v, want %q", err, want)
		}
	}
}

// Whatever an alert says, the strict HTML of the fake takes it.
func FuzzHTML(f *testing.F) {
	server := telegramtest.Start()
	f.Cleanup(server.Close)
	server.AddChat(kimID, "private")
	c := telegram.New(telegram.Config{Token: telegramtest.Token, BaseURL: server.URL}, &http.Client{})
	f.Add("<b>&amp;", "</b>&#1;\u202e", "https://w.example/?\"><a")
	f.Fuzz(func(t *testing.T, title, message, link string) {
		p := page(kimID, notify.PageIncident{Number: 1, Title: title, Message: message, URL: "https://w.example/" + link},
			notify.PageIncident{Number: 2, Title: message, URL: "https://w.example/" + link})
		for _, p := range []notify.Page{p, page(kimID, p.Incidents[0])} {
			_, err := c.Send(t.Context(), p)
			if err != nil && !strings.Contains(err.Error(), "URL") {
				t.Errorf("Send: %v", err)
			}
		}
	})
}
