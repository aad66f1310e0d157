package app

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/mailbox"
	"github.com/watchroom/watchroom/internal/notifytest"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestNobodyAnswersUntilTheThirdStep(t *testing.T) {
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01", "93% full")
		w.wantState(1, incident.Triggered)
		w.wantMails(map[string]int{"kim": 1})
		w.later(5*time.Minute - time.Second)
		w.wantMails(map[string]int{"kim": 1})
		w.later(2 * time.Second)
		w.wantMails(map[string]int{"kim": 1, "noor": 1})
		w.later(10 * time.Minute)
		w.wantMails(map[string]int{"kim": 1, "noor": 1, "ada": 1})
		if rec := w.click(w.mailTo("ada")[0], "ack"); rec.Code >= 400 {
			w.Fatalf("acknowledge from the mail: status %d: %s", rec.Code, rec.Body)
		}
		w.wantState(1, incident.Acknowledged)
		if by := w.incident(1).AckedBy; by.User != "ada" || by.Origin != timeline.Mail {
			w.Errorf("acknowledged by %+v, want ada from a mail", by)
		}
		w.later(24 * time.Hour)
		w.wantMails(map[string]int{"kim": 1, "noor": 1, "ada": 1})
	})
}

func TestPolicyEndsAndSaysSo(t *testing.T) {
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01")
		w.later(time.Hour)
		want := []timeline.Kind{
			timeline.IncidentTriggered, timeline.StepStarted, timeline.PageSent, timeline.StepStarted, timeline.PageSent,
			timeline.StepStarted, timeline.PageSent, timeline.EscalationExhausted,
		}
		if got := w.kinds(1); !slices.Equal(got, want) {
			w.Errorf("timeline of incident 1:\n got %v\nwant %v", got, want)
		}
		w.wantState(1, incident.Triggered)
	})
}

func TestRepeatsRollUpAndRecoveryResolves(t *testing.T) {
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01", "93% full")
		for range 20 {
			w.later(10 * time.Second)
			w.post("critical", "disk/db01", "93% full")
		}
		if got := w.incident(1).AlertCount; got != 21 {
			w.Errorf("alert count %d, want 21", got)
		}
		w.wantMails(map[string]int{"kim": 1})
		before := len(w.entries())
		w.post("CRITICAL", "disk/db01", "95% full")
		if got := len(w.entries()) - before; got != 1 {
			w.Errorf("a changed message made %d entries, want 1", got)
		}
		w.post("RECOVERY", "disk/db01")
		w.wantState(1, incident.Resolved)
		w.later(time.Hour)
		w.wantMails(map[string]int{"kim": 1})
		w.post("CRITICAL", "disk/db01", "again")
		w.wantState(2, incident.Triggered)
		w.wantMails(map[string]int{"kim": 2})
	})
}

func TestMonitoringAcknowledges(t *testing.T) {
	story(t, func(w *world) {
		w.post("WARNING", "cpu/web1")
		w.post("ACKNOWLEDGEMENT", "cpu/web1")
		w.wantState(1, incident.Acknowledged)
		w.later(time.Hour)
		w.wantMails(map[string]int{"kim": 1})
		w.post("CRITICAL", "cpu/web1", "worse")
		w.wantState(1, incident.Triggered)
		w.wantMails(map[string]int{"kim": 2})
	})
}

func TestInfoAndStrangersOpenNothing(t *testing.T) {
	story(t, func(w *world) {
		w.post("INFO", "deploy/shop")
		w.post("banana", "deploy/shop")
		w.post("RECOVERY", "never/seen")
		w.post("ACKNOWLEDGEMENT", "never/seen")
		w.wantMails(map[string]int{})
		if n := len(w.entries()); n < 4 {
			w.Errorf("%d entries, want one for each alert", n)
		}
		if _, err := w.app.Store.Incident(w.Context(), 1); !errors.Is(err, store.ErrNotFound) {
			w.Errorf("incident 1: %v, want none", err)
		}
	})
}

func TestUnknownRoutingKeyHasAHome(t *testing.T) {
	story(t, func(w *world) {
		w.postTo("no-such-key", "CRITICAL", "lost/1")
		w.postTo("$routing_key", "CRITICAL", "lost/2")
		w.postTo("DATABASE", "CRITICAL", "cased")
		w.wantMails(map[string]int{"ada": 2, "kim": 1})
	})
}

