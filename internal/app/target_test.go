package app

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/notify/hook/hooktest"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

// steps makes the policy "database" what is said, and its rotation one in which
// Kim, Noor and Ada take turns by the week. Kim is on call.
func (w *world) steps(steps ...escalation.Step) {
	w.Helper()
	o, err := w.app.Store.Org(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	p := o.Policies["database"]
	p.Steps = steps
	w.change(org.Put(p), org.Put(oncall.Rotation{ID: "primary", Name: "Primary", Team: "db", Zone: "Europe/Berlin", Layers: []oncall.Layer{
		{Members: []id.User{"kim", "noor", "ada"}, Every: 1, Unit: oncall.Weeks, HandoffAt: "09:00", Start: "1999-12-27"},
	}}))
}

// acknowledged lets somebody answer, and a while pass in which nothing more may come.
func (w *world) acknowledged(by string, n id.Incident) {
	w.Helper()
	if _, err := w.app.Dispatch.Acknowledge(w.Context(), w.as(by), n); err != nil {
		w.Fatal(err)
	}
	w.later(21 * time.Minute)
	w.wantState(n, incident.Acknowledged)
}

func minutes(n int) escalation.Duration { return escalation.Duration(time.Duration(n) * time.Minute) }

func rotationTarget(pick escalation.Pick) []escalation.Target {
	return []escalation.Target{{Rotation: "primary", Pick: pick}}
}

// Everybody who is in the team at that moment, each once; who is disabled is
// nobody, and whoever else stands beside the team is paged, too.
func TestAWholeTeam(t *testing.T) {
	story(t, func(w *world) {
		w.steps(escalation.Step{After: minutes(1), Targets: []escalation.Target{{Team: "db"}, {User: "kim"}, {User: "ada"}}})
		w.post("CRITICAL", "disk/db01")
		o, err := w.app.Store.Org(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		noor, team := o.Users["noor"], o.Teams["db"]
		noor.Disabled = true
		team.Members = []id.User{"kim", "noor", "olga"}
		w.change(org.Put(noor), org.Put(team))
		w.later(time.Minute)
		w.wantMails(map[string]int{"ada": 1, "kim": 1, "olga": 1})
	})
}

// Kim at once, who follows her after five minutes, who was before her after
// ten; an answer before that keeps the last one asleep.
func TestTheNextAndThePreviousPerson(t *testing.T) {
	story(t, func(w *world) {
		w.steps(
			escalation.Step{Targets: rotationTarget(escalation.PickOnCall)},
			escalation.Step{After: minutes(5), Targets: rotationTarget(escalation.PickNext)},
			escalation.Step{After: minutes(5), Targets: rotationTarget(escalation.PickPrevious)},
		)
		w.post("CRITICAL", "disk/db01")
		w.wantMails(map[string]int{"kim": 1})
		w.later(5*time.Minute - time.Second)
		w.wantMails(map[string]int{"kim": 1})
		w.later(2 * time.Second)
		w.wantMails(map[string]int{"kim": 1, "noor": 1})
		w.later(5*time.Minute - 2*time.Second)
		w.wantMails(map[string]int{"kim": 1, "noor": 1})
		w.later(2 * time.Second)
		w.wantMails(map[string]int{"kim": 1, "noor": 1, "ada": 1})
		w.acknowledged("ada", 1)
		w.wantMails(map[string]int{"kim": 1, "noor": 1, "ada": 1})

		w.post("CRITICAL", "disk/db02")
		w.later(6 * time.Minute)
		w.wantMails(map[string]int{"kim": 2, "noor": 2, "ada": 1})
		w.acknowledged("noor", 2)
		w.wantMails(map[string]int{"kim": 2, "noor": 2, "ada": 1})
	})
}

// Whom "next" and "previous" mean is looked up when the step starts: the duty
// passes meanwhile, and an override does not change who follows.
func TestNeighboursAtTheMomentOfTheStep(t *testing.T) {
	story(t, func(w *world) {
		w.steps(
			escalation.Step{Targets: rotationTarget(escalation.PickNext)},
			escalation.Step{After: minutes(10), Targets: rotationTarget(escalation.PickNext)},
		)
		w.change(org.Put(oncall.Rotation{ID: "primary", Name: "Primary", Team: "db", Zone: "Europe/Berlin", Layers: []oncall.Layer{
			{Members: []id.User{"kim", "noor", "ada"}, Every: 1, Unit: oncall.Hours, HandoffAt: "09:00", Start: "1999-12-27"},
		}}))
		w.later(55 * time.Minute) // Noor is on call, and Ada in five minutes
		w.post("CRITICAL", "disk/db01")
		w.wantMails(map[string]int{"ada": 1})
		w.later(10 * time.Minute)
		w.wantMails(map[string]int{"ada": 1, "kim": 1})
		w.acknowledged("kim", 1)

		o, err := w.app.Store.Org(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		on := o.OnCall("primary", time.Now())
		if len(on) != 1 || on[0].User != "ada" {
			w.Fatalf("on call are %+v, want Ada", on)
		}
		if _, err := w.app.Dispatch.TakeOnCall(w.Context(), w.as("kim"), dispatch.Take{Rotation: "primary"}); err != nil {
			w.Fatal(err)
		}
		w.post("CRITICAL", "disk/db02") // Kim has Ada's duty: who follows Ada and is not on duty is Noor
		w.wantMails(map[string]int{"ada": 1, "kim": 1, "noor": 1})
	})
}

// A policy as a target stands for its first step; as the last thing there is it
// takes the incident over, with its own delays.
func TestAnotherPolicy(t *testing.T) {
	story(t, func(w *world) {
		w.change(org.Put(escalation.Policy{ID: "second", Slug: "second", Name: "Second", RepeatAfter: escalation.DefaultRepeatAfter, Steps: []escalation.Step{
			{Targets: []escalation.Target{{User: "noor"}}},
			{After: minutes(3), Targets: []escalation.Target{{User: "ada"}}},
		}}))
		w.steps(
			escalation.Step{Targets: append(rotationTarget(escalation.PickOnCall), escalation.Target{Policy: "second"})},
			escalation.Step{After: minutes(20), Targets: []escalation.Target{{Policy: "second"}}},
		)
		w.post("CRITICAL", "disk/db01")
		w.wantMails(map[string]int{"kim": 1, "noor": 1})
		w.later(20*time.Minute - time.Second) // the delays of "second" do not count beside another target
		w.wantMails(map[string]int{"kim": 1, "noor": 1})
		w.later(2 * time.Second)
		w.wantMails(map[string]int{"kim": 1, "noor": 2})
		if inc := w.incident(1); inc.Policy != "second" {
			w.Errorf("the incident is in policy %s, want it in the one that is its last step", inc.Policy)
		}
		w.later(3 * time.Minute)
		w.wantMails(map[string]int{"kim": 1, "noor": 2, "ada": 1})
		w.acknowledged("ada", 1)
		w.wantMails(map[string]int{"kim": 1, "noor": 2, "ada": 1})
	})
}

// Kim wants warnings in the morning. The escalation does not wait for her: Noor,
// who has no such rule, is asked in her turn.
func TestAWarningWaitsForTheMorning(t *testing.T) {
	story(t, func(w *world) {
		o, err := w.app.Store.Org(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		kim := o.Users["kim"]
		kim.Paging = &people.PagingPolicy{Rules: []people.PagingRule{{
			Name: "Calm", Urgency: people.Low, Wait: people.PagingWait{At: "02:00"}, Steps: []people.PagingStep{{Methods: []people.Method{people.Email}}},
		}}}
		w.change(org.Put(kim))
		w.steps(escalation.Step{Targets: rotationTarget(escalation.PickOnCall)}, escalation.Step{After: minutes(5), Targets: []escalation.Target{{User: "noor"}}})
		w.post("WARNING", "disk/db01") // it is 1:00 in Berlin
		w.post("WARNING", "disk/db02")
		w.post("CRITICAL", "disk/db03")
		w.wantMails(map[string]int{"kim": 1})
		w.wantStates("the warning waits", 1, "kim email pending")
		w.later(6 * time.Minute)
		w.wantMails(map[string]int{"kim": 1, "noor": 3})
		if _, err := w.app.Dispatch.Acknowledge(w.Context(), w.as("noor"), 2); err != nil {
			w.Fatal(err)
		}
		w.later(time.Hour - 6*time.Minute - time.Second)
		w.wantMails(map[string]int{"kim": 1, "noor": 3})
		w.later(2 * time.Second)
		w.wantMails(map[string]int{"kim": 2, "noor": 3})
		w.wantStates("what was acknowledged meanwhile is not sent", 2, "kim email cancelled", "noor email sent")
	})
}

const (
	hookAddress = "https://hooks.example.test/victorops/"
	hookKey     = "k9Qd2Zr7Vb4N"
)

// hooked is a story with a webhook that checks what it gets.
func hooked(t *testing.T, secret string, tell func(w *world, r *hooktest.Receiver)) {
	t.Helper()
	r := hooktest.At(hookAddress, hookKey)
	storyOver(t, &http.Client{Transport: vendors{"hooks.example.test": r}}, func(w *world) {
		w.change(org.Put(org.Provider{ID: "hook", Kind: org.Webhook, Name: "Ticketing", Order: 1, Settings: map[string]string{},
			Secrets: map[string]string{"url": w.app.box.Seal(hookAddress), "signing_key": w.app.box.Seal(secret)}}))
		tell(w, r)
	})
}

// The webhook is told at its minute, once, with a signature that fits, and not
// after an acknowledgement.
func TestASignedWebhook(t *testing.T) {
	hooked(t, hookKey, func(w *world, r *hooktest.Receiver) {
		w.steps(
			escalation.Step{Targets: rotationTarget(escalation.PickOnCall)},
			escalation.Step{After: minutes(5), Targets: []escalation.Target{{Webhook: "Ticketing"}}},
			escalation.Step{After: minutes(5), Targets: []escalation.Target{{User: "noor"}, {Webhook: "Ticketing"}}},
		)
		w.post("CRITICAL", "disk/db01", "93% full")
		w.later(5*time.Minute - time.Second)
		w.wantTold(r, 0)
		w.later(2 * time.Second)
		w.wantTold(r, 1)
		got := map[string]string{}
		for _, name := range []string{"incident", "entity_id", "message_type", "state_message", "routing_key"} {
			got[name] = r.Forms()[0].Get(name)
		}
		want := map[string]string{
			"incident": "1", "entity_id": `"disk/db01"`, "message_type": `"CRITICAL"`, "state_message": `"93% full"`, "routing_key": `"database"`,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			w.Errorf("the webhook was told (-want +got):\n%s", diff)
		}
		w.wantMails(map[string]int{"kim": 1})
		w.later(5 * time.Minute)
		w.wantTold(r, 2)
		w.wantMails(map[string]int{"kim": 1, "noor": 1})
		w.acknowledged("noor", 1)

		w.post("CRITICAL", "disk/db02")
		w.later(4 * time.Minute)
		w.acknowledged("kim", 2)
		w.wantTold(r, 2)
	})
}

func (w *world) wantTold(r *hooktest.Receiver, want int) {
	w.Helper()
	if forms := r.Forms(); len(forms) != want || r.Refused() != 0 {
		w.Fatalf("the webhook was told %d times and refused %d at %s, want %d and none: %v",
			len(forms), r.Refused(), time.Now().UTC().Format(time.TimeOnly), want, forms)
	}
}

// What the receiver refuses is tried again for a while, and a person is paged
// all the same: what is told holds nothing back.
func TestAWebhookThatRefuses(t *testing.T) {
	hooked(t, "another key", func(w *world, r *hooktest.Receiver) {
		w.steps(
			escalation.Step{Targets: []escalation.Target{{Webhook: "Ticketing"}}},
			escalation.Step{After: minutes(5), Targets: rotationTarget(escalation.PickOnCall)},
		)
		w.post("CRITICAL", "disk/db01")
		w.later(5*time.Minute - time.Second)
		w.wantMails(map[string]int{})
		w.later(2 * time.Second)
		w.wantMails(map[string]int{"kim": 1})
		if len(r.Forms()) != 0 || r.Refused() < 2 {
			w.Errorf("accepted were %d, refused %d: want none, and more than one try", len(r.Forms()), r.Refused())
		}
		w.acknowledged("kim", 1)
	})
}

// A webhook that is down for a moment is told when it is back.
func TestAWebhookThatComesBack(t *testing.T) {
	hooked(t, hookKey, func(w *world, r *hooktest.Receiver) {
		w.steps(escalation.Step{Targets: append(rotationTarget(escalation.PickOnCall), escalation.Target{Webhook: "Ticketing"})})
		r.Answer(http.StatusServiceUnavailable)
		w.post("CRITICAL", "disk/db01")
		w.later(3 * time.Second)
		r.Answer(0)
		w.later(time.Minute)
		w.wantTold(r, 1)
		w.wantMails(map[string]int{"kim": 1})
	})
}
