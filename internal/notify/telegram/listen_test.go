package telegram_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/telegram"
	"github.com/watchroom/watchroom/internal/notify/telegram/telegramtest"
)

func TestButtonAnswers(t *testing.T) {
	server := newServer(t)
	c := client(server, nil)
	r := send(t, c, page(kimID, incident(42)))
	before := server.Messages()[0]
	l := listen(t, c)
	server.Press(kim, before.MessageID, before.Button("Acknowledge").Data)
	await(t, server, "the page is marked", func() bool { return server.Messages()[0].Edited == 1 })
	want := []notify.Event{{
		RemoteID: r.RemoteID, State: notify.Seen,
		Answer: &notify.Answer{Action: notify.Acknowledge, Token: "Tok_1-x", From: "4711"},
	}}
	if diff := cmp.Diff(want, l.got()); diff != "" {
		t.Error(diff)
	}
	got := server.Messages()[0]
	if got.Text != before.Text+"\n\n✓ Acknowledged by you" || !cmp.Equal(got.Entities, before.Entities) {
		t.Errorf("%+v", got)
	}
	if got.Button("Acknowledge").Data != "" || got.Button("Resolve").Data == "" || got.Button("Open").URL == "" {
		t.Errorf("buttons: %+v", got.ReplyMarkup)
	}
	server.Press(kim, got.MessageID, got.Button("Resolve").Data)
	await(t, server, "the page is marked again", func() bool { return server.Messages()[0].Edited == 2 })
	if got = server.Messages()[0]; !strings.HasSuffix(got.Text, "by you\n\n✓ Resolved by you") || got.Button("Resolve").Data != "" || got.Button("Open").URL == "" {
		t.Errorf("%+v", got)
	}
	if toasts := server.Toasts(); len(toasts) != 2 || toasts[0].Text != "Acknowledged." || toasts[1].Text != "Resolved." {
		t.Errorf("toasts %+v", toasts)
	}
	await(t, server, "all is confirmed", func() bool { return server.Unconfirmed() == 0 })
}

func TestButtonInAGroupNamesWhoPressed(t *testing.T) {
	server := newServer(t)
	c := client(server, nil)
	send(t, c, page(group, incident(1)))
	l := listen(t, c)
	server.Press(bo, 1, "a:Tok_1-x")
	await(t, server, "the page is marked", func() bool { return server.Messages()[0].Edited == 1 })
	if got := server.Messages()[0].Text; !strings.HasSuffix(got, "✓ Acknowledged by Bo <b>") {
		t.Error(got)
	}
	if got := l.got()[0].Answer.From; got != "99" {
		t.Errorf("the answer is from %s", got)
	}
}

// An update whose event was not taken is handed over again, and nobody is told
// before that it counts; those before it are confirmed.
func TestNotTakenComesAgain(t *testing.T) {
	server := newServer(t)
	c := client(server, nil)
	send(t, c, page(kimID, incident(1)))
	l := &listener{refuse: []error{nil, errors.New("database is away")}}
	server.Press(kim, 1, "a:one")
	server.Press(kim, 1, "a:two")
	server.Press(kim, 1, "a:three")
	if err := c.Listen(t.Context(), l.take); err == nil || !strings.Contains(err.Error(), "database is away") {
		t.Fatalf("Listen: %v", err)
	}
	if got := server.Messages()[0].Edited; got != 1 {
		t.Errorf("the page is marked %d times", got)
	}
	if toasts := server.Toasts(); len(toasts) != 2 || !strings.Contains(toasts[1].Text, "tried again") {
		t.Errorf("toasts %+v", toasts)
	}
	again := listen(t, c)
	await(t, server, "all is confirmed", func() bool { return server.Unconfirmed() == 0 })
	var tokens []string
	for _, e := range append(l.got(), again.got()...) {
		tokens = append(tokens, e.Answer.Token)
	}
	if diff := cmp.Diff([]string{"one", "two", "two", "three"}, tokens); diff != "" {
		t.Error(diff)
	}
}

// A process that died after taking asks again from where Telegram stands.
func TestRestartHandsOverAgain(t *testing.T) {
	server := newServer(t)
	send(t, client(server, nil), page(kimID, incident(1)))
	server.Press(kim, 1, "a:one")
	ctx, die := context.WithCancel(t.Context())
	if err := client(server, nil).Listen(ctx, func(context.Context, notify.Event) error { die(); return nil }); err != nil {
		t.Fatalf("Listen: %v", err)
	}
	if server.Unconfirmed() != 1 {
		t.Error("the update is confirmed before anybody asked for the next")
	}
	l := listen(t, client(server, nil))
	await(t, server, "confirmed", func() bool { return server.Unconfirmed() == 0 })
	if got := l.got(); len(got) != 1 || got[0].Answer.Token != "one" {
		t.Errorf("%+v", got)
	}
}

