package notifytest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/watchroom/watchroom/internal/mailbox"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/email"
	"github.com/watchroom/watchroom/internal/notifytest"
)

// TestStoryUnderFakeTime is how a scenario uses the server: hours pass at once.
func TestStoryUnderFakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		server := notifytest.NewSMTP(t, notifytest.InMemory(), notifytest.StartTLS(), notifytest.RequireAuth("watch", "pw"),
			notifytest.Keep(1), notifytest.SlowAt(mailbox.StageRcpt, time.Second))
		sender, err := email.New(email.Config{
			URL: server.URLFor("mail.example.org"), From: "pager@example.org", Dial: server.Dial, TLSConfig: server.ClientTLS(),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = sender.Close() }()
		for range 3 {
			time.Sleep(time.Hour) // fake time
			p := notify.Page{Key: "k", To: "kim@example.org", Notice: &notify.Notice{Subject: "Test"}}
			if _, err := sender.Send(t.Context(), p); err != nil {
				t.Fatalf("Send: %v", err)
			}
		}
		if took := time.Since(start); took != 3*time.Hour+3*time.Second {
			t.Errorf("three mails, an hour apart, a second each, took %v", took)
		}
		if msg := server.Next("kim@example.org"); msg.ID != 3 || !msg.ReceivedAt.Equal(time.Now()) {
			t.Errorf("kept mail %d of %v, want the third, of now", msg.ID, msg.ReceivedAt)
		}
	})
}

func TestURL(t *testing.T) {
	server := notifytest.NewSMTP(t, notifytest.ImplicitTLS(), notifytest.RequireAuth("watch", "p/w"))
	_, port, _ := strings.Cut(server.Addr(), ":")
	if got, want := server.URLFor("mail.example.org"), "smtps://watch:p%2Fw@mail.example.org:"+port; got != want {
		t.Errorf("URLFor = %s, want %s", got, want)
	}
	if got, want := server.URL(), "smtps://watch:p%2Fw@"+server.Addr(); got != want {
		t.Errorf("URL = %s, want %s", got, want)
	}
}
