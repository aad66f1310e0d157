package slash

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/outbound"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/slash/slashtest"
	"github.com/watchroom/watchroom/internal/timeline"
)

func config(url string) Config {
	return Config{Name: "deploy", Words: []string{"ship", "it"}, URL: url, Secret: "signing-secret", Summary: "Ships it."}
}

func asked(text string) program.Request {
	return program.Request{
		ID: "inv1", Command: "webhook.deploy", Actor: people.Actor{User: "u1"}, Username: "kim", Room: "r1", RoomName: "ops", Thread: 17,
		Args: map[string]string{TextArg: text},
	}
}

func must(t *testing.T, cfg Config, replies *Replies) *Command {
	t.Helper()
	c, err := New(cfg, http.DefaultClient, replies, "watch.example.org")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestACall(t *testing.T) {
	r := slashtest.New(t, "signing-secret", "old-token")
	cfg := config(r.URL)
	cfg.Token = "old-token"
	c := must(t, cfg, nil)
	res, err := c.Run(t.Context(), asked("shop to prod & more"), nil)
	if err != nil || res.Outcome != program.Succeeded || res.Text != "did it shop to prod & more" || res.Private {
		t.Fatalf("%+v, %v", res, err)
	}
	f := r.Forms()[0]
	for name, want := range map[string]string{
		"command": "/ship", "text": "it shop to prod & more", "channel_name": "ops", "user_name": "kim", "team_domain": "watch.example.org", "trigger_id": "inv1", "response_url": "",
	} {
		if f.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, f.Get(name), want)
		}
	}
	if d := c.Declaration(); d.ID != "webhook.deploy" || d.Risk != command.Changes || d.Origin != "webhook deploy" || d.Validate() != nil {
		t.Errorf("declared %+v", d)
	}
}

// The example in Slack's documentation.
func TestSign(t *testing.T) {
	const body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	timestamp, signature := Sign("8f742231b10e8888abcd99yyyzzz85a5", time.Unix(1531420618, 0), body)
	if timestamp != "1531420618" || signature != "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503" {
		t.Errorf("%s, %s", timestamp, signature)
	}
}

func TestOutcomes(t *testing.T) {
	raw := func(status int, kind, text string) func(http.ResponseWriter, *http.Request, url.Values) {
		return func(w http.ResponseWriter, _ *http.Request, _ url.Values) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
		}
	}
	r := slashtest.New(t, "signing-secret", "")
	c := must(t, config(r.URL), nil)
	for _, x := range []struct {
		name    string
		answer  func(http.ResponseWriter, *http.Request, url.Values)
		outcome program.Outcome
		text    string
		private bool
	}{
		{"nothing", raw(200, "", ""), program.Succeeded, "", true},
		{"text", raw(200, "text/plain", "on my way *now*"), program.Succeeded, "on my way **now**", true},
		{"text that looks like JSON", raw(200, "text/plain", "{not"), program.Succeeded, "{not", true},
		{"JSON as text", raw(200, "text/plain", `{"text":"hi","response_type":"in_channel"}`), program.Succeeded, "hi", false},
		{"JSON for the asker", raw(200, "application/json", `{"text":"hi"}`), program.Succeeded, "hi", true},
		{"broken JSON", raw(200, "application/json", `{"text":`), program.Failed, "cannot be read", false},
		{"a page", raw(200, "text/html", `<h1>`), program.Failed, "cannot be read", false},
		{"a refusal", raw(401, "text/plain", "wrong signature"), program.Failed, "401 Unauthorized", false},
		{"a redirect", func(w http.ResponseWriter, r *http.Request, _ url.Values) {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}, program.Failed, "302 Found", false},
		{"endless", raw(200, "text/plain", strings.Repeat("x", maxAnswer+1)), program.Failed, "longer than 256 KiB", false},
	} {
		r.Answer(x.answer)
		res, err := c.Run(t.Context(), asked("x"), nil)
		if err != nil || res.Outcome != x.outcome || !strings.Contains(res.Text, x.text) || res.Private != x.private {
			t.Errorf("%s: %+v, %v", x.name, res, err)
		}
	}
}

