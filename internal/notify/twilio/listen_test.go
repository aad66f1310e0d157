package twilio_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/twilio"
	"github.com/watchroom/watchroom/internal/notify/twilio/twiliotest"
)

// direct calls the fake without a network, so that a bubble can stand still.
type direct struct{ server *twiliotest.Server }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.server.ServeHTTP(w, r)
	return w.Result(), nil
}

// inbox is somebody listening in a bubble.
type inbox struct {
	server *twiliotest.Server
	client *twilio.Client
	ended  error // of Listen, once it was stopped

	mu     sync.Mutex // guards the rest
	got    []string
	refuse error // what take returns
}

func (in *inbox) listen(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		in.ended = in.client.SMS().Listen(ctx, in.take)
	}()
	return func() { cancel(); <-done }
}

func (in *inbox) take(_ context.Context, ev notify.Event) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.refuse != nil {
		return in.refuse
	}
	in.got = append(in.got, fmt.Sprintf("%s %d %v %s", ev.Answer.Action, ev.Answer.Incident, ev.Answer.All, ev.Answer.From))
	return nil
}

func (in *inbox) refusing(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.refuse = err
}

func (in *inbox) expect(t *testing.T, what string, want ...string) {
	t.Helper()
	time.Sleep(6 * time.Second) // in a bubble: until after the next look
	synctest.Wait()
	in.mu.Lock()
	defer in.mu.Unlock()
	if diff := cmp.Diff(want, in.got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
	in.got = nil
}

func bubble(t *testing.T, server *twiliotest.Server, story func(*testing.T, *inbox)) {
	synctest.Test(t, func(t *testing.T) {
		server.SetClock(time.Now)
		cfg := twilio.Config{BaseURL: "http://api.example", AccountSID: twiliotest.AccountSID, AuthToken: twiliotest.AuthToken, From: twiliotest.Number}
		story(t, &inbox{server: server, client: twilio.New(cfg, &http.Client{Transport: direct{server}})})
	})
}

func TestListenHandsEveryReplyOnce(t *testing.T) {
	bubble(t, twiliotest.New(t), func(t *testing.T, in *inbox) {
		in.server.SetPageSize(2) // five messages are three pages
		stop := in.listen(t.Context())
		in.expect(t, "nothing there")
		for _, body := range []string{"ack 1", "hello", "RES 2", "STOP", "ack", "ack all"} {
			in.server.Receive(kim, body)
		}
		if _, err := in.client.SMS().Send(t.Context(), notify.Page{To: kim, Notice: &notify.Notice{Subject: "ack 99"}}); err != nil {
			t.Fatal(err)
		}
		in.expect(t, "in the order in which they came",
			"acknowledge 1 false "+kim, "resolve 2 false "+kim, "acknowledge 0 false "+kim, "acknowledge 0 true "+kim)
		in.expect(t, "not again")
		time.Sleep(20 * time.Minute)
		in.server.Receive(kim, "ack 3")
		in.expect(t, "much later", "acknowledge 3 false "+kim)
		stop()
		if in.ended != nil {
			t.Errorf("Listen() = %v when told to stop", in.ended)
		}
		stop = in.listen(t.Context())
		in.expect(t, "nor after a break of the connection")
		stop()
	})
}

func TestListenHandsAgainWhatWasNotTaken(t *testing.T) {
	bubble(t, twiliotest.New(t), func(t *testing.T, in *inbox) {
		defer in.listen(t.Context())()
		in.expect(t, "nothing there")
		in.refusing(errors.New("the database is away"))
		in.server.Receive(kim, "ack 1")
		in.expect(t, "not taken")
		time.Sleep(time.Hour) // longer than we look back
		in.refusing(nil)
		in.expect(t, "taken in the end", "acknowledge 1 false "+kim)
		in.expect(t, "once")
	})
}

func TestListenAfterARestart(t *testing.T) {
	bubble(t, twiliotest.New(t), func(t *testing.T, in *inbox) {
		in.server.Receive(kim, "ack 1")
		time.Sleep(20 * time.Minute)
		in.server.Receive(kim, "ack 2")
		in.server.Receive(kim, "ack") // of what was then the last page
		in.server.Receive(kim, "ack all")
		time.Sleep(time.Minute)
		defer in.listen(t.Context())()
		in.expect(t, "only what still means the same", "acknowledge 2 false "+kim)
		in.server.Receive(kim, "ack")
		in.expect(t, "afterwards everything", "acknowledge 0 false "+kim)
	})
}

func TestListenEndsWithTheTrouble(t *testing.T) {
	bubble(t, twiliotest.New(t), func(t *testing.T, in *inbox) {
		in.server.FailNext(http.StatusTooManyRequests, 20429, "3")
		stop := in.listen(t.Context())
		synctest.Wait()
		stop()
		if f, ok := errors.AsType[*notify.Failure](in.ended); !ok || f.RetryAfter != 3*time.Second {
			t.Errorf("Listen() = %v, want the failure with its wait", in.ended)
		}
	})
}
