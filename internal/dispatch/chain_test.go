package dispatch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

const kimsPhone = "+493012345678"

// phones gives Kim "push now; SMS after 2 minutes; call after 3 more; the call
// again every 10 minutes", and an e-mail address that no rule names.
func (h *house) phones(t *testing.T) {
	t.Helper()
	o, err := h.store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kim := o.Users["kim"]
	proven := h.clock.read()
	kim.Contacts = append(kim.Contacts,
		people.Contact{ID: "push", Method: people.Pushover, Address: "uQiRzpo4DXghDmr9QzzfQu27cmVRsG", VerifiedAt: proven},
		people.Contact{ID: "sms", Method: people.SMS, Address: kimsPhone, VerifiedAt: proven},
		people.Contact{ID: "voice", Method: people.Voice, Address: kimsPhone, VerifiedAt: proven})
	minutes := func(n int) people.Duration { return people.Duration(time.Duration(n) * time.Minute) }
	kim.Paging = &people.PagingPolicy{Rules: []people.PagingRule{{Name: "Always", Again: minutes(10), Steps: []people.PagingStep{
		{Contacts: []id.Contact{"push"}}, {After: minutes(2), Contacts: []id.Contact{"sms"}}, {After: minutes(3), Contacts: []id.Contact{"voice"}},
	}}}}
	h.change(t, org.Put(kim),
		org.Put(org.Provider{ID: "first", Kind: org.Twilio, Name: "First", Order: 1}),
		org.Put(org.Provider{ID: "second", Kind: org.Vonage, Name: "Second", Order: 2}))
}

// ask plans what an entry asks for, as the planner does.
func (h *house) ask(t *testing.T, n id.Incident) {
	t.Helper()
	err := h.store.Do(t.Context(), func(tx *store.Tx) error {
		entry, err := tx.LastEntry(n, timeline.StepStarted)
		for _, d := range FirstPages(Asked{Kind: store.StepPage, Incident: n, Entry: entry, User: tx.Org.Users["kim"], Why: "on call"}, tx.Now) {
			tx.AddDelivery(d)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// pages are Kim's pages as "method state", in the order in which they were planned.
func (h *house) pages(t *testing.T, n id.Incident) []string {
	t.Helper()
	all, err := h.store.Deliveries(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	lines := make([]string, len(all))
	for i, d := range all {
		lines[i] = d.Body.Method + " " + string(d.State)
		if d.State == store.Pending {
			lines[i] += fmt.Sprintf(" in %s", d.DueAt.Sub(h.clock.read()).Round(time.Second))
		}
	}
	return lines
}

func (h *house) expectPages(t *testing.T, when string, n id.Incident, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, h.pages(t, n)); diff != "" {
		t.Errorf("%s, the pages (-want +got):\n%s", when, diff)
	}
}

func accepted(d store.Delivery, by id.Provider, remote string) Outcome {
	return Outcome{Delivery: d, State: store.Accepted, Bundled: 1, Provider: by, Remote: remote}
}

func (h *house) event(t *testing.T, method people.Method, provider id.Provider, ev notify.Event) string {
	t.Helper()
	reply, err := h.TakeEvent(t.Context(), method, provider, ev)
	if err != nil {
		t.Fatalf("TakeEvent(%+v) = %v", ev, err)
	}
	return reply
}

func TestStepsOfAPersonFollowOneAnother(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.phones(t)
		n := h.open(t, "disk").ID
		h.ask(t, n)
		h.expectPages(t, "at once", n, "pushover pending in 0s")
		h.record(t, accepted(h.claim(t)[0], "", "receipt"))
		h.expectPages(t, "after the first", n, "pushover accepted", "sms pending in 2m0s")
		h.event(t, people.Pushover, "", notify.Event{RemoteID: "receipt", State: notify.Delivered})
		h.clock.pass(2 * time.Minute)
		h.record(t, accepted(h.claim(t)[0], "first", "SM1"))
		h.event(t, people.SMS, "first", notify.Event{RemoteID: "SM1", State: notify.Delivered})
		h.expectPages(t, "after the second", n, "pushover delivered", "sms delivered", "voice pending in 3m0s")
		h.clock.pass(3 * time.Minute)
		h.record(t, accepted(h.claim(t)[0], "first", "CA1"))
		h.event(t, people.Voice, "first", notify.Event{RemoteID: "CA1", State: notify.Delivered})
		h.clock.pass(10 * time.Minute)
		h.record(t, accepted(h.claim(t)[0], "first", "CA2"))
		h.event(t, people.Voice, "first", notify.Event{RemoteID: "CA2", State: notify.Delivered})
		h.expectPages(t, "the last step comes again", n,
			"pushover delivered", "sms delivered", "voice delivered", "voice delivered", "voice pending in 10m0s")
	})
}

func TestAFailedMethodBringsTheNextForward(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.phones(t)
		n := h.open(t, "disk").ID
		h.ask(t, n)
		seq := h.head(t).Seq
		h.record(t, failed(h.claim(t)[0]))
		h.expectPages(t, "the push was refused", n, "pushover failed", "sms pending in 0s")
		h.record(t, accepted(h.claim(t)[0], "first", "SM1"))
		h.event(t, people.SMS, "first", notify.Event{RemoteID: "SM1", State: notify.Undelivered, Detail: "unknown subscriber"})
		h.expectPages(t, "the message was not delivered: another provider", n, "pushover failed", "sms pending in 0s", "voice pending in 5m0s")
		h.record(t, accepted(h.claim(t)[0], "second", "V1"))
		h.event(t, people.SMS, "second", notify.Event{RemoteID: "V1", State: notify.Undelivered, Detail: "again"})
		h.expectPages(t, "neither had the second: the call, at once", n, "pushover failed", "sms failed", "voice pending in 0s")
		call := failed(h.claim(t)[0])
		call.Provider = "first" // which is the only one that calls
		h.record(t, call)
		h.expectPages(t, "what no rule names is tried at last", n,
			"pushover failed", "sms failed", "voice failed", "email pending in 0s", "voice pending in 15m0s")
		moved := 0
		for _, k := range h.kinds(t, seq) {
			if k == timeline.PageMovedOn {
				moved++
			}
		}
		if moved != 3 {
			t.Errorf("%d times the timeline says that the next method is used, want 3", moved)
		}
		if inc := h.incident(t, n); inc.Step.Step != 0 {
			t.Error("the escalation went on while a page could still arrive")
		}
	})
}

