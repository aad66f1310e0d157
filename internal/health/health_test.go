package health

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// furnish makes an organisation without problems, and lets the followers catch up.
func furnish(t *testing.T, s *store.Store, change func(*people.User, *oncall.Rotation)) {
	t.Helper()
	kim := people.User{
		ID: "kim", Username: "kim", Name: "Kim", Email: "kim@example.org", Role: people.Admin, Zone: "UTC",
		Contacts: []people.Contact{{ID: "c", Method: people.Email, Address: "kim@example.org"}},
	}
	rota := oncall.Rotation{ID: "r", Name: "Primary", Zone: "Europe/Berlin", Layers: []oncall.Layer{
		{Members: nil, Every: 1, Unit: oncall.Weeks, HandoffAt: "09:00", Start: "2026-01-05"},
		{Name: "second", Members: []id.User{"kim"}, Every: 1, Unit: oncall.Weeks, HandoffAt: "09:00", Start: "2026-01-05"},
	}}
	if change != nil {
		change(&kim, &rota)
	}
	policy := escalation.Policy{
		ID: "p", Slug: "p", Name: "P", RepeatAfter: escalation.DefaultRepeatAfter,
		Steps: []escalation.Step{{Targets: []escalation.Target{{User: "kim"}}}},
	}
	err := s.Do(t.Context(), func(tx *store.Tx) error {
		_, err := dispatch.ApplyChanges(tx, people.Operator(), []org.Change{
			org.Put(kim), org.Put(rota), org.Put(policy), org.Put(org.Settings{Name: "X", DefaultPolicy: "p", SnoozeMorningAt: "09:00"}),
		})
		tx.SetCursor("search", 4)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, s *store.Store, now time.Time) Report {
	t.Helper()
	r, err := Check(t.Context(), s, now)
	if err != nil {
		t.Fatalf("Check: %v", err)
	}
	return r
}

func found(r Report) []string {
	all := []string{}
	for _, f := range r.Findings {
		all = append(all, string(f.Area)+": "+f.Object+": "+f.Text)
	}
	return all
}

func clock() storetest.Option { return storetest.Clock(func() time.Time { return noon }) }

func TestNothingIsWrong(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		furnish(t, s, nil)
		r := run(t, s, noon)
		if !r.OK || !r.Ready || len(r.Findings) > 0 {
			t.Errorf("OK = %v, Ready = %v, findings %v", r.OK, r.Ready, found(r))
		}
		if r.Store != s.Engine() || r.Schema < 1 || r.Seq != 4 || r.Org != 1 || len(r.Lag) != 2 {
			t.Errorf("report = %+v", r)
		}
	}, clock())
}

func TestLate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		furnish(t, s, nil)
		err := s.Do(t.Context(), func(tx *store.Tx) error {
			n := tx.NewIncident()
			tx.Save(incident.Decision{Changed: true, Incident: incident.Incident{ID: n, State: incident.Triggered, EntityID: "x", Policy: "p"},
				Timers: []incident.Timer{{Kind: incident.EscalateTimer, Incident: n, DueAt: noon.Add(5 * time.Minute)}}})
			tx.AddDelivery(store.Delivery{Key: "free", Kind: store.NoticeMail, DueAt: noon, ExpiresAt: noon.Add(time.Hour), Person: "kim"})
			tx.AddDelivery(store.Delivery{Key: "held", Kind: store.NoticeMail, DueAt: noon, ExpiresAt: noon.Add(time.Hour), ClaimedBy: "x", ClaimedUntil: noon.Add(2 * time.Minute), Person: "kim"})
			tx.Append(timeline.Entry{Kind: timeline.MessagePosted, Payload: timeline.Message{Text: "hello"}})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		const stuck = ": no server is running, or it is stuck."
		lag := func(by string) string {
			return "search: Follower search: It has not looked at the timeline for " + by + stuck
		}
		for _, c := range []struct {
			name  string
			after time.Duration
			want  []string
		}{
			{"everything is waiting its turn", time.Minute, []string{}},
			{"one delivery is late, the other is held", 90 * time.Second, []string{"machine: Deliveries: 1 delivery is overdue, by 1m30s" + stuck, lag("1m30s")}},
			{"the claim has run out too", 4 * time.Minute, []string{"machine: Deliveries: 2 deliveries are overdue, the first by 4m0s" + stuck, lag("4m0s")}},
			{"the timer is late too", 7 * time.Minute, []string{"machine: Timers: 1 timer is overdue, by 2m0s" + stuck, "machine: Deliveries: 2 deliveries are overdue, the first by 7m0s" + stuck, lag("7m0s")}},
		} {
			r := run(t, s, noon.Add(c.after))
			if diff := cmp.Diff(c.want, found(r)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, diff)
			}
			if wrong := len(c.want) > 0; r.OK == wrong || r.Ready == wrong {
				t.Errorf("%s: OK = %v, Ready = %v", c.name, r.OK, r.Ready)
			}
			if len(r.NextTimers) != 1 || len(r.WaitingDeliveries) != 2 || r.WaitingDeliveries[0].Person != "Kim" || r.Open.Triggered != 1 {
				t.Errorf("%s: report = %+v", c.name, r)
			}
		}
	}, clock())
}

