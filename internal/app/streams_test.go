package app

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notifytest"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/store"
)

// aNode is a furnished node on the database of an address, "" for SQLite.
func aNode(t *testing.T, database string) *world {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &world{T: t, mail: notifytest.NewSMTP(t)}
	cfg := config.Default()
	cfg.Data, cfg.Database, cfg.PublicURL = t.TempDir(), database, "https://watch.example.org"
	cfg.SMTPURL, cfg.MailFrom = w.mail.URL(), "pager@watch.example.org"
	app, err := New(ctx, Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Stdout: io.Discard})
	if err != nil {
		cancel()
		t.Fatalf("New: %v", err)
	}
	w.app = app
	wait := app.Start(ctx)
	t.Cleanup(func() {
		cancel()
		if err := wait(); err != nil {
			t.Errorf("a part failed: %v", err)
		}
		if err := app.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	w.furnish()
	return w
}

// TestStreamsAfterARestore: whoever has numbers of the past that is no more is
// told so, whether they were there or come back, on both streams.
func TestStreamsAfterARestore(t *testing.T) {
	for _, engine := range []struct {
		name     string
		database func(*testing.T) string
	}{
		{"sqlite", func(*testing.T) string { return "" }},
		{"postgres", func(t *testing.T) string { t.Helper(); return pgtest.URL(t) }},
	} {
		t.Run(engine.name, func(t *testing.T) {
			w := aNode(t, engine.database(t))
			server := httptest.NewServer(w.app.Handler)
			t.Cleanup(server.Close)
			s := &streams{world: w, url: server.URL, token: w.token("kim"), cookie: w.signIn("kim")}
			s.restored()
		})
	}
}

// streams opens both event streams of one person.
type streams struct {
	*world
	url, token, cookie string
}

func (s *streams) restored() {
	s.Helper()
	const browser, api = "/timeline/stream", "/api/v1/timeline/stream"
	for n := range 3 {
		s.say(fmt.Sprintf("before %d", n))
	}
	before := s.head()
	var backup bytes.Buffer
	if err := s.app.Store.Backup(s.Context(), &backup); err != nil {
		s.Fatal(err)
	}
	for n := range 3 {
		s.say(fmt.Sprintf("lost %d", n))
	}
	lost := s.head()
	page := s.open(browser, url.Values{"after": {number(lost.Seq)}, "epoch": {lost.Epoch}})
	program := s.open(api, url.Values{"after": {number(lost.Seq)}, "epoch": {lost.Epoch}})
	if program.epoch != lost.Epoch {
		s.Errorf("the stream is of epoch %q, want %q", program.epoch, lost.Epoch)
	}
	fromStart := s.open(api, url.Values{"after": {"0"}})
	if e := fromStart.next("message"); e.id != "1" {
		s.Errorf("after=0 begins with entry %s, want the first", e.id)
	}
	if err := s.app.Store.Restore(s.Context(), &backup); err != nil {
		s.Fatal(err)
	}
	page.next("reset")
	program.next("reset")
	now := s.head()
	if now.Seq >= lost.Seq || now.Epoch == lost.Epoch {
		s.Fatalf("the head is %+v after the restore and was %+v", now, lost)
	}
	for _, c := range []struct {
		why, path string
		after     id.Seq
		epoch     string
		reset     bool
	}{
		{"a page that was open", browser, lost.Seq, lost.Epoch, true},
		{"a page whose number is used again", browser, before.Seq - 1, lost.Epoch, true},
		{"a page that knows no epoch, ahead of all", browser, lost.Seq, "", true},
		{"a new page", browser, now.Seq - 1, now.Epoch, false},
		{"a program that was there", api, lost.Seq, lost.Epoch, true},
		{"a program whose number is used again", api, before.Seq - 1, lost.Epoch, true},
		{"a program that knows no epoch, ahead of all", api, lost.Seq, "", true},
		{"a program that knows no epoch, with a number there is", api, now.Seq - 1, "", false},
		{"a new program", api, now.Seq - 1, now.Epoch, false},
	} {
		l := s.open(c.path, url.Values{"after": {number(c.after)}, "epoch": {c.epoch}})
		want := "message"
		switch {
		case c.reset:
			want = "reset"
		case c.path == browser:
			want = "entry"
		}
		e := l.next(want)
		if c.reset && c.path == api {
			if want := fmt.Sprintf(`{"seq":%d,"epoch":%q}`, now.Seq, now.Epoch); e.data != want || e.id != number(now.Seq) || l.epoch != now.Epoch {
				s.Errorf("%s: reset %q says %s, want %s", c.why, e.id, e.data, want)
			}
		}
	}
	// Whoever follows on after the reset hears what is new.
	back := s.open(api, url.Values{"after": {number(lost.Seq)}})
	back.next("reset")
	s.say("something new")
	if e := back.next("message"); !strings.Contains(e.data, "something new") {
		s.Errorf("after the reset comes entry %s: %s", e.id, e.data)
	}
}

func (s *streams) say(text string) {
	s.Helper()
	if err := s.app.Dispatch.Post(s.Context(), s.as("kim"), 0, text); err != nil {
		s.Fatal(err)
	}
}

func number(n id.Seq) string { return strconv.FormatInt(int64(n), 10) }

func (s *streams) head() store.Head {
	s.Helper()
	h, err := s.app.Store.Head(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return h
}

// heard is an open stream.
type heard struct {
	*streams
	epoch string
	lines *bufio.Scanner
}

type said struct{ name, id, data string }

func (s *streams) open(path string, query url.Values) *heard {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path+"?"+query.Encode(), http.NoBody)
	if err != nil {
		s.Fatal(err)
	}
	if strings.HasPrefix(path, "/api/") {
		req.Header.Set("Authorization", "Bearer "+s.token)
	} else {
		req.AddCookie(&http.Cookie{Name: auth.Cookies{Secure: true}.Name(), Value: s.cookie})
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		cancel()
		_ = answer.Body.Close() // what it would say is that it was cancelled
	})
	if answer.StatusCode != http.StatusOK {
		s.Fatalf("%s: %s", path, answer.Status)
	}
	return &heard{s, answer.Header.Get("Watchroom-Epoch"), bufio.NewScanner(answer.Body)}
}

// next is the next event of a name that is no ping; any other is wrong.
func (h *heard) next(name string) said {
	h.Helper()
	e := said{}
	for h.lines.Scan() {
		field, value, _ := strings.Cut(h.lines.Text(), ": ")
		switch field {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		case "":
			if e.name == "" && e.data != "" {
				e.name = "message" // as the specification has it
			}
			switch e.name {
			case name:
				return e
			case "reset", "entry", "message":
				h.Fatalf("event %s comes, want %s: %s", e.name, name, e.data)
			}
			e = said{}
		}
	}
	h.Fatalf("the stream ended before %s came", name)
	return e
}
