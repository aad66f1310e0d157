package dispatch

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// crew gives the team two people, of whom Kim has two methods that count and one that does not.
func (h *house) crew(t *testing.T) {
	t.Helper()
	at := h.clock.read()
	h.change(t, org.Put(people.Team{ID: "dba", Slug: "dba", Name: "Databases", Members: []id.User{"kim", "lee", "ann", "max"}}),
		org.Put(people.User{ID: "kim", Username: "kim", Name: "Kim", Email: "kim@example.org", Role: people.Member, Zone: "UTC", Contacts: []people.Contact{
			{ID: "c-kim", Method: people.Email, Address: "kim@example.org"},
			{ID: "c-kim-sms", Method: people.SMS, Address: "+49301234567", VerifiedAt: at.Add(-100 * 24 * time.Hour)},
			{ID: "c-kim-voice", Method: people.Voice, Address: "+49301234567"},
		}}))
}

func (h *house) drillPages(t *testing.T, dr org.Drill) []store.Delivery {
	t.Helper()
	pages, err := h.store.DrillDeliveries(t.Context(), dr.ID)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func TestDrill(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.crew(t)
		at := h.head(t).Seq
		dr, err := h.PlanDrill(t.Context(), kim(), org.Drill{Team: "dba", Note: "Friday"})
		if err != nil {
			t.Fatal(err)
		}
		told := h.entries(t, storeAfter(at))
		want := timeline.Drill{Drill: string(dr.ID), Name: "Friday", Users: []id.User{"kim", "lee"}, Names: []string{"Kim", "Lee"}}
		if len(told) != 1 || told[0].Team != "dba" {
			t.Fatalf("entries: %+v", told)
		}
		if diff := cmp.Diff(want, told[0].Payload); diff != "" {
			t.Errorf("the entry (-want +got):\n%s", diff)
		}
		pages := h.drillPages(t, dr)
		var to []id.Contact
		for _, p := range pages {
			to = append(to, p.Contact)
			if p.Kind != store.DrillPage || p.Body.Drill != dr.ID || !p.ExpiresAt.Equal(dr.Until) || p.State != store.Pending {
				t.Errorf("page %+v", p)
			}
		}
		if diff := cmp.Diff([]id.Contact{"c-kim", "c-kim-sms", "c-lee"}, to); diff != "" {
			t.Fatalf("paged (-want +got):\n%s", diff)
		}

		sms := pages[1]
		sent := dr.Started.Add(2 * time.Second)
		sms.State, sms.Body.Life = store.Delivered, []store.Moment{{State: store.Accepted, At: sent}, {State: store.Delivered, At: dr.Started.Add(5 * time.Second)}}
		if err := h.store.Do(t.Context(), func(tx *store.Tx) error { tx.PutDelivery(sms); return nil }); err != nil {
			t.Fatal(err)
		}
		h.clock.pass(40 * time.Second)
		token := h.PageToken(sms)
		for range 2 { // the first answer counts
			if _, found, err := h.AnswerDrill(t.Context(), token); err != nil || found.ID != dr.ID {
				t.Fatalf("AnswerDrill() = %+v, %v", found, err)
			}
			h.clock.pass(time.Minute)
		}
		h.clock.pass(15 * time.Minute)
		at = h.head(t).Seq
		h.keep(t)
		over := h.entries(t, storeAfter(at))
		if len(over) != 1 {
			t.Fatalf("entries at the end: %+v", over)
		}
		if diff := cmp.Diff(timeline.DrillOver{Drill: string(dr.ID), Name: "Friday", Answered: 1, Asked: 2}, over[0].Payload); diff != "" {
			t.Errorf("the end (-want +got):\n%s", diff)
		}
		results, err := h.DrillResults(t.Context(), dr)
		if err != nil {
			t.Fatal(err)
		}
		expect := []DrillResult{
			{User: "kim", Name: "Kim", Method: people.Email, Shown: "kim@example.org", State: store.Cancelled, Arrived: notYet, Answered: notYet},
			{User: "kim", Name: "Kim", Method: people.SMS, Shown: "+49301234567", State: store.Answered, SentAt: sent, Arrived: 5 * time.Second, Answered: 40 * time.Second},
			{User: "lee", Name: "Lee", Method: people.Email, Shown: "lee@example.org", State: store.Cancelled, Arrived: notYet, Answered: notYet},
		}
		if diff := cmp.Diff(expect, results); diff != "" {
			t.Errorf("results (-want +got):\n%s", diff)
		}
		if err := h.EndDrill(t.Context(), kim(), dr.ID); !fault.Is(err, fault.CodeConflict) {
			t.Errorf("ending twice = %v", err)
		}
	})
}