// What a step tells has no person, and is named all the same.
func TestWaitingToBeTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		furnish(t, s, nil)
		err := s.Do(t.Context(), func(tx *store.Tx) error {
			tx.AddDelivery(store.Delivery{
				Key: "x", Kind: store.ToldPage, DueAt: noon, ExpiresAt: noon.Add(time.Hour), Incident: 7, Body: store.DeliveryBody{Method: "email", Address: "noc@example.org"},
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if w := run(t, s, noon).WaitingDeliveries; len(w) != 1 || w[0].Person != "noc@example.org" {
			t.Errorf("waiting are %+v, want what is for noc@example.org", w)
		}
	}, clock())
}

func TestTriedInVain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		furnish(t, s, nil)
		err := s.Do(t.Context(), func(tx *store.Tx) error {
			tx.AddDelivery(store.Delivery{
				Key: "x", Kind: store.NoticeMail, DueAt: noon.Add(2 * time.Minute), ExpiresAt: noon.Add(time.Hour), Attempt: 5,
				Person: "kim", Body: store.DeliveryBody{Detail: "mail server mail.example.org cannot be reached"},
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			after time.Duration
			want  []string
		}{
			{time.Minute, []string{}}, // perhaps a hiccup
			{2 * time.Minute, []string{"organisation: Deliveries: 1 delivery has been tried in vain for 2m0s: mail server mail.example.org cannot be reached."}},
		} {
			r := run(t, s, noon.Add(c.after))
			if diff := cmp.Diff(c.want, found(r)); diff != "" || !r.Ready {
				t.Errorf("after %v: Ready = %v (-want +got):\n%s", c.after, r.Ready, diff)
			}
		}
	}, clock())
}

func TestTheClockWentBackwards(t *testing.T) {
	s := storetest.Open(t, clock())
	furnish(t, s, nil)
	if r := run(t, s, noon.Add(-ClockSlack)); !r.OK {
		t.Errorf("within the slack: %v", found(r))
	}
	r := run(t, s, noon.Add(-time.Hour))
	if len(r.Findings) != 1 || !strings.Contains(r.Findings[0].Text, "1h0m0s behind") || r.Ready {
		t.Errorf("an hour back: %v, Ready = %v", found(r), r.Ready)
	}
}

func TestOrganisation(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*people.User, *oncall.Rotation)
		want   []string
	}{
		{"nobody now", func(_ *people.User, r *oncall.Rotation) { r.Layers = nil }, []string{"organisation: Rotation Primary: Nobody is on call right now."}},
		{"nobody from Friday", func(_ *people.User, r *oncall.Rotation) { r.Layers[1].End = "2026-11-27" }, []string{"organisation: Rotation Primary: Nobody will be on call from Fri 27 Nov 2026 09:00 CET."}},
		{"a gap too far away to mention", func(_ *people.User, r *oncall.Rotation) { r.Layers[1].End = "2027-11-27" }, []string{}},
		{"a gap that another layer fills", func(_ *people.User, r *oncall.Rotation) {
			r.Layers[1].End, r.Layers[0].Members, r.Layers[0].Start = "2026-11-27", []id.User{"kim"}, "2026-11-27"
		}, []string{}},
		{"one person in two layers from Friday", func(_ *people.User, r *oncall.Rotation) {
			r.Layers[0].Members, r.Layers[0].Start = []id.User{"kim"}, "2026-11-27"
		}, []string{"organisation: Rotation Primary: From Fri 27 Nov 2026 09:00 CET Kim is on call in several layers at once."}},
		{"somebody on call without contact", func(u *people.User, _ *oncall.Rotation) { u.Contacts = nil }, []string{
			"organisation: Policy P: It can reach nobody right now.", "organisation: Rotation Primary: Kim has no contact method that is on.",
		}},
		{"somebody else without contact", func(u *people.User, r *oncall.Rotation) { u.Contacts, r.Layers = nil, nil }, []string{
			"organisation: Policy P: It can reach nobody right now.", "organisation: Rotation Primary: Nobody is on call right now.", "organisation: User Kim: There is no contact method that is on.",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := storetest.Open(t, clock())
			furnish(t, s, c.change)
			r := run(t, s, noon)
			if diff := cmp.Diff(c.want, found(r)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !r.Ready || r.OK != (len(c.want) == 0) {
				t.Errorf("OK = %v, Ready = %v", r.OK, r.Ready)
			}
		})
	}
}

func TestStrandedIncident(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		furnish(t, s, nil)
		err := s.Do(t.Context(), func(tx *store.Tx) error {
			for _, policy := range []id.Policy{"p", ""} {
				n := tx.NewIncident()
				tx.Save(incident.Decision{Changed: true, Incident: incident.Incident{ID: n, State: incident.Triggered, EntityID: "of " + string(policy), Policy: policy}})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"organisation: Incident #2: It is triggered and nobody in its policy can be reached: reroute it."}
		if diff := cmp.Diff(want, found(run(t, s, noon))); diff != "" {
			t.Errorf("findings (-want +got):\n%s", diff)
		}
	}, clock())
}
