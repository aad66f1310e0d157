package dispatch

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// plan makes pages for the last step of an incident, as the planner does, one
// for each contact.
func (h *house) plan(t *testing.T, n id.Incident, contacts ...id.Contact) {
	t.Helper()
	h.planFor(t, store.StepPage, timeline.StepStarted, n, contacts...)
}

func (h *house) planFor(t *testing.T, kind store.DeliveryKind, asked timeline.Kind, n id.Incident, contacts ...id.Contact) {
	t.Helper()
	err := h.store.Do(t.Context(), func(tx *store.Tx) error {
		entry, err := tx.LastEntry(n, asked)
		if err != nil {
			return err
		}
		for _, c := range contacts {
			tx.AddDelivery(store.Delivery{
				Key: fmt.Sprintf("page:%d:%d:%s", n, entry, c), Kind: kind, DueAt: tx.Now, ExpiresAt: tx.Now.Add(10 * time.Minute),
				Incident: n, Entry: entry, Person: "kim", Contact: c, Body: store.DeliveryBody{Method: "email", Address: string(c) + "@example.org"},
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// claim takes everything that is due, as a sender does, in the order of numbers.
func (h *house) claim(t *testing.T) []store.Delivery {
	t.Helper()
	all, err := store.InTx(t.Context(), h.store, func(tx *store.Tx) ([]store.Delivery, error) {
		return tx.ClaimDeliveries("sender", tx.Now.Add(10*time.Second), 100)
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b store.Delivery) int { return int(a.ID - b.ID) })
	return all
}

func (h *house) record(t *testing.T, outcomes ...Outcome) {
	t.Helper()
	if err := h.RecordDeliveries(t.Context(), outcomes); err != nil {
		t.Fatalf("RecordDeliveries() = %v", err)
	}
}

func failed(d store.Delivery) Outcome {
	return Outcome{Delivery: d, State: store.Failed, Detail: "550 no such user"}
}

func sent(d store.Delivery) Outcome {
	return Outcome{Delivery: d, State: store.Sent, Detail: "250 queued", Bundled: 1}
}

func (h *house) later(d store.Delivery) Outcome {
	return Outcome{Delivery: d, State: store.Pending, Detail: "451 later", RetryAt: h.clock.read().Add(time.Second)}
}

func (h *house) delivery(t *testing.T, n id.Incident, i int) store.Delivery {
	t.Helper()
	all, err := h.store.Deliveries(t.Context(), n)
	if err != nil || len(all) <= i {
		t.Fatalf("Deliveries(%d) = %v, %v", n, all, err)
	}
	return all[i]
}

func TestRecordSent(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		n := h.open(t, "disk").ID
		h.plan(t, n, "a")
		seq := h.head(t).Seq
		d := h.claim(t)[0]
		h.record(t, sent(d))
		got := h.entries(t, store.EntryFilter{After: seq})
		want := timeline.PageState{Delivery: d.ID, User: "kim", Name: "Kim", Method: "email", Address: "a@example.org", Attempt: 1, Detail: "250 queued"}
		if len(got) != 1 || got[0].Payload != want || got[0].Incident != n || got[0].Team != "dba" || got[0].Person != "kim" {
			t.Errorf("the timeline tells %+v, want %+v", got, want)
		}
		if now := h.delivery(t, n, 0); now.State != store.Sent || now.Body.DoneAt.IsZero() || now.ClaimedBy != "" || now.Body.Detail != "250 queued" {
			t.Errorf("the delivery is %+v, want sent, free and with the provider's words", now)
		}
		h.record(t, failed(d)) // another node, whose claim had run out, is late
		if late := h.kinds(t, seq+1); len(late) > 0 || h.delivery(t, n, 0).State != store.Sent {
			t.Errorf("a late outcome left %v", late)
		}
		h.clock.pass(time.Hour)
		if again := h.claim(t); len(again) > 0 {
			t.Errorf("what was sent is claimed again: %+v", again)
		}
	})
}

// The first failed try is told, the others are on the delivery, and the end is told.
func TestRecordRetries(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		n := h.open(t, "disk").ID
		h.plan(t, n, "a")
		seq := h.head(t).Seq
		for range 3 {
			d := h.claim(t)[0]
			h.record(t, h.later(d))
			if again := h.claim(t); len(again) > 0 {
				t.Fatalf("attempt %d is claimed again before its time", d.Attempt)
			}
			h.clock.pass(time.Second)
		}
		d := h.claim(t)[0]
		if d.Attempt != 4 {
			t.Errorf("the fourth try is counted as %d", d.Attempt)
		}
		h.record(t, failed(d))
		want := []timeline.Kind{timeline.PageRetrying, timeline.PageFailed, timeline.StepStarted}
		if diff := cmp.Diff(want, h.kinds(t, seq)); diff != "" {
			t.Errorf("the timeline (-want +got):\n%s", diff)
		}
		inc := h.incident(t, n)
		if inc.Step.Step != 1 || !slices.Contains(inc.Paged, "lee") {
			t.Errorf("the escalation is at %+v and paged %v, want the second step at once", inc.Step, inc.Paged)
		}
	})
}

func TestGivenUpMovesOn(t *testing.T) {
	tests := []struct {
		intent string
		do     func(*testing.T, *house, id.Incident)
		moves  bool
	}{
		{"the only page of the step", func(t *testing.T, h *house, n id.Incident) {
			h.plan(t, n, "a")
			h.record(t, failed(h.claim(t)[0]))
		}, true},
		{"all pages, in one message", func(t *testing.T, h *house, n id.Incident) {
			h.plan(t, n, "a", "b")
			d := h.claim(t)
			h.record(t, failed(d[0]), failed(d[1]))
		}, true},
		{"all pages, one after the other", func(t *testing.T, h *house, n id.Incident) {
			h.plan(t, n, "a", "b")
			d := h.claim(t)
			h.record(t, failed(d[0]))
			h.record(t, failed(d[1]))
		}, true},
		{"one of two, the other waits still", func(t *testing.T, h *house, n id.Incident) {
			h.plan(t, n, "a", "b")
			h.record(t, failed(h.claim(t)[0]))
		}, false},
		{"one of two, the other arrived", func(t *testing.T, h *house, n id.Incident) {
			h.plan(t, n, "a", "b")
			d := h.claim(t)
			h.record(t, sent(d[0]))
			h.record(t, failed(d[1]))
		}, false},
		{"one of two, the other is tried again", func(t *testing.T, h *house, n id.Incident) {
			h.plan(t, n, "a", "b")
			d := h.claim(t)
			h.record(t, failed(d[0]), h.later(d[1]))
		}, false},
		{"a page of a responder", func(t *testing.T, h *house, n id.Incident) {
			if _, err := h.AddResponders(t.Context(), kim(), n, "lee"); err != nil {
				t.Fatal(err)
			}
			h.planFor(t, store.ResponderPage, timeline.ResponderAdded, n, "a")
			h.record(t, failed(h.claim(t)[0]))
		}, false},
		{"a page of an acknowledged incident", func(t *testing.T, h *house, n id.Incident) {
			h.plan(t, n, "a")
			d := h.claim(t)
			if _, err := h.Acknowledge(t.Context(), kim(), n); err != nil {
				t.Fatal(err)
			}
			h.record(t, failed(d[0]))
		}, false},
		{"a page of a policy that was left meanwhile", func(t *testing.T, h *house, n id.Incident) {
			h.plan(t, n, "a")
			d := h.claim(t)
			if _, err := h.RerouteToPolicy(t.Context(), kim(), n, "p1"); err != nil {
				t.Fatal(err)
			}
			h.record(t, failed(d[0]))
		}, false},
		{"a page that was not wanted any more", func(t *testing.T, h *house, n id.Incident) {
			h.plan(t, n, "a")
			h.record(t, Outcome{Delivery: h.claim(t)[0], State: store.Cancelled})
		}, false},
		{"a page that does not exist", func(t *testing.T, h *house, _ id.Incident) {
			h.record(t, failed(store.Delivery{ID: 99}))
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.intent, func(t *testing.T) {
			h := newHouse(t, "sqlite")
			n := h.open(t, "disk").ID
			tt.do(t, h, n)
			inc := h.incident(t, n)
			if moved := inc.Step.Step == 1; moved != tt.moves {
				t.Errorf("the escalation is at %+v, want moved on: %t", inc.Step, tt.moves)
			}
			h.audit(t)
		})
	}
}

// The second step runs already: that the page of the first one failed late is
// told and starts nothing.
func TestStaleFailureMovesNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		n := h.open(t, "disk").ID
		h.plan(t, n, "a")
		d := h.claim(t)
		h.clock.pass(stepTwo)
		h.fire(t, 1)
		seq, next := h.head(t).Seq, h.incident(t, n).NextAt
		h.record(t, failed(d[0]))
		if diff := cmp.Diff([]timeline.Kind{timeline.PageFailed}, h.kinds(t, seq)); diff != "" {
			t.Errorf("the timeline (-want +got):\n%s", diff)
		}
		if got := h.incident(t, n).NextAt; !got.Equal(next) {
			t.Errorf("the next step is due at %s, want %s as before", got, next)
		}
	})
}