func TestUnproven(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.crew(t)
		list := func() map[id.Contact]bool {
			found, err := h.UnprovenContacts(t.Context(), "dba")
			if err != nil {
				t.Fatal(err)
			}
			all := map[id.Contact]bool{}
			for _, u := range found {
				all[u.Contact.ID] = true
			}
			return all
		}
		if diff := cmp.Diff(map[id.Contact]bool{"c-kim": true, "c-kim-sms": true, "c-lee": true}, list()); diff != "" {
			t.Fatalf("before any drill (-want +got):\n%s", diff)
		}
		dr, err := h.PlanDrill(t.Context(), ada(), org.Drill{Team: "dba"})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range h.drillPages(t, dr)[1:] {
			if _, _, err := h.AnswerDrill(t.Context(), h.PageToken(p)); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(map[id.Contact]bool{"c-kim": true}, list()); diff != "" {
			t.Errorf("after two answers (-want +got):\n%s", diff)
		}
		h.clock.pass(ProofLasts)
		if got := list(); len(got) != 3 {
			t.Errorf("90 days later: %v, want all three", got)
		}
		h.keep(t)
	})
}

func TestDrillsArePlannedAndTakenBack(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.crew(t)
		now := h.clock.read()
		dr, err := h.PlanDrill(t.Context(), ada(), org.Drill{Team: "dba", At: now.Add(time.Hour)})
		if err != nil || !dr.Started.IsZero() || !dr.Until.Equal(now.Add(time.Hour+DrillLasts)) {
			t.Fatalf("PlanDrill() = %+v, %v", dr, err)
		}
		gone, err := h.PlanDrill(t.Context(), ada(), org.Drill{Team: "dba", At: now.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.EndDrill(t.Context(), ada(), gone.ID); err != nil {
			t.Fatal(err)
		}
		h.keep(t)
		if n := len(h.drillPages(t, dr)); n != 0 {
			t.Fatalf("%d pages before the time", n)
		}
		h.clock.pass(time.Hour)
		h.keep(t)
		h.keep(t)
		if n := len(h.drillPages(t, dr)); n != 3 {
			t.Errorf("%d pages, want 3", n)
		}
		if n := len(h.drillPages(t, gone)); n != 0 {
			t.Errorf("%d pages of what was taken back", n)
		}
		if err := h.EndDrill(t.Context(), kim(), dr.ID); err != nil {
			t.Errorf("a member of the team ends it: %v", err)
		}
		for _, p := range h.drillPages(t, dr) {
			if p.State != store.Cancelled {
				t.Errorf("page %d is %s after the end", p.ID, p.State)
			}
		}
	})
}

func TestDrillsRefuse(t *testing.T) {
	h := newHouse(t, "sqlite")
	h.crew(t)
	dr, err := h.PlanDrill(t.Context(), ada(), org.Drill{Team: "dba"})
	if err != nil {
		t.Fatal(err)
	}
	page := h.drillPages(t, dr)[0]
	h.change(t, org.Put(people.Team{ID: "none", Slug: "none", Name: "Nobody", Members: []id.User{"ann", "kim"}}), org.Put(people.Team{ID: "quiet", Slug: "quiet", Name: "Quiet", Members: []id.User{"ann"}}))
	for name, tc := range map[string]struct {
		by   people.Actor
		team id.Team
		want fault.Code
	}{
		"not in the team":   {actor("obi", "Obi", people.Observer), "dba", fault.CodeForbidden},
		"a member outside":  {lee(), "none", fault.CodeForbidden},
		"no such team":      {ada(), "nowhere", fault.CodeInvalid},
		"nobody to be told": {ada(), "quiet", fault.CodeInvalid},
	} {
		if _, err := h.PlanDrill(t.Context(), tc.by, org.Drill{Team: tc.team}); !fault.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	good := h.PageToken(page)
	other := page
	other.Key += "x"
	for _, token := range []string{"", "x", "1-", "0-" + good, good + "0", h.PageToken(other), "99999999999999999999-a"} {
		if _, _, err := h.AnswerDrill(t.Context(), token); !fault.Is(err, fault.CodeNotFound) {
			t.Errorf("AnswerDrill(%q) = %v", token, err)
		}
	}
	if _, _, err := h.FindDrillPage(t.Context(), good); err != nil {
		t.Errorf("FindDrillPage() = %v", err)
	}
}