func TestRefusedForGood(t *testing.T) {
	server := newServer(t)
	c := client(server, nil)
	send(t, c, page(kimID, incident(1)))
	no := &notify.Failure{Permanent: true, Reason: "This account is not linked."}
	l := &listener{refuse: []error{no, no, no}}
	server.Press(bo, 1, "a:Tok_1-x")
	server.Say(kim, telegramtest.Chat{ID: kimID, Type: "private"}, "ack 12", 0)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- c.Listen(ctx, l.take) }()
	await(t, server, "confirmed", func() bool { return server.Unconfirmed() == 0 })
	stop()
	if err := <-done; err != nil {
		t.Errorf("Listen: %v", err)
	}
	got := server.Messages()
	if got[0].Edited != 0 || len(got) != 2 || got[1].Text != no.Reason || server.Toasts()[0].Text != no.Reason {
		t.Errorf("%+v, %+v", got, server.Toasts())
	}
}

func TestWordsAnswer(t *testing.T) {
	private, inGroup := telegramtest.Chat{ID: kimID, Type: "private"}, telegramtest.Chat{ID: group, Type: "group"}
	ack := func(f func(*notify.Event)) *notify.Event {
		e := notify.Event{Answer: &notify.Answer{Action: notify.Acknowledge, From: "4711"}}
		f(&e)
		return &e
	}
	cases := map[string]struct {
		text    string
		in      telegramtest.Chat
		replyTo int64
		want    *notify.Event // nil: none
		reply   string
	}{
		"a number":           {"ack 123", private, 0, ack(func(e *notify.Event) { e.Answer.Incident = 123 }), "#123 is acknowledged."},
		"a command":          {"/resolve@watchroom_test_bot 123", inGroup, 0, ack(func(e *notify.Event) { e.Answer.Action, e.Answer.Incident = notify.Resolve, 123 }), "#123 is resolved."},
		"all":                {"Ack all", private, 0, ack(func(e *notify.Event) { e.Answer.All = true }), "Acknowledged."},
		"a reply to a page":  {"ack", private, 1, ack(func(e *notify.Event) { e.RemoteID, e.State = "4711:1", notify.Seen }), "Acknowledged."},
		"not understood":     {"what is this?", private, 0, nil, "ack 12, resolve 12"},
		"chatter in a group": {"what is this?", inGroup, 0, nil, ""},
		"start":              {"/start", private, 0, nil, "contact methods"},
		"start in a group":   {"/start@watchroom_test_bot c0de", inGroup, 0, nil, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := newServer(t)
			c := client(server, func(cfg *telegram.Config) {
				cfg.OnStart = func(context.Context, string, string, string) (string, error) { return "linked", nil }
			})
			send(t, c, page(kimID, incident(1)))
			server.Say(kim, tc.in, tc.text, tc.replyTo)
			l := listen(t, c)
			await(t, server, "confirmed", func() bool { return server.Unconfirmed() == 0 })
			var got *notify.Event
			if all := l.got(); len(all) > 0 {
				got = &all[0]
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			said := server.Messages()[1:]
			if tc.reply == "" && len(said) > 0 || tc.reply != "" && (len(said) != 1 || !strings.Contains(said[0].Text, tc.reply) || said[0].Chat.ID != tc.in.ID) {
				t.Errorf("the bot says %+v, want %q", said, tc.reply)
			}
		})
	}
}