func TestEmptyAndUnreachableStepsAreSkippedAtOnce(t *testing.T) {
	story(t, func(w *world) {
		w.change(
			org.Put(people.User{ID: "kim", Username: "kim", Name: "Kim", Email: "kim@example.org", Role: people.Member, Zone: "Europe/Berlin"}),
		)
		w.post("CRITICAL", "disk/db01")
		w.wantMails(map[string]int{"noor": 1})
		skipped := 0
		for _, e := range w.entries() {
			if p, ok := e.Payload.(timeline.Skipped); ok {
				skipped++
				if !strings.Contains(p.Why, "Kim") {
					w.Errorf("the skipped step says %q, want it to name Kim", p.Why)
				}
			}
		}
		if skipped != 1 {
			w.Errorf("%d skipped steps, want 1", skipped)
		}
	})
}

func TestSnoozeEndsAndPagesAgain(t *testing.T) {
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01")
		if _, err := w.app.Dispatch.Snooze(w.Context(), w.as("noor"), 1, time.Now().Add(4*time.Hour)); err != nil {
			w.Fatal(err)
		}
		w.later(4*time.Hour - time.Minute)
		w.wantState(1, incident.Acknowledged)
		w.wantMails(map[string]int{"kim": 1})
		w.later(2 * time.Minute)
		w.wantState(1, incident.Triggered)
		w.wantMails(map[string]int{"kim": 2})
	})
}

func TestRerouteAndResponders(t *testing.T) {
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01")
		if _, err := w.app.Dispatch.RerouteToUser(w.Context(), w.as("kim"), 1, "noor"); err != nil {
			w.Fatal(err)
		}
		w.settle()
		w.wantMails(map[string]int{"kim": 1, "noor": 1})
		if _, err := w.app.Dispatch.Acknowledge(w.Context(), w.as("noor"), 1); err != nil {
			w.Fatal(err)
		}
		if _, err := w.app.Dispatch.AddResponders(w.Context(), w.as("noor"), 1, "ada"); err != nil {
			w.Fatal(err)
		}
		w.settle()
		w.wantMails(map[string]int{"kim": 1, "noor": 1, "ada": 1})
		if _, err := w.app.Dispatch.Unacknowledge(w.Context(), w.as("noor"), 1); err != nil {
			w.Fatal(err)
		}
		w.settle()
		w.wantMails(map[string]int{"kim": 1, "noor": 2, "ada": 1})
	})
}

func TestTwoPeopleAtOnce(t *testing.T) {
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01")
		errs := make(chan error, 2)
		for _, name := range []string{"kim", "noor"} {
			actor := w.as(name)
			go func() {
				_, err := w.app.Dispatch.Acknowledge(context.Background(), actor, 1)
				errs <- err
			}()
		}
		first, second := <-errs, <-errs
		if first == nil {
			first, second = second, first
		}
		if second != nil || !fault.Is(first, fault.CodeConflict) {
			w.Fatalf("two acknowledgements: %v and %v, want one conflict", first, second)
		}
		if winner := w.incident(1).AckedBy.Name; !strings.Contains(fault.MessageOf(first), winner) {
			w.Errorf("the loser is told %q, want the name of %s", fault.MessageOf(first), winner)
		}
	})
}

// flaky is a mail server that answers what code says; 0 is all is well.
func flaky(code *atomic.Int64) notifytest.Option {
	return notifytest.Intercept(func(_ context.Context, at mailbox.Stage, _ string) error {
		if c := code.Load(); c != 0 && at == mailbox.StageRcpt {
			return &smtp.SMTPError{Code: int(c), Message: "says the test"}
		}
		return nil
	})
}

func TestMailServerIsAwayForAWhile(t *testing.T) {
	var code atomic.Int64
	code.Store(451)
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01")
		w.later(150 * time.Second)
		w.wantMails(map[string]int{})
		code.Store(0)
		w.later(35 * time.Second)
		w.wantMails(map[string]int{"kim": 1})
		want := []timeline.Kind{timeline.IncidentTriggered, timeline.StepStarted, timeline.PageRetrying, timeline.PageSent}
		if got := w.kinds(1); !slices.Equal(got, want) {
			w.Errorf("timeline of incident 1:\n got %v\nwant %v", got, want)
		}
	}, flaky(&code))
}

func TestAcknowledgedWhileTheMailServerIsAway(t *testing.T) {
	var code atomic.Int64
	code.Store(451)
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01")
		w.later(time.Minute)
		if _, err := w.app.Dispatch.Acknowledge(w.Context(), w.as("kim"), 1); err != nil {
			w.Fatal(err)
		}
		code.Store(0)
		w.later(time.Hour)
		w.wantMails(map[string]int{})
	}, flaky(&code))
}

func TestRefusedPageMovesOnAtOnce(t *testing.T) {
	refuseKim := notifytest.RejectRcpt(func(to string) error {
		if strings.HasPrefix(to, "kim@") {
			return &smtp.SMTPError{Code: 550, Message: "no such mailbox"}
		}
		return nil
	})
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01")
		w.later(time.Second)
		w.wantMails(map[string]int{"noor": 1})
		want := []timeline.Kind{
			timeline.IncidentTriggered, timeline.StepStarted, timeline.PageFailed, timeline.StepStarted, timeline.PageSent,
		}
		if got := w.kinds(1); !slices.Equal(got, want) {
			w.Errorf("timeline of incident 1:\n got %v\nwant %v", got, want)
		}
	}, refuseKim)
}

