package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/notify/twilio/twiliotest"
	"github.com/watchroom/watchroom/internal/notify/vonage/vonagetest"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// vendors carries requests to fake systems in the same process, by host.
type vendors map[string]http.Handler

func (v vendors) RoundTrip(r *http.Request) (*http.Response, error) {
	h, ok := v[r.URL.Host]
	if !ok {
		return nil, fmt.Errorf("nobody is at %s", r.URL.Host)
	}
	rec := httptest.NewRecorder()
	inner := r.Clone(r.Context())
	inner.RequestURI, inner.RemoteAddr = r.URL.RequestURI(), "192.0.2.1:1234"
	if inner.Body == nil {
		inner.Body = http.NoBody
	}
	h.ServeHTTP(rec, inner)
	return rec.Result(), nil
}

const kimsNumber = "+493012345678"

// phones gives Kim a telephone: a message at once, a call after five minutes.
func (w *world) phones() {
	w.Helper()
	box := w.app.box
	o, err := w.app.Store.Org(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	kim := o.Users["kim"]
	kim.Contacts = append(kim.Contacts,
		people.Contact{ID: "sms", Method: people.SMS, Address: kimsNumber, VerifiedAt: time.Now()},
		people.Contact{ID: "voice", Method: people.Voice, Address: kimsNumber, VerifiedAt: time.Now()})
	kim.Paging = &people.PagingPolicy{Rules: []people.PagingRule{{Name: "Always", Steps: []people.PagingStep{
		{Contacts: []id.Contact{"sms"}}, {After: people.Duration(4 * time.Minute), Contacts: []id.Contact{"voice"}},
	}}}}
	w.change(org.Put(kim),
		org.Put(org.Provider{ID: "twilio", Kind: org.Twilio, Name: "Twilio", Order: 1,
			Settings: map[string]string{"account_sid": twiliotest.AccountSID, "from": twiliotest.Number},
			Secrets:  map[string]string{"auth_token": box.Seal(twiliotest.AuthToken)}}),
		org.Put(org.Provider{ID: "vonage", Kind: org.Vonage, Name: "Vonage", Order: 2,
			Settings: map[string]string{"api_key": vonagetest.APIKey, "from": vonagetest.Number},
			Secrets:  map[string]string{"api_secret": box.Seal(vonagetest.APISecret)}}))
}

func telephony(t *testing.T) (*twiliotest.Server, *vonagetest.Server, *http.Client) {
	tw, vo := twiliotest.New(t), vonagetest.New(t)
	return tw, vo, &http.Client{Transport: vendors{"api.twilio.com": tw, "rest.nexmo.com": vo}}
}

func (w *world) states(n id.Incident) []string {
	w.Helper()
	all, err := w.app.Store.Deliveries(w.Context(), n)
	if err != nil {
		w.Fatal(err)
	}
	lines := []string{}
	for _, d := range all {
		lines = append(lines, string(d.Person)+" "+d.Body.Method+" "+string(d.State))
	}
	return lines
}

func (w *world) wantStates(when string, n id.Incident, want ...string) {
	w.Helper()
	if diff := cmp.Diff(want, w.states(n)); diff != "" {
		w.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

func TestTheMessageArrivesAndThenTheCallComes(t *testing.T) {
	tw, _, client := telephony(t)
	storyOver(t, client, func(w *world) {
		w.phones()
		w.post("CRITICAL", "disk/db01", "93% full")
		if sent := tw.Messages(); len(sent) != 1 || sent[0].To != kimsNumber || !strings.Contains(sent[0].Body, "1") {
			w.Fatalf("the messages are %+v, want one to Kim about #1", sent)
		}
		tw.SetStatus(tw.Messages()[0].SID, "delivered", 0)
		w.later(10 * time.Second)
		w.wantStates("the message is known to have arrived", 1, "kim sms delivered", "kim voice pending")
		w.later(4 * time.Minute)
		if calls := tw.Calls(); len(calls) != 1 {
			w.Fatalf("%d calls after four minutes, want 1", len(calls))
		}
		if len(w.mailTo("kim")) > 0 {
			w.Error("Kim got mail, which no rule of hers names, although her telephone works")
		}
	})
}

func TestAnotherProviderTakesOver(t *testing.T) {
	tw, vo, client := telephony(t)
	storyOver(t, client, func(w *world) {
		w.phones()
		w.post("CRITICAL", "disk/db01")
		tw.SetStatus(tw.Messages()[0].SID, "undelivered", 30003)
		w.later(10 * time.Second)
		if n := len(vo.Sent()); n != 1 {
			w.Fatalf("the second provider got %d messages, want 1", n)
		}
		w.post("CRITICAL", "disk/db02")
		w.later(70 * time.Second) // and no word from Twilio
		if n := len(vo.Sent()); n != 2 {
			w.Errorf("the second provider got %d messages after the deadline, want 2", n)
		}
	})
}

func TestARefusedNumberLeadsToTheNextMethod(t *testing.T) {
	tw, vo, client := telephony(t)
	storyOver(t, client, func(w *world) {
		w.phones()
		tw.RefuseNumber(kimsNumber, 21610) // opted out; Twilio will not call either
		vo.Refuse("7")
		w.post("CRITICAL", "disk/db01")
		w.later(5 * time.Second)
		if len(w.mailTo("kim")) != 1 {
			w.Errorf("Kim got %d mails, want one: nothing that she chose works", len(w.mailTo("kim")))
		}
		w.wantStates("each method was tried", 1, "kim sms failed", "kim voice failed", "kim email sent")
		moved := 0
		for _, e := range w.entries() {
			if e.Kind == timeline.PageMovedOn {
				moved++
			}
		}
		if moved != 2 {
			w.Errorf("the timeline says %d times that the next method is used, want 2", moved)
		}
	})
}

func TestAcknowledgedBeforeTheCall(t *testing.T) {
	tw, _, client := telephony(t)
	storyOver(t, client, func(w *world) {
		w.phones()
		w.post("CRITICAL", "disk/db01")
		w.later(time.Minute / 2)
		if _, err := w.app.Dispatch.Acknowledge(w.Context(), people.Actor{User: "noor", Name: "Noor", Role: people.Member, Origin: timeline.Browser}, 1); err != nil {
			w.Fatal(err)
		}
		w.later(10 * time.Minute)
		if n := len(tw.Calls()); n != 0 {
			w.Errorf("%d calls after the acknowledgement, want none", n)
		}
	})
}

// The bot says in a room what a step tells it, once; nobody is called by what a
// sender wrote. Where it cannot, the timeline says so, and the people are paged.
func TestAStepTellsRooms(t *testing.T) {
	story(t, func(w *world) {
		ops, err := w.app.Dispatch.OpenRoom(w.Context(), w.as("kim"), room.Room{Kind: room.Private, Slug: "ops", Members: []id.User{"noor"}})
		if err != nil {
			w.Fatal(err)
		}
		shut, err := w.app.Dispatch.OpenRoom(w.Context(), w.as("ada"), room.Room{Kind: room.Public, Slug: "shut"})
		if err != nil {
			w.Fatal(err)
		}
		if err := w.app.Dispatch.CloseRoom(w.Context(), w.as("ada"), shut.ID, true); err != nil {
			w.Fatal(err)
		}
		o, err := w.app.Store.Org(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		p := o.Policies["database"]
		p.Steps = slices.Clone(p.Steps) // the organisation is everybody's
		for _, name := range []string{"#" + ops.Slug, "timeline", ops.Slug, "shut", "nowhere", string(room.DirectOf("ada", "noor"))} {
			p.Steps[0].Targets = append(p.Steps[0].Targets, escalation.Target{Room: name})
		}
		w.change(org.Put(p))
		w.post("CRITICAL", "disk/`db01` @noor")
		w.wantMails(map[string]int{"kim": 1})
		said := map[id.Room][]string{}
		for _, r := range []id.Room{ops.ID, shut.ID, room.Main, room.DirectOf("ada", "noor")} {
			for _, m := range w.heard(r) {
				said[r] = append(said[r], m.Text)
			}
		}
		needs := "#1 needs somebody: `disk/'db01' @noor` (escalation policy Database)."
		missed := "#1 should have been told in the room %s, which is not there or is closed (escalation policy Database)."
		want := map[id.Room][]string{
			ops.ID: {needs}, room.Main: {needs, fmt.Sprintf(missed, "shut"), fmt.Sprintf(missed, "nowhere"), fmt.Sprintf(missed, room.DirectOf("ada", "noor"))},
		}
		if diff := cmp.Diff(want, said); diff != "" {
			w.Errorf("the bot said (-want +got):\n%s", diff)
		}
		if m := w.heard(ops.ID)[0]; len(m.Mentions) > 0 || m.Everybody {
			w.Errorf("the bot called %v", m.Mentions)
		}
	})
}

// A step tells addresses, and pages a person beside them.
func TestAStepTells(t *testing.T) {
	story(t, func(w *world) {
		o, err := w.app.Store.Org(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		p := o.Policies["database"]
		p.Steps = slices.Clone(p.Steps) // the organisation is everybody's
		p.Steps[0].Targets = append(p.Steps[0].Targets, escalation.Target{Email: "desk@example.org"})
		w.change(org.Put(p))
		w.post("CRITICAL", "disk/db01")
		w.wantMails(map[string]int{"kim": 1})
		desk := 0
		for _, m := range w.mail.Messages() {
			if m.IsTo("desk@example.org") {
				desk++
			}
		}
		if desk != 1 {
			w.Errorf("the desk got %d mails", desk)
		}
		w.later(6 * time.Minute)
		if inc := w.incident(1); inc.State != incident.Triggered || inc.Step.Step != 1 {
			w.Errorf("the incident is %s at step %d: what is told cannot acknowledge", inc.State, inc.Step.Step)
		}
	})
}

func TestRoundRobin(t *testing.T) {
	story(t, func(w *world) {
		o, err := w.app.Store.Org(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		p := o.Policies["database"]
		p.Steps = []escalation.Step{{Notify: escalation.RoundRobin, Targets: []escalation.Target{{User: "kim"}, {User: "noor"}, {User: "ada"}}}}
		w.change(org.Put(p))
		for i := range 6 {
			w.post("CRITICAL", fmt.Sprintf("disk/db%02d", i))
		}
		w.wantMails(map[string]int{"kim": 2, "noor": 2, "ada": 2})
	})
}

// More than three at once: the fourth says that it waits, and nothing is dropped.
func TestTheTimelineSaysThatPagesAreHeld(t *testing.T) {
	story(t, func(w *world) {
		for i := range 7 {
			w.post("CRITICAL", fmt.Sprintf("disk/db%02d", i))
		}
		w.wantMails(map[string]int{"kim": 3})
		held := 0
		for _, e := range w.entries() {
			if e.Kind == timeline.PageHeld {
				held++
			}
		}
		if held != 1 {
			w.Errorf("the timeline says %d times that pages wait, want once for the digest", held)
		}
		w.later(6 * time.Second)
		w.wantMails(map[string]int{"kim": 4})
		for n := range id.Incident(7) {
			if got := w.states(n + 1); len(got) != 1 || got[0] != "kim email "+string(store.Sent) {
				w.Errorf("the pages of #%d are %v, want one that was sent", n+1, got)
			}
		}
	})
}
