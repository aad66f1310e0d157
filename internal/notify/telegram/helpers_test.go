package telegram_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/telegram"
	"github.com/watchroom/watchroom/internal/notify/telegram/telegramtest"
)

const (
	kimID = 4711
	group = -100
)

var (
	fixed = time.Date(2026, 3, 29, 0, 59, 30, 0, time.UTC)
	kim   = telegramtest.User{ID: kimID, FirstName: "Kim", LastName: "Öst", Username: "kim"}
	bo    = telegramtest.User{ID: 99, FirstName: "Bo <b>"}
)

func newServer(t *testing.T) *telegramtest.Server {
	t.Helper()
	s := telegramtest.New(t)
	s.AddChat(kimID, "private")
	s.AddChat(group, "group")
	return s
}

func client(s *telegramtest.Server, change func(*telegram.Config)) *telegram.Client {
	cfg := telegram.Config{Token: telegramtest.Token, BaseURL: s.URL}
	if change != nil {
		change(&cfg)
	}
	return telegram.New(cfg, nil)
}

func page(to int64, incidents ...notify.PageIncident) notify.Page {
	return notify.Page{Key: "k", To: fmt.Sprint(to), Token: "Tok_1-x", At: fixed, Incidents: incidents}
}

func incident(n int64) notify.PageIncident {
	return notify.PageIncident{
		Number: id.Incident(n), Title: "Disk <full> & more", Message: "93% </b> &lt; 🔥", Severity: "critical", Team: "Database", TriggeredAt: fixed,
		Reason: "You are on call.", URL: fmt.Sprintf(`https://watch.example.org/incidents/%d?a="1"&b=2`, n),
	}
}

func send(t *testing.T, c *telegram.Client, p notify.Page) notify.Receipt {
	t.Helper()
	r, err := c.Send(t.Context(), p)
	if err != nil {
		t.Fatalf("Send: %v", err)
	}
	return r
}

// listener runs Listen until the test ends, and again after each error.
type listener struct {
	mu     sync.Mutex // guards the rest
	events []notify.Event
	errs   []error
	refuse []error // what take answers next
}

func listen(t *testing.T, c *telegram.Client) *listener {
	t.Helper()
	l := &listener{}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			if err := c.Listen(ctx, l.take); err != nil {
				l.mu.Lock()
				l.errs = append(l.errs, err)
				l.mu.Unlock()
			}
		}
	})
	t.Cleanup(func() { stop(); wg.Wait() })
	return l
}

func (l *listener) take(_ context.Context, e notify.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
	if len(l.refuse) == 0 {
		return nil
	}
	err := l.refuse[0]
	l.refuse = l.refuse[1:]
	return err
}

func (l *listener) got() []notify.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]notify.Event(nil), l.events...)
}

func await(t *testing.T, s *telegramtest.Server, what string, cond func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Await(ctx, cond); err != nil {
		t.Fatalf("%s: %v; %+v", what, err, s.Messages())
	}
}

// scripted answers the first question for updates with raw, and then ends the listening.
func scripted(stop func(), raw []byte) *http.Client {
	asked := false
	return &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		body := `{"ok":true,"result":{}}`
		if strings.HasSuffix(r.URL.Path, "/getUpdates") {
			body = `{"ok":true,"result":[` + string(raw) + `]}`
			if asked {
				stop()
				body = `{"ok":true,"result":[]}`
			}
			asked = true
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
	})}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