func TestStartLinks(t *testing.T) {
	server := newServer(t)
	away := []error{errors.New("database is away"), nil, &notify.Failure{Permanent: true, Reason: "That code is too old."}}
	var got []string
	c := client(server, func(cfg *telegram.Config) {
		cfg.OnStart = func(_ context.Context, code, chatID, name string) (string, error) {
			got = append(got, code+" "+chatID+" "+name)
			err := away[0]
			away = away[1:]
			return "Linked to Kim.", err
		}
	})
	private := telegramtest.Chat{ID: kimID, Type: "private"}
	server.Say(kim, private, "/start c0de_-1", 0)
	server.Say(kim, private, "/start old", 0)
	server.Say(kim, private, "/start not a code", 0)
	l := listen(t, c)
	await(t, server, "confirmed", func() bool { return server.Unconfirmed() == 0 })
	if diff := cmp.Diff([]string{"c0de_-1 4711 Kim Öst", "c0de_-1 4711 Kim Öst", "old 4711 Kim Öst"}, got); diff != "" {
		t.Error(diff)
	}
	var said []string
	for _, m := range server.Messages() {
		said = append(said, m.Text)
	}
	if len(said) != 3 || said[0] != "Linked to Kim." || said[1] != "That code is too old." || !strings.HasPrefix(said[2], "Hello.") {
		t.Errorf("the bot says %q", said)
	}
	if len(l.got()) != 0 {
		t.Errorf("a link is no event: %+v", l.got())
	}
}

func TestStrangeUpdatesPass(t *testing.T) {
	server := newServer(t)
	c := client(server, nil)
	send(t, c, page(kimID, incident(1)))
	server.PushRaw(map[string]any{"poll": map[string]any{"id": "1"}})
	server.PushRaw(map[string]any{"message": "not an object"})
	server.PushRaw(map[string]any{"message": map[string]any{"text": "ack 1", "chat": map[string]any{"id": kimID}}})
	server.Press(kim, 1, "x:forged")
	server.Press(kim, 1, "a:"+strings.Repeat("x", 70))
	server.Press(kim, 1, "a:not a token")
	server.Press(kim, 999, "a:Tok_1-x") // its message is gone: the answer counts
	l := listen(t, c)
	await(t, server, "confirmed", func() bool { return server.Unconfirmed() == 0 })
	if got := l.got(); len(got) != 1 || got[0].RemoteID != "" || got[0].Answer.Token != "Tok_1-x" {
		t.Errorf("%+v", got)
	}
	if got := server.Toasts(); len(got) != 4 || got[0].Text != "This answer does not count here." {
		t.Errorf("%+v", got)
	}
}

func TestListenFailures(t *testing.T) {
	take := func(context.Context, notify.Event) error { return nil }
	server := newServer(t)
	server.BreakNext(502)
	c := client(server, func(cfg *telegram.Config) { cfg.PollFor = time.Second })
	if err := c.Listen(t.Context(), take); err == nil || notify.Permanent(err) {
		t.Errorf("broken: %v", err)
	}
	server.LimitNext(3)
	if f, ok := errors.AsType[*notify.Failure](c.Listen(t.Context(), take)); !ok || f.RetryAfter != 3*time.Second {
		t.Errorf("limited: %v", f)
	}
	server.UseWebhook()
	if f, ok := errors.AsType[*notify.Failure](c.Listen(t.Context(), take)); !ok || !f.Config || !strings.Contains(f.Reason, "webhook") {
		t.Errorf("webhook: %v", f)
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if err := c.Listen(ended, take); err != nil {
		t.Errorf("told to stop: %v", err)
	}
}

func TestSecondReaderEndsTheFirst(t *testing.T) {
	server := newServer(t)
	first := make(chan error, 1)
	go func() {
		first <- client(server, nil).Listen(t.Context(), func(context.Context, notify.Event) error { return nil })
	}()
	await(t, server, "the first reads", func() bool { return server.Reads() == 1 })
	listen(t, client(server, nil))
	if f, ok := errors.AsType[*notify.Failure](<-first); !ok || !f.Config || f.Permanent {
		t.Errorf("the first reader: %v", f)
	}
}

// Nothing that an update can hold stops the listener or makes it take what
// carries no answer.
func FuzzUpdate(f *testing.F) {
	f.Add([]byte(`{"update_id":1,"callback_query":{"id":"1","from":{"id":2},"data":"a:x"}}`))
	f.Add([]byte(`{"update_id":2,"message":{"message_id":1,"from":{"id":2},"chat":{"id":2,"type":"private"},"text":"ack 5"}}`))
	f.Add([]byte(`{"update_id":-1}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		c := telegram.New(telegram.Config{Token: telegramtest.Token}, scripted(stop, raw))
		_ = c.Listen(ctx, func(_ context.Context, e notify.Event) error {
			if e.Answer == nil || e.Answer.From == "" || e.Answer.Action == "" || strings.ContainsAny(e.Answer.Token, " :\n") {
				t.Errorf("%q is %+v, %+v", raw, e, e.Answer)
			}
			return nil
		})
	})
}
