package app

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/notifytest"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/outbox"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// twoNodes are two processes' worth of parts on one PostgreSQL.
func twoNodes(t *testing.T) (a, b *world) {
	t.Helper()
	database, key := pgtest.URL(t), filepath.Join(t.TempDir(), "secret.key")
	mail := notifytest.NewSMTP(t, notifytest.Keep(10_000))
	node := func() *world {
		ctx, cancel := context.WithCancel(context.Background())
		cfg := config.Default()
		cfg.Data, cfg.Database, cfg.SecretKeyFile = t.TempDir(), database, key
		cfg.PublicURL, cfg.SMTPURL, cfg.MailFrom = "https://watch.example.org", mail.URL(), "pager@watch.example.org"
		app, err := New(ctx, Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Stdout: io.Discard})
		if err != nil {
			cancel()
			t.Fatalf("New: %v", err)
		}
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
		return &world{T: t, app: app, mail: mail}
	}
	a, b = node(), node()
	a.furnish()
	b.key = a.key
	a.change(org.Put(escalation.Policy{
		ID: "database", Slug: "database", Name: "Database", Team: "db", RepeatAfter: escalation.DefaultRepeatAfter, Steps: []escalation.Step{
			{Targets: []escalation.Target{{Rotation: "primary"}}},
			{After: escalation.Duration(2 * time.Second), Targets: []escalation.Target{{User: "noor"}}},
		},
	}))
	return a, b
}

func TestTwoNodesPageOnce(t *testing.T) {
	a, b := twoNodes(t)
	const n = 120
	reader, err := b.app.Hub.Subscribe(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var wg sync.WaitGroup
	for i := range n {
		node := a
		if i%2 == 1 {
			node = b
		}
		wg.Go(func() {
			body := strings.NewReader(`{"message_type":"CRITICAL","entity_id":"svc/` + strconv.Itoa(i) + `"}`)
			rec := node.do(httptest.NewRequest(http.MethodPost, "/integrations/generic/20131114/alert/"+a.key+"/database", body))
			if rec.Code != http.StatusOK {
				t.Errorf("alert %d: status %d: %s", i, rec.Code, rec.Body)
			}
		})
	}
	wg.Wait()
	// Half is acknowledged, each on the node that did not take it.
	acked := map[id.Incident]bool{}
	for i := id.Incident(1); i <= n; i += 2 {
		node := a
		if i%4 == 1 {
			node = b
		}
		if _, err := node.app.Dispatch.Acknowledge(t.Context(), node.as("kim"), i); err != nil {
			t.Fatalf("acknowledge %d: %v", i, err)
		}
		acked[i] = true
	}
	waitFor(t, "the second step of all others is sent", func() bool {
		steps := a.secondSteps()
		for i := id.Incident(1); i <= n; i++ {
			if !acked[i] && steps[i] == 0 {
				return false
			}
		}
		return a.waiting() == 0
	})
	steps := a.secondSteps()
	for inc, count := range steps {
		if count != 1 {
			t.Errorf("incident %d came %d times to step 2", inc, count)
		}
	}
	a.checkNoStepAfterAcknowledgement()
	a.checkSentOnce(n, steps, acked)
	if err := checkInvariants(t.Context(), a.app.Store); err != nil {
		t.Error(err)
	}
	checkDense(t, reader, len(a.entries()))
}

// secondSteps counts how often each incident came to its second step.
func (w *world) secondSteps() map[id.Incident]int {
	w.Helper()
	found := map[id.Incident]int{}
	for _, e := range w.entries() {
		if p, ok := e.Payload.(timeline.Step); ok && p.Step == 2 {
			found[e.Incident]++
		}
	}
	return found
}

func (w *world) waiting() int {
	w.Helper()
	waiting, err := w.app.Store.Waiting(w.Context(), 1000)
	if err != nil {
		w.Fatal(err)
	}
	behind, err := w.app.Store.Behind(w.Context(), outbox.Cursor, timeline.StepStarted)
	if err != nil {
		w.Fatal(err)
	}
	if behind {
		return len(waiting) + 1
	}
	return len(waiting)
}

// checkNoStepAfterAcknowledgement holds what an acknowledgement on one node
// means for the timers of the other. A slow machine may acknowledge late.
func (w *world) checkNoStepAfterAcknowledgement() {
	w.Helper()
	acked := map[id.Incident]bool{}
	for _, e := range w.entries() {
		switch e.Kind {
		case timeline.IncidentAcknowledged:
			acked[e.Incident] = true
		case timeline.StepStarted:
			if acked[e.Incident] {
				w.Errorf("incident %d: entry %d starts a step after the acknowledgement", e.Incident, e.Seq)
			}
		}
	}
}

func (w *world) checkSentOnce(n int, steps map[id.Incident]int, acked map[id.Incident]bool) {
	w.Helper()
	for i := range n {
		inc := id.Incident(i + 1)
		pages, err := w.app.Store.Deliveries(w.Context(), inc)
		if err != nil {
			w.Fatal(err)
		}
		if want := 1 + steps[inc]; len(pages) != want {
			w.Errorf("incident %d: %d pages, want %d", inc, len(pages), want)
		}
		for _, p := range pages {
			fine := p.State == store.Sent || acked[inc] && p.State == store.Cancelled
			if p.Attempt != 1 || !fine {
				w.Errorf("incident %d: page to %s is %s after %d tries", inc, p.Person, p.State, p.Attempt)
			}
		}
	}
}

// checkDense reads what a subscriber of one node was given of both nodes' work.
func checkDense(t *testing.T, reader interface {
	Next(context.Context) ([]live.Event, error)
}, upTo int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var last id.Seq
	for last < id.Seq(upTo) {
		events, err := reader.Next(ctx)
		if err != nil {
			t.Fatalf("after entry %d of %d: %v", last, upTo, err)
		}
		for _, e := range events {
			if e.Entry.Seq == 0 {
				continue
			}
			if last != 0 && e.Entry.Seq != last+1 {
				t.Fatalf("entry %d follows %d", e.Entry.Seq, last)
			}
			last = e.Entry.Seq
		}
	}
}

func TestDeadNodesPagesAreTakenOver(t *testing.T) {
	a, _ := twoNodes(t)
	// A claims as a node would and dies before it sends: nothing renews the claim.
	_, err := store.InTx(t.Context(), a.app.Store, func(tx *store.Tx) (struct{}, error) {
		tx.AddDelivery(store.Delivery{
			Key: "page:test", Kind: store.NoticeMail, DueAt: tx.Now, ExpiresAt: tx.Now.Add(time.Hour), Contact: "mail-kim", Person: "kim",
			ClaimedBy: "a dead node", ClaimedUntil: tx.Now.Add(2 * time.Second),
			Body: store.DeliveryBody{Method: "email", Address: "kim@example.org", Sealed: a.app.box.Seal(`{"Subject":"taken over","Lines":["yes"]}`)},
		})
		return struct{}{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := a.mail.Next("kim@example.org").Subject; !strings.Contains(got, "taken over") {
		t.Errorf("mail %q, want the dead node's", got)
	}
	waitFor(t, "nothing waits", func() bool { return a.waiting() == 0 })
	if n := a.mail.Count(); n != 1 {
		t.Errorf("%d mails, want 1", n)
	}
}