func TestWithoutAnAnswer(t *testing.T) {
	r := slashtest.New(t, "signing-secret", "")
	r.Answer(func(http.ResponseWriter, *http.Request, url.Values) { panic(http.ErrAbortHandler) })
	res, err := must(t, config(r.URL), nil).Run(t.Context(), asked("x"), nil)
	if err == nil || !strings.Contains(res.Text, "unknown") || strings.Contains(err.Error()+res.Text, "url-secret") {
		t.Errorf("a change: %+v, %v", res, err)
	}
	if n := len(r.Forms()); n != 1 {
		t.Errorf("it was called %d times", n)
	}
	reads := config(r.URL)
	reads.Risk = command.Reads
	if res, err := must(t, reads, nil).Run(t.Context(), asked("x"), nil); err != nil || res.Outcome != program.Failed {
		t.Errorf("a look: %+v, %v", res, err)
	}

	release := make(chan struct{})
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	r.Answer(func(http.ResponseWriter, *http.Request, url.Values) { cancel(); <-release })
	if res, err := must(t, reads, nil).Run(ctx, asked("x"), nil); err != nil || res.Outcome != program.Cancelled {
		t.Errorf("cancelled: %+v, %v", res, err)
	}
	late := asked("x")
	late.Deadline = time.Now().Add(-time.Second)
	if res, err := must(t, config(r.URL), nil).Run(t.Context(), late, nil); err != nil || res.Outcome != program.Later {
		t.Errorf("after the deadline: %+v, %v", res, err)
	}
	guarded, err := New(config(r.URL), outbound.Policy{}.Client(time.Second), nil, "x")
	if err != nil {
		t.Fatal(err)
	}
	if res, err := guarded.Run(t.Context(), asked("x"), nil); err != nil || res.Outcome != program.Failed || !strings.HasPrefix(res.Text, "Its address is not public;") {
		t.Errorf("a private address: %+v, %v", res, err)
	}
	dry := asked("x")
	dry.DryRun = true
	if res, err := guarded.Run(t.Context(), dry, nil); err != nil || res.Outcome != program.Failed {
		t.Errorf("a dry run: %+v, %v", res, err)
	}
}

func TestAttachmentsAndBlocks(t *testing.T) {
	a, err := parse("application/json", []byte(`{"response_type":"in_channel","text":"Two *hosts* at <https://x.example/a?b=c&amp;d|the &lt;page&gt;>","attachments":[
		{"color":"danger","pretext":"pre","title":"db1","title_link":"https://x.example/db1","text":"down `+"`*code*`"+`","fields":[{"title":"load","value":7,"short":true},{"title":"disk","value":"<!here> 93%"}],"image_url":"https://x.example/i.png","footer":"f"},
		{"fallback":"only this"}]}`), Slack)
	if err != nil {
		t.Fatal(err)
	}
	want := "Two **hosts** at [the <page>](https://x.example/a?b=c&d)\n\npre\n\n**[db1](https://x.example/db1)**\n\ndown `*code*`\n\n- **load**: 7\n- **disk**: here 93%\n\n[image](https://x.example/i.png)\n\nonly this"
	if diff := cmp.Diff(want, a.Text); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	if a.Private || a.Doc == nil || a.Doc.Status != timeline.StatusBad || len(a.Doc.Blocks) != 7 || len(a.Doc.Blocks[4].Fields) != 2 {
		t.Errorf("document %+v", a.Doc)
	}
	a, err = parse("application/json", []byte(`{"text":"for notifications","blocks":[{"type":"header","text":{"type":"plain_text","text":"Head *x*"}},{"type":"divider"},
		{"type":"section","text":{"type":"mrkdwn","text":"*b*"},"fields":[{"type":"mrkdwn","text":"one"},{"type":"mrkdwn","text":"two"}]},
		{"type":"context","elements":[{"type":"image","image_url":"x"},{"type":"mrkdwn","text":"small"}]},{"type":"actions","elements":[{"type":"button","text":{"text":"No"}}]}]}`), Slack)
	if want := "**Head *x***\n\n**b**\n\none · two\n\nsmall"; err != nil || a.Text != want {
		t.Errorf("blocks: %q, %v, want %q", a.Text, err, want)
	}
}

func TestMarkdown(t *testing.T) {
	for _, c := range []struct {
		format   Format
		in, want string
	}{
		{Slack, "*bold* _it_ ~gone~ 2*3*4", "**bold** _it_ ~~gone~~ 2*3*4"},
		{Slack, "a <b> &lt;c&gt; &amp;lt;", "a <b> <c> &lt;"},
		{Slack, "<@U1|kim> <@U1> <#C1|ops> <!channel>", "kim U1 ops channel"},
		{Slack, "<javascript:alert(1)|x>", "<javascript:alert(1)|x>"},
		{Slack, "<https://a.example>", "https://a.example"},
		{Slack, "<https://a.example|[x](y)>", "[(x)(y)](https://a.example)"},
		{Slack, "`*a*` ```<b>\n*c*```", "`*a*` \n```\n<b>\n*c*\n```"},
		{Slack, "lonely ` *b*", "lonely ` **b**"},
		{Mattermost, "**bold** <https://a.example|x>", "**bold** <https://a.example|x>"},
	} {
		if got := c.format.markdown(c.in); got != c.want {
			t.Errorf("%s %q = %q, want %q", c.format, c.in, got, c.want)
		}
	}
}

// served is Replies behind a server whose clock the test sets.
type served struct {
	*Replies
	got []Reply
	err error
	at  time.Time
}