func TestRecordBundle(t *testing.T) {
	h := newHouse(t, "sqlite")
	one, two := h.open(t, "disk").ID, h.open(t, "link").ID
	h.plan(t, one, "a")
	h.plan(t, two, "a")
	seq := h.head(t).Seq
	d := h.claim(t)
	h.record(t, Outcome{Delivery: d[0], State: store.Sent, Bundled: 2}, Outcome{Delivery: d[1], State: store.Sent, Bundled: 2})
	told := map[id.Incident]int{}
	for _, e := range h.entries(t, store.EntryFilter{After: seq}) {
		if p, ok := e.Payload.(timeline.PageState); ok {
			told[e.Incident] = p.Bundled
		}
	}
	if want := (map[id.Incident]int{one: 2, two: 2}); !cmp.Equal(told, want) {
		t.Errorf("the incidents in one message are told as %v, want %v", told, want)
	}
	h.audit(t)
}

// A mail that is about no incident has its fate on the delivery alone.
func TestRecordNotice(t *testing.T) {
	h := newHouse(t, "sqlite")
	address, err := h.SendTest(t.Context(), kim(), "c-kim", "https://watchroom.example.org")
	if err != nil || address != "kim@example.org" {
		t.Fatalf("SendTest() = %q, %v, want kim's address", address, err)
	}
	seq := h.head(t).Seq
	h.record(t, failed(h.claim(t)[0]))
	if told := h.kinds(t, seq); len(told) > 0 {
		t.Errorf("a failed notice is told as %v", told)
	}
	if _, err := h.SendTest(t.Context(), kim(), "c-lee", ""); err == nil {
		t.Error("SendTest() went to somebody else's contact method")
	}
	if _, err := h.SendTest(t.Context(), people.Operator(), "c-kim", ""); err == nil {
		t.Error("SendTest() worked for nobody")
	}
	h.audit(t)
}

// While a page was on the wire its claim ran out, or a backup was restored: the
// number is another try's, or another page's, which has still to be sent.
func TestRecordIsAboutTheTryThatWasMade(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		n := h.open(t, "disk").ID
		h.plan(t, n, "a")
		d := h.claim(t)[0]
		restored := d
		restored.Key = "page:before:the:restore"
		h.record(t, sent(restored))
		if now := h.delivery(t, n, 0); now.State != store.Pending || now.ClaimedBy == "" {
			t.Fatalf("the fate of another page made this one %+v", now)
		}
		h.clock.pass(time.Minute)
		again := h.claim(t)[0]
		h.record(t, h.later(d))
		if now := h.delivery(t, n, 0); now.Attempt != 2 || now.ClaimedBy == "" {
			t.Errorf("a try that is over took the page from the next: %+v", now)
		}
		h.record(t, failed(d))
		if now := h.delivery(t, n, 0); now.State != store.Pending {
			t.Errorf("a try that is over gave the page up: %+v", now)
		}
		h.record(t, sent(d)) // it has arrived all the same
		h.record(t, failed(again))
		if now := h.delivery(t, n, 0); now.State != store.Sent {
			t.Errorf("a page that has left is %s", now.State)
		}
	})
}
