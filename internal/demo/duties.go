package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/heartbeat"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/maintenance"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

// Drill has the platform team paged as a drill, which its members answer unless
// they are slow to do so. It ends by itself; settle sends its pages.
func (h *House) Drill(ctx context.Context, now time.Time, set func(time.Time), settle func(context.Context) error) error {
	set(now)
	made, err := h.dispatch.PlanDrill(ctx, actor(staff[0]), org.Drill{Team: "demo-platform", Note: "Fire drill of the month"})
	if err != nil {
		return fmt.Errorf("begin the drill: %w", err)
	}
	if err := settle(ctx); err != nil {
		return err
	}
	pages, err := h.store.DrillDeliveries(ctx, made.ID)
	if err != nil {
		return err
	}
	for i, p := range pages {
		if i == len(pages)-1 { // the last one does not hear it
			break
		}
		set(now.Add(time.Duration(25+70*i) * time.Second))
		if _, _, err := h.dispatch.AnswerDrill(ctx, h.dispatch.PageToken(p)); err != nil {
			return fmt.Errorf("answer the drill: %w", err)
		}
	}
	set(made.Until)
	_, err = h.dispatch.KeepDrills(ctx)
	return err
}

// Arrange has colleagues plan the days to come: duties that change hands, leave,
// work that is announced, jobs that must call in. What they say afterwards is new to the administrator.
func (h *House) Arrange(ctx context.Context, now time.Time) error {
	o, err := h.store.Org(ctx)
	if err != nil {
		return err
	}
	for _, arrange := range []func(context.Context, *org.Org, time.Time) error{
		h.planAhead, h.takeNow, h.askToSwap, h.announce, h.expectCalls,
	} {
		if err := arrange(ctx, o, now); err != nil {
			return fmt.Errorf("arrange the days to come: %w", err)
		}
	}
	h.stage = nil
	for _, s := range recent {
		h.begin(s, 0, people.Actor{})
	}
	return h.read(ctx)
}

// planAhead plans that a colleague has a part of the next duty in payments, and
// that whoever has the one after it is away.
func (h *House) planAhead(ctx context.Context, o *org.Org, now time.Time) error {
	next := o.Upcoming(paymentsRota, now, 2)
	if len(next) < 2 {
		return nil
	}
	begin := next[0].Start.Add(6 * time.Hour)
	instead := next[1].User // whom the day between suits better
	if _, err := h.dispatch.AddOverride(ctx, h.who(instead), oncall.Override{
		Rotation: paymentsRota, User: instead, For: next[0].User, Start: begin, End: begin.Add(8 * time.Hour), Note: "Exam in the afternoon",
	}); err != nil {
		return err
	}
	_, err := h.dispatch.AddAbsence(ctx, h.who(next[1].User), oncall.Absence{
		User: next[1].User, Start: next[1].Start.Add(12 * time.Hour), End: next[1].Start.Add(36 * time.Hour), Note: "Public holiday",
	})
	return err
}

// takeNow has a colleague take over search for some hours.
func (h *House) takeNow(ctx context.Context, o *org.Org, now time.Time) error {
	on := o.OnCall(searchRota, now)
	if len(on) == 0 {
		return nil
	}
	taker := userID("priya")
	if on[0].User == taker {
		taker = userID("mei")
	}
	_, err := h.dispatch.TakeOnCall(ctx, h.who(taker), dispatch.Take{
		Rotation: searchRota, From: on[0].User, Until: now.Add(3 * time.Hour).Truncate(15 * time.Minute), Note: "On the train until then",
	})
	return err
}