func serve(t *testing.T) *served {
	s := &served{at: time.Now()}
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	s.Replies = NewReplies([]byte("key of this test"), server.URL, func(_ context.Context, r Reply) error {
		s.got = append(s.got, r)
		return s.err
	}, slog.New(slog.DiscardHandler))
	s.now = func() time.Time { return s.at }
	handler = s.Replies
	return s
}

func TestLaterAnswers(t *testing.T) {
	s, r := serve(t), slashtest.New(t, "signing-secret", "")
	if _, err := must(t, config(r.URL), s.Replies).Run(t.Context(), asked("x"), nil); err != nil {
		t.Fatal(err)
	}
	form := r.Forms()[0]
	for i := range repliesMost {
		if status := slashtest.Later(t, form, map[string]any{"text": "*done*", "replace_original": i > 0}); status != http.StatusOK {
			t.Fatalf("answer %d: %d", i, status)
		}
	}
	want := Reply{To{Invocation: "inv1", Command: "webhook.deploy", Room: "r1", Thread: 17, User: "u1"}, Answer{Text: "**done**", Private: true}}
	if diff := cmp.Diff(want, s.got[0]); diff != "" || !s.got[1].Replace {
		t.Errorf("reply (-want +got):\n%s", diff)
	}
	if status := slashtest.Later(t, form, map[string]any{"text": "again"}); status != http.StatusNotFound || len(s.got) != repliesMost {
		t.Errorf("one too many: %d, %d arrived", status, len(s.got))
	}
}

func TestRepliesRefuse(t *testing.T) {
	s := serve(t)
	address := s.address(To{Invocation: "inv1"}, Slack)
	form := func(address string) url.Values { return url.Values{"response_url": {address}} }
	text := map[string]any{"text": "x"}
	other := NewReplies([]byte("another key"), s.base, s.take, s.log).address(To{Invocation: "inv1"}, Slack)
	for name, bad := range map[string]string{
		"nothing": s.base + ReplyPath, "cut": address[:len(address)-3], "of another key": other, "changed": strings.Replace(address, ReplyPath, ReplyPath+"e", 1), "padded": address + "=",
	} {
		if status := slashtest.Later(t, form(bad), text); status != http.StatusNotFound {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status := slashtest.Later(t, form(address), map[string]any{"text": ""}); status != http.StatusBadRequest {
		t.Errorf("no text: %d", status)
	}
	if status := slashtest.Later(t, form(address), map[string]any{"text": strings.Repeat("x", maxAnswer)}); status != http.StatusRequestEntityTooLarge {
		t.Errorf("too long: %d", status)
	}
	if resp, err := http.Get(address); err != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("read: %v, %v", resp, err)
	} else {
		_ = resp.Body.Close()
	}
	if len(s.got) != 0 {
		t.Errorf("%d arrived", len(s.got))
	}
	s.err = fault.Conflict("The room is closed.")
	if status := slashtest.Later(t, form(address), text); status != http.StatusBadRequest {
		t.Errorf("a closed room: %d", status)
	}
	s.err = errors.New("disk")
	if status := slashtest.Later(t, form(address), text); status != http.StatusInternalServerError {
		t.Errorf("trouble: %d", status)
	}
	s.at = s.at.Add(repliesFor)
	if status := slashtest.Later(t, form(address), text); status != http.StatusNotFound {
		t.Errorf("half an hour later: %d", status)
	}
}

func TestConfigValidate(t *testing.T) {
	good := config("https://x.example")
	for want, change := range map[string]func(*Config){
		"whole address": func(c *Config) { c.URL = "x" }, "use slack or": func(c *Config) { c.Format = "irc" }, "without a secret": func(c *Config) { c.Secret = "" },
		"words": func(c *Config) { c.Words = nil }, "summary": func(c *Config) { c.Summary = "" }, "id": func(c *Config) { c.Name = "A B" },
	} {
		c := good
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("application/json", []byte(`{"text":"*x*","attachments":[{"color":"good","fields":[{"title":"t","value":1}]}],"blocks":[{"type":"section","text":{"type":"mrkdwn","text":"<a|b>"}}]}`))
	f.Add("text/plain", []byte("`a` ```b"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		a, err := parse(kind, body, Slack)
		if err == nil && a.Doc != nil && len(a.Doc.Blocks) > 0 && a.Text == "" {
			t.Errorf("parse(%q, %q): a document that the text does not say: %+v", kind, body, a)
		}
	})
}

func FuzzToken(f *testing.F) {
	r := NewReplies([]byte("k"), "", nil, nil)
	f.Add(strings.TrimPrefix(r.address(To{Invocation: "i"}, Slack), ReplyPath))
	f.Add("a.b")
	f.Fuzz(func(t *testing.T, token string) {
		if ticket, ok := r.open(token); ok && ticket.Invocation != "i" {
			t.Errorf("open(%q) = %+v", token, ticket)
		}
	})
}
