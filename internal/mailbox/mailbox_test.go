package mailbox

import (
	"context"
	"errors"
	"fmt"
	"net/smtp"
	"strings"
	"testing"
	"time"
)

const good = "Date: Sun, 29 Mar 2026 00:59:30 +0000\r\nMessage-ID: <a@example.org>\r\nFrom: <a@example.org>\r\nTo: <b@example.org>\r\n" +
	"Subject: =?utf-8?q?Z=C3=BCrich?=\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" +
	"Content-Transfer-Encoding: quoted-printable\r\n\r\nSee https://watch.example.org/a/1?x=3D1.\r\n"

func TestCheck(t *testing.T) {
	with := func(old, replacement string) string { return strings.Replace(good, old, replacement, 1) }
	cases := map[string]struct{ raw, want string }{
		"good":              {good, ""},
		"bare LF":           {with("+0000\r\n", "+0000\n"), "line 1 ends with a bare LF"},
		"bare CR":           {with("See ", "See\r"), "bare CR"},
		"NUL":               {with("See ", "See\x00"), "NUL"},
		"long line":         {with("See ", strings.Repeat("x", 999)), "more than 998"},
		"longest line":      {with("See https://watch.example.org/a/1?x=3D1.", strings.Repeat("x", 998)), ""},
		"no body":           {"Date: x\r\n", "no empty line"},
		"no Date":           {with("Date:", "X-Date:"), "0 Date headers"},
		"no Message-ID":     {with("Message-ID:", "X-Message-ID:"), "0 Message-Id headers"},
		"no From":           {with("From:", "X-From:"), "0 From headers"},
		"no To":             {with("To:", "X-To:"), "0 To headers"},
		"two subjects":      {with("Subject:", "Subject: x\r\nSubject:"), "2 Subject headers"},
		"date of nonsense":  {with("29 Mar", "29 Mär"), "eight-bit header"},
		"date wrong":        {with("29 Mar", "29 Mars"), "date"},
		"From no address":   {with("<a@example.org>\r\nTo", "a b\r\nTo"), "From"},
		"id no id":          {with("Message-ID: <a@", "Message-ID: <a"), "not a message id"},
		"8-bit in 7-bit":    {with("See", "Zürich"), `declared as "quoted-printable"`},
		"8-bit announced":   {strings.Replace(with("quoted-printable", "8bit"), "See", "Zürich", 1), ""},
		"no content type":   {with("Content-Type:", "X-Content-Type:"), "content type"},
		"8-bit in the part": {with("text/plain; charset=utf-8", "multipart/mixed; boundary=x") + "--x\r\nContent-Type: text/plain\r\n\r\nZürich\r\n--x--\r\n", "part 1: eight-bit"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := Check([]byte(tc.raw))
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("Check: %v, want nil", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("Check: %v, want something about %q", err, tc.want)
			}
		})
	}
}

func open(t *testing.T, opts Options) *Mailbox {
	t.Helper()
	m, err := Listen(t.Context(), "127.0.0.1:0", opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// post sends with the standard library's client, which is nobody's relative here.
func post(t *testing.T, m *Mailbox, to, raw string) error {
	t.Helper()
	var auth smtp.Auth
	if m.opts.User != "" {
		auth = smtp.PlainAuth("", m.opts.User, m.opts.Password, "127.0.0.1")
	}
	return smtp.SendMail(m.Addr(), auth, "a@example.org", []string{to}, []byte(raw))
}

func TestReceive(t *testing.T) {
	m := open(t, Options{Keep: 3, User: "watch", Password: "p w"})
	for i := range 5 {
		if err := post(t, m, fmt.Sprintf("b%d@example.org", i+1), good); err != nil {
			t.Fatalf("mail %d: %v", i+1, err)
		}
	}
	msgs := m.Messages()
	if len(msgs) != 3 || msgs[0].ID != 5 || msgs[2].ID != 3 || m.Count() != 5 {
		t.Fatalf("Messages: %d of %d, want the newest three of 5, newest first", len(msgs), m.Count())
	}
	msg, ok := m.Message(4)
	if !ok || !msg.IsTo("B4@example.org") || msg.Subject != "Zürich" || msg.Sender != "a@example.org" || msg.ReceivedAt.IsZero() {
		t.Errorf("Message(4) = %+v, %v", msg, ok)
	}
	if msg.Link("/a/") != "https://watch.example.org/a/1?x=1" {
		t.Errorf("links %q, want the decoded one without the full stop", msg.Links)
	}
	for _, id := range []int{-1, 0, 2, 6} {
		if _, ok := m.Message(id); ok {
			t.Errorf("Message(%d) exists", id)
		}
	}
	if err := post(t, m, "b@example.org", strings.Replace(good, "Date:", "X-Date:", 1)); err == nil || m.Count() != 5 {
		t.Errorf("a mail without a date: %v, %d mails", err, m.Count())
	}
	if !strings.HasPrefix(m.URL(), "smtp://watch:p%20w@127.0.0.1:") {
		t.Errorf("URL %s", m.URL())
	}
}

func TestWaitAndSubscribe(t *testing.T) {
	m := open(t, Options{})
	mails, stop := m.Subscribe()
	early, cancelled := context.WithCancel(t.Context())
	cancelled()
	to := func(addr string) func(Message) bool { return func(msg Message) bool { return msg.IsTo(addr) } }
	if _, err := m.Wait(early, to("b@example.org")); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait with a cancelled context: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	found := make(chan error, 1)
	go func() {
		_, err := m.Wait(ctx, to("c@example.org"))
		found <- err
	}()
	for _, addr := range []string{"b@example.org", "c@example.org"} {
		if err := post(t, m, addr, good); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-found; err != nil {
		t.Errorf("Wait for a later mail: %v", err)
	}
	if msg, err := m.Wait(ctx, to("b@example.org")); err != nil || msg.ID != 1 {
		t.Errorf("Wait for an earlier mail: %d, %v", msg.ID, err)
	}
	if first, second := <-mails, <-mails; first.ID != 1 || second.ID != 2 {
		t.Errorf("subscription: %d, %d", first.ID, second.ID)
	}
	stop()
	if _, open := <-mails; open {
		t.Error("the channel is open after stop")
	}

	other, _ := m.Subscribe()
	if err := m.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, open := <-other; open {
		t.Error("a subscription outlives Close")
	}
	if _, err := m.Wait(ctx, to("nobody@example.org")); !errors.Is(err, ErrClosed) {
		t.Errorf("Wait after Close: %v", err)
	}
	stop() // twice is fine, after Close too
}

func TestSlowReaderIsDropped(t *testing.T) {
	m := open(t, Options{Keep: 10})
	mails, _ := m.Subscribe()
	for range 300 {
		m.keep(Message{})
	}
	n := 0
	for range mails {
		n++
	}
	if n != 256 {
		t.Errorf("a reader that slept got %d mails before the end, want 256", n)
	}
}