// askToSwap has a colleague ask the administrator to exchange two duties.
func (h *House) askToSwap(ctx context.Context, o *org.Org, now time.Time) error {
	ada := userID(Admin)
	coming := slices.DeleteFunc(o.Schedule(platformRota).Between(now.AddDate(0, 0, 1), now.AddDate(0, 0, 20)), func(s oncall.Shift) bool {
		return s.Start.Before(now.AddDate(0, 0, 1)) || s.End.IsZero() || s.End.Sub(s.Start) > 16*time.Hour // a night or a day
	})
	theirs := slices.IndexFunc(coming, func(s oncall.Shift) bool { return s.User != ada })
	if theirs < 0 {
		return nil
	}
	give := coming[theirs]
	hers := slices.IndexFunc(coming, func(s oncall.Shift) bool { return s.User == ada && !s.Start.Before(give.End) })
	if hers < 0 {
		return nil
	}
	_, err := h.dispatch.AskSwap(ctx, h.who(give.User), oncall.Swap{
		Rotation: platformRota, From: give.User, To: ada, Start: give.Start, End: give.End,
		Return: &oncall.SwapReturn{Start: coming[hers].Start, End: coming[hers].End}, Note: "School concert, can you take this one?",
	})
	return err
}

// announce plans work on the disks of tomorrow night, and a drill after it.
func (h *House) announce(ctx context.Context, _ *org.Org, now time.Time) error {
	tomorrow := now.Truncate(24*time.Hour).AddDate(0, 0, 1)
	if _, err := h.dispatch.StartMaintenance(ctx, actor(staff[0]), maintenance.Window{
		Name: "New disks for db01 and db02", Entities: []string{"disk/db0?"}, Teams: []id.Team{"demo-platform"},
		Start: tomorrow.Add(21 * time.Hour), End: tomorrow.Add(22*time.Hour + 30*time.Minute), Note: "One after the other; reads go on.",
	}); err != nil {
		return err
	}
	_, err := h.dispatch.PlanDrill(ctx, actor(staff[2]), org.Drill{Team: "demo-payments", At: tomorrow.Add(38 * time.Hour), Note: "Drill of the payments team"})
	return err
}

// beatEvery is how often the job calls in that the play keeps alive.
const beatEvery = 30 * time.Second

// expectCalls sets two jobs up that must call in: one does, the other has time.
func (h *House) expectCalls(ctx context.Context, _ *org.Org, now time.Time) error {
	key, _, err := h.dispatch.NewHeartbeat(ctx, actor(staff[0]), heartbeat.Heartbeat{
		Name: "Settlement worker", Slug: "settlement-worker", Team: "demo-payments", RoutingKey: "payments",
		Every: escalation.Duration(2 * time.Minute), Grace: escalation.Duration(5 * time.Minute),
	})
	if err != nil {
		return err
	}
	h.job = key
	if err := h.beat(ctx, now); err != nil {
		return err
	}
	_, _, err = h.dispatch.NewHeartbeat(ctx, actor(staff[0]), heartbeat.Heartbeat{
		Name: "Weekly restore test", Slug: "restore-test", Team: "demo-platform", RoutingKey: "database",
		Cron: "30 4 * * 1", Zone: "Europe/Berlin", Grace: escalation.Duration(12 * time.Hour),
	})
	return err
}

// beat calls in for the job, unless it has done so just now.
func (h *House) beat(ctx context.Context, now time.Time) error {
	if h.job == "" || now.Sub(h.beaten) < beatEvery {
		return nil
	}
	h.beaten = now
	_, err := h.dispatch.Beat(ctx, h.job)
	return err
}

// who is a colleague as the one who does something.
func (h *House) who(u id.User) people.Actor {
	for _, p := range staff {
		if userID(p.username) == u {
			return actor(p)
		}
	}
	return actor(staff[0])
}

// carriers are accounts as an administrator would set them up. They are off:
// nothing leaves the demo.
func carriers(seal func(plain string) string) []org.Provider {
	return []org.Provider{
		{
			ID: "demo-twilio", Kind: org.Twilio, Name: "Twilio (switched off in the demo)", Order: 1, Off: true,
			Settings: map[string]string{"account_sid": "AC00000000000000000000000000000000", "from": "+15005550006"},
			Secrets:  map[string]string{"auth_token": seal("00000000000000000000000000000000")},
		},
		{
			ID: "demo-gateway", Kind: org.Gateway, Name: "Second way for texts (switched off in the demo)", Order: 2, Off: true,
			Settings: map[string]string{"format": "json"},
			Secrets: map[string]string{
				"url": seal("http://127.0.0.1:9/send"), "template": seal(`{"to": "{to}", "text": "{text}"}`),
			},
		},
	}
}
