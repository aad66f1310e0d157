package selfwatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

// outside is everything that a Watch reaches: an outward heartbeat, a webhook
// and a mail server.
type outside struct {
	mu     sync.Mutex
	beats  int
	posts  []string
	mails  []string
	refuse bool
}

func (o *outside) RoundTrip(r *http.Request) (*http.Response, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refuse {
		return nil, errors.New("connection refused")
	}
	if r.Method == http.MethodPost {
		var a Alarm
		if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
			return nil, err
		}
		o.posts = append(o.posts, a.State+" "+a.Object)
	} else {
		o.beats++
	}
	return &http.Response{StatusCode: http.StatusNoContent, Status: "204 No Content", Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

func (o *outside) Send(_ context.Context, p notify.Page) (notify.Receipt, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refuse {
		return notify.Receipt{}, errors.New("connection refused")
	}
	o.mails = append(o.mails, p.To+" "+p.Notice.Subject)
	return notify.Receipt{}, nil
}

func (o *outside) seen() (beats int, posts, mails []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.beats, slices.Clone(o.posts), slices.Clone(o.mails)
}

type plain struct{}

func (plain) Seal(text string) string { return text }

func watching(t *testing.T, s *store.Store, cfg Config) (*Watch, *outside) {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	o := &outside{}
	w := New(cfg, Deps{
		Store: s, Box: plain{}, Client: &http.Client{Transport: o}, Mail: o, Log: slog.New(slog.DiscardHandler), Node: "n1", Host: "pager1",
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
	return w, o
}

func entries(t *testing.T, s *store.Store) []timeline.Kind {
	t.Helper()
	found, err := s.Entries(t.Context(), store.EntryFilter{Limit: 100, FromStart: true})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []timeline.Kind
	for _, e := range found {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// deliver does what a sender does, until the test ends.
func deliver(t *testing.T, s *store.Store) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			err := s.Do(ctx, func(tx *store.Tx) error {
				list, err := tx.ClaimDeliveries("sender", tx.Now.Add(time.Second), 10)
				for _, d := range list {
					d.State, d.Body.DoneAt = store.Sent, tx.Now
					tx.PutDelivery(d)
				}
				return err
			})
			if err != nil && ctx.Err() == nil {
				t.Errorf("deliver: %v", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}()
	t.Cleanup(func() { stop(); <-ended })
}

var everything = Config{
	BeatURL: "https://dead.example/secret", BeatEvery: time.Minute, SyntheticEvery: 5 * time.Minute,
	AlarmTo: []string{"ops@example.org"}, AlarmURL: "https://hook.example/secret",
}

func TestAHealthyNodeCallsAndIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.Open(t)
		deliver(t, s)
		w, o := watching(t, s, everything)
		time.Sleep(time.Hour)
		beats, posts, mails := o.seen()
		if beats < 59 || beats > 61 || len(posts)+len(mails) > 0 || len(entries(t, s)) > 0 {
			t.Errorf("%d calls in an hour, alarms %v %v, entries %v", beats, posts, mails, entries(t, s))
		}
		if w.Took() <= 0 || w.Took() > 3*time.Second {
			t.Errorf("the synthetic page took %s", w.Took())
		}
		kept := 0
		for n := range 20 {
			err := s.Do(t.Context(), func(tx *store.Tx) error {
				list, err := tx.Deliveries([]id.Delivery{id.Delivery(n)})
				kept += len(list)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if kept != 1 {
			t.Errorf("%d synthetic pages are kept, want the last", kept)
		}
	})
}

func TestAStuckSenderIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.Open(t)
		w, o := watching(t, s, everything)
		time.Sleep(3 * time.Minute)
		beats, posts, mails := o.seen()
		if !slices.Contains(posts, "raised synthetic page") || !slices.Contains(mails, "ops@example.org Watchroom is in trouble: synthetic page") {
			t.Fatalf("told %v %v", posts, mails)
		}
		if w.Healthy() || beats > 2 {
			t.Errorf("healthy %t, %d calls", w.Healthy(), beats)
		}
		time.Sleep(30 * time.Minute)
		if _, again, _ := o.seen(); len(again) > 4 {
			t.Errorf("told again and again: %v", again)
		}
		deliver(t, s)
		time.Sleep(10 * time.Minute)
		more, posts, _ := o.seen()
		if !slices.Contains(posts, "cleared synthetic page") {
			t.Errorf("the end is not told: %v", posts)
		}
		if !w.Healthy() || more <= beats {
			t.Errorf("well again: healthy %t, %d calls after %d", w.Healthy(), more, beats)
		}
		raised, over := 0, 0
		for _, k := range entries(t, s) {
			switch k {
			case timeline.CoverageProblem:
				raised++
			case timeline.CoverageRestored:
				over++
			}
		}
		if raised == 0 || raised != over {
			t.Errorf("the timeline has %v", entries(t, s))
		}
	})
}

func TestStuckTimersAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.Open(t)
		err := s.Do(t.Context(), func(tx *store.Tx) error {
			tx.Save(incident.Decision{Timers: []incident.Timer{{Kind: incident.EscalateTimer, Incident: 1, DueAt: tx.Now.Add(time.Minute)}}})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		_, o := watching(t, s, Config{AlarmURL: "https://hook.example/"})
		time.Sleep(90 * time.Second)
		if _, posts, _ := o.seen(); len(posts) > 0 {
			t.Errorf("told too early: %v", posts)
		}
		time.Sleep(90 * time.Second)
		if _, posts, _ := o.seen(); len(posts) != 1 || !strings.HasPrefix(posts[0], "raised ") {
			t.Errorf("told %v, want that timers are late", posts)
		}
	})
}

func TestWhatCannotBeToldIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.Open(t)
		w, o := watching(t, s, Config{AlarmURL: "https://hook.example/", AlarmTo: []string{"ops@example.org"}})
		o.mu.Lock()
		o.refuse = true
		o.mu.Unlock()
		w.happened(Problem{Key: "clock", Object: "clock", Text: "moved"})
		time.Sleep(5 * time.Minute)
		o.mu.Lock()
		o.refuse = false
		o.mu.Unlock()
		time.Sleep(2 * time.Minute)
		_, posts, mails := o.seen()
		if diff := cmp.Diff([]string{"raised clock"}, posts); diff != "" || len(mails) != 1 {
			t.Errorf("told %v %v", posts, mails)
		}
	})
}

func TestAnUnheardHeartbeatIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.Open(t)
		w, o := watching(t, s, Config{BeatURL: "https://dead.example/secret", BeatEvery: time.Minute})
		time.Sleep(time.Minute)
		o.mu.Lock()
		o.refuse = true
		o.mu.Unlock()
		time.Sleep(10 * time.Minute)
		if kinds := entries(t, s); !slices.Contains(kinds, timeline.CoverageProblem) || !w.Healthy() {
			t.Errorf("entries %v, healthy %t: it must go on calling", kinds, w.Healthy())
		}
	})
}

func TestErrorsNameNoSecret(t *testing.T) {
	o := &outside{refuse: true}
	w := New(everything, Deps{Client: &http.Client{Transport: o}, Log: slog.New(slog.DiscardHandler)})
	for _, err := range []error{w.beat(t.Context()), w.post(t.Context(), Alarm{})} {
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v", err)
		}
	}
}

func TestValidate(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg  Config
		want string
	}{
		"nothing":   {Config{}, ""},
		"all":       {everything, ""},
		"beat":      {Config{BeatURL: "dead.example/secret"}, "--heartbeat-url"},
		"alarm":     {Config{AlarmURL: "ftp://hook.example/secret"}, "--alarm-url"},
		"hurry":     {Config{BeatEvery: time.Second}, "--heartbeat-every"},
		"synthetic": {Config{SyntheticEvery: time.Second}, "--synthetic-every"},
		"address":   {Config{AlarmTo: []string{"Ops <ops@example.org>"}}, "--alarm-to"},
	} {
		err := tc.cfg.Validate()
		if got := fmt.Sprint(err); (err == nil) != (tc.want == "") || !strings.Contains(got, tc.want) && err != nil || strings.Contains(got, "secret") {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

func TestKeeperAsksUntilNothingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var left, asked, other atomic.Int64
		left.Store(3)
		k := NewKeeper(map[string]Duty{
			"a": func(context.Context) (int, error) {
				asked.Add(1)
				if left.Load() == 0 {
					return 0, nil
				}
				left.Add(-1)
				return 1, nil
			},
			"b": func(context.Context) (int, error) { other.Add(1); panic("a bug") },
		}, slog.New(slog.DiscardHandler), time.Second)
		ended := make(chan error)
		go func() { ended <- k.Run(ctx) }()
		synctest.Wait()
		if left.Load() != 0 || asked.Load() != 4 || other.Load() != 1 {
			t.Errorf("left %d after %d asks; the other was asked %d times", left.Load(), asked.Load(), other.Load())
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if asked.Load() != 14 || other.Load() != 11 {
			t.Errorf("asked %d and %d times in ten seconds", asked.Load(), other.Load())
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
}