func TestDeadMailServerDoesNotBurnTheRounds(t *testing.T) {
	var code atomic.Int64
	code.Store(550)
	story(t, func(w *world) {
		w.change(org.Put(escalation.Policy{
			ID: "database", Slug: "database", Name: "Database", Repeat: 3, RepeatAfter: escalation.DefaultRepeatAfter,
			Steps: []escalation.Step{{Targets: []escalation.Target{{Rotation: "primary"}}}},
		}))
		w.post("CRITICAL", "disk/db01")
		w.later(11 * time.Minute)
		steps := 0
		for _, k := range w.kinds(1) {
			if k == timeline.StepStarted {
				steps++
			}
		}
		if steps != 3 {
			w.Errorf("%d rounds in 11 minutes, want 3, one every 5 minutes", steps)
		}
	}, flaky(&code))
}

func TestStormIsBundled(t *testing.T) {
	story(t, func(w *world) {
		const n = 300
		var replies []*httptest.ResponseRecorder
		done := make(chan *httptest.ResponseRecorder, n)
		for i := range n {
			body := strings.NewReader(`{"message_type":"CRITICAL","entity_id":"svc/` + strconv.Itoa(i) + `"}`)
			r := httptest.NewRequest(http.MethodPost, "/integrations/generic/20131114/alert/"+w.key+"/database", body)
			go func() { done <- w.do(r) }()
			w.sent = append(w.sent, "svc/"+strconv.Itoa(i))
		}
		for range n {
			replies = append(replies, <-done)
		}
		for _, rec := range replies {
			if rec.Code != http.StatusOK {
				w.Fatalf("status %d: %s", rec.Code, rec.Body)
			}
		}
		w.later(10 * time.Second)
		if got := len(w.mailTo("kim")); got != 4 {
			w.Errorf("%d mails for %d incidents, want three at once and the rest in one", got, n)
		}
		paged := map[id.Incident]bool{}
		for _, e := range w.entries() {
			if e.Kind == timeline.PageSent {
				paged[e.Incident] = true
			}
		}
		if len(paged) != n {
			w.Errorf("%d incidents were paged, want all %d", len(paged), n)
		}
	})
}

func TestRestartKeepsWhatIsDue(t *testing.T) {
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01")
		w.later(time.Minute)
		w.restart()
		w.later(5 * time.Minute)
		w.wantMails(map[string]int{"kim": 1, "noor": 1})
	})
}

func TestHandOffAtNinePagesTheNextPerson(t *testing.T) {
	story(t, func(w *world) {
		w.change(org.Put(oncall.Rotation{ID: "primary", Name: "Primary", Team: "db", Zone: "Europe/Berlin", Layers: []oncall.Layer{
			{Members: []id.User{"kim", "noor"}, Every: 1, Unit: oncall.Days, HandoffAt: "09:00", Start: "1999-12-31"},
		}}))
		// It is 01:00 in Berlin on 1 January 2000.
		w.post("CRITICAL", "night")
		w.wantMails(map[string]int{"kim": 1})
		w.post("RECOVERY", "night")
		w.later(8 * time.Hour)
		w.post("CRITICAL", "morning")
		w.wantMails(map[string]int{"kim": 1, "noor": 1})
	})
}

func TestRunningIncidentKeepsItsPolicy(t *testing.T) {
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01")
		w.change(org.Put(escalation.Policy{
			ID: "database", Slug: "database", Name: "Database", RepeatAfter: escalation.DefaultRepeatAfter,
			Steps: []escalation.Step{{Targets: []escalation.Target{{User: "olga"}}}},
		}))
		w.later(6 * time.Minute)
		w.wantMails(map[string]int{"kim": 1, "noor": 1})
		w.post("CRITICAL", "disk/db02")
		w.wantMails(map[string]int{"kim": 1, "noor": 1, "olga": 1})
	})
}

func TestPermissions(t *testing.T) {
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01")
		_, err := w.app.Dispatch.Acknowledge(w.Context(), w.as("olga"), 1)
		if !fault.Is(err, fault.CodeForbidden) {
			w.Errorf("an observer acknowledges: %v, want forbidden", err)
		}
		if err := w.app.Dispatch.Post(w.Context(), w.as("olga"), 0, "hello"); !fault.Is(err, fault.CodeForbidden) {
			w.Errorf("an observer posts: %v, want forbidden", err)
		}
		w.wantState(1, incident.Triggered)
	})
}