func TestAMissedDeadline(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.phones(t)
		n := h.open(t, "disk").ID
		h.ask(t, n)
		h.record(t, failed(h.claim(t)[0]))
		h.record(t, accepted(h.claim(t)[0], "first", "SM1"))
		if missed, err := h.MissDeadlines(t.Context()); err != nil || missed != 0 {
			t.Errorf("MissDeadlines before the time = %d, %v", missed, err)
		}
		h.clock.pass(61 * time.Second)
		if due, late, err := h.store.DeliveryDue(t.Context()); err != nil || due || !late {
			t.Errorf("DeliveryDue = %v, %v, %v, want a late one", due, late, err)
		}
		if missed, err := h.MissDeadlines(t.Context()); err != nil || missed != 1 {
			t.Errorf("MissDeadlines = %d, %v, want 1", missed, err)
		}
		h.expectPages(t, "the first provider was too slow", n, "pushover failed", "sms pending in 0s", "voice pending in 3m59s")
		h.record(t, accepted(h.claim(t)[0], "second", "V1"))
		h.clock.pass(61 * time.Second)
		if _, err := h.MissDeadlines(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.expectPages(t, "so was the second", n, "pushover failed", "sms late", "voice pending in 0s")
		h.event(t, people.SMS, "second", notify.Event{RemoteID: "V1", State: notify.Delivered})
		h.expectPages(t, "it arrived after all", n, "pushover failed", "sms delivered", "voice pending in 0s")
	})
}

func TestAnswers(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.phones(t)
		n := h.open(t, "disk").ID
		h.ask(t, n)
		d := h.claim(t)[0]
		h.record(t, accepted(d, "", "receipt"))
		token := h.PageToken(d)
		if len(token) > 40 {
			t.Errorf("the token has %d characters", len(token))
		}
		last := "0"
		if strings.HasSuffix(token, last) {
			last = "1"
		}
		for why, ev := range map[string]notify.Event{
			"another's token":           {Answer: &notify.Answer{Action: notify.Acknowledge, Token: token[:len(token)-1] + last}},
			"no token":                  {Answer: &notify.Answer{Action: notify.Acknowledge, Token: "1-"}},
			"a number that was never":   {Answer: &notify.Answer{Action: notify.Acknowledge, Token: "99-abc"}},
			"a stranger's telephone":    {Answer: &notify.Answer{Action: notify.Acknowledge, From: "+15550100"}},
			"a message nobody sent":     {RemoteID: "other", State: notify.Delivered},
			"an incident Kim knows not": {Answer: &notify.Answer{Action: notify.Acknowledge, From: kimsPhone, Incident: 99}},
		} {
			if _, err := h.TakeEvent(t.Context(), people.SMS, "", ev); !fault.Is(err, fault.CodeNotFound) {
				t.Errorf("%s: %v, want not found", why, err)
			}
		}
		if reply := h.event(t, people.WebPush, "", notify.Event{Answer: &notify.Answer{Action: notify.Acknowledge, Token: token}}); reply == "" {
			t.Error("whoever answers is told nothing")
		}
		inc := h.incident(t, n)
		if inc.State != incident.Acknowledged || inc.AckedBy.User != "kim" || inc.AckedBy.Origin != timeline.Page {
			t.Errorf("the incident is %s by %+v, want acknowledged by Kim from a page", inc.State, inc.AckedBy)
		}
		h.expectPages(t, "after the answer", n, "pushover answered", "sms pending in 2m0s")
		h.event(t, people.Pushover, "", notify.Event{RemoteID: "receipt", State: notify.Delivered})
		h.expectPages(t, "what was answered has arrived", n, "pushover answered", "sms pending in 2m0s")
	})
}

func TestRepliesInWords(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.phones(t)
		var numbers []id.Incident
		for i, e := range []string{"disk", "link", "fan"} {
			n := h.open(t, e).ID
			numbers = append(numbers, n)
			h.ask(t, n)
			h.record(t, failed(h.claim(t)[0]))
			h.record(t, accepted(h.claim(t)[0], "first", fmt.Sprintf("SM%d", i)))
		}
		state := func(i int) incident.State { return h.incident(t, numbers[i]).State }
		h.event(t, people.SMS, "first", notify.Event{Answer: &notify.Answer{Action: notify.Acknowledge, From: kimsPhone}})
		if state(2) != incident.Acknowledged || state(1) != incident.Triggered {
			t.Errorf("«ack» alone made them %s, %s, %s; want the latest acknowledged", state(0), state(1), state(2))
		}
		h.event(t, people.SMS, "first", notify.Event{Answer: &notify.Answer{Action: notify.Resolve, From: kimsPhone, Incident: numbers[0]}})
		if state(0) != incident.Resolved || state(1) != incident.Triggered {
			t.Errorf("«resolve %d» made them %s, %s, %s", numbers[0], state(0), state(1), state(2))
		}
		h.event(t, people.SMS, "first", notify.Event{Answer: &notify.Answer{Action: notify.Acknowledge, From: kimsPhone, All: true}})
		if state(1) != incident.Acknowledged {
			t.Errorf("«ack all» left the second %s", state(1))
		}
	})
}

// Two people, two methods, one instant: one has it, the other is told who.
func TestTwoAnswerThroughTwoMethods(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.phones(t)
		n := h.open(t, "disk").ID
		h.ask(t, n)
		h.record(t, failed(h.claim(t)[0]))
		h.record(t, accepted(h.claim(t)[0], "first", "SM1"))
		type answer struct {
			reply string
			err   error
		}
		got := make(chan answer, 2)
		go func() {
			reply, err := h.TakeEvent(t.Context(), people.SMS, "first", notify.Event{Answer: &notify.Answer{Action: notify.Acknowledge, From: kimsPhone, Incident: n}})
			got <- answer{reply, err}
		}()
		go func() {
			_, err := h.other.Acknowledge(t.Context(), people.Actor{User: "lee", Name: "Lee", Role: people.Member, Origin: timeline.Browser}, n)
			got <- answer{"", err}
		}()
		conflicts := 0
		for range 2 {
			a := <-got
			if fault.Is(a.err, fault.CodeConflict) {
				conflicts++
			} else if a.err != nil {
				t.Errorf("an answer failed: %v", a.err)
			}
		}
		by := h.incident(t, n).AckedBy.User
		if conflicts != 1 || by != "kim" && by != "lee" {
			t.Errorf("%s has it and %d were refused", by, conflicts)
		}
	})
}

// With everybody's acknowledgement wanted, who has acknowledged is paged no more.
func TestWantedWhenAllMustAcknowledge(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		o, err := h.store.Org(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range o.Policies {
			p.AckBy = escalation.AckByAll
			p.Steps[0].Targets = []escalation.Target{{User: "kim"}, {User: "lee"}}
			h.change(t, org.Put(p))
		}
		n := h.open(t, "disk").ID
		if _, err := h.Acknowledge(t.Context(), people.Actor{User: "kim", Name: "Kim", Role: people.Member, Origin: timeline.API}, n); err != nil {
			t.Fatal(err)
		}
		inc := h.incident(t, n)
		page := func(u id.User) store.Delivery { return store.Delivery{Kind: store.StepPage, Person: u} }
		if inc.State != incident.Triggered || Wanted(inc, page("kim")) || !Wanted(inc, page("lee")) {
			t.Errorf("after Kim's acknowledgement it is %s and pages to Kim, Lee are wanted: %v, %v", inc.State, Wanted(inc, page("kim")), Wanted(inc, page("lee")))
		}
	})
}
