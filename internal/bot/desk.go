package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/heartbeat"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/runner"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Table is what the built-in commands about commands work on; it implements
// builtin.Desk.
type Table struct{ bot *Bot }

// Table returns what the built-in commands about commands work on.
func (b *Bot) Table() *Table { return &Table{b} }

// Job implements builtin.Desk.
func (t *Table) Job(ctx context.Context, r program.Request, ref string) (string, *timeline.Document, error) {
	inv, err := t.bot.desk.Find(ctx, r.Actor, ref)
	if err != nil {
		return "", nil, err
	}
	o, err := t.bot.store.Org(ctx)
	if err != nil {
		return "", nil, err
	}
	if !sayable(o, r, inv) {
		return "", nil, fault.Forbidden(phrase.T("bot.job.elsewhere", inv.Number))
	}
	fields := []timeline.Field{
		{Name: phrase.T("bot.job.state"), Value: stateWords(inv)},
		{Name: phrase.T("bot.job.by"), Value: inv.By.Name},
		{Name: phrase.T("bot.job.asked"), Value: clock(r, inv.AskedAt)},
	}
	add := func(key, value string) {
		if value != "" {
			fields = append(fields, timeline.Field{Name: phrase.T("bot.job." + key), Value: value})
		}
	}
	add("started", clock(r, inv.StartedAt))
	add("due", dueWords(r, inv))
	if !inv.EndedAt.IsZero() && !inv.StartedAt.IsZero() {
		add("took", inv.EndedAt.Sub(inv.StartedAt).Round(time.Millisecond).String())
	}
	add("rule", inv.Rule)
	add("why", inv.Why)
	add("host", inv.Host)
	var approved []string
	for _, a := range inv.Approvals {
		approved = append(approved, a.By.Name)
	}
	add("approved", strings.Join(approved, ", "))
	intro := phrase.T("bot.job.intro", inv.Number, inv.Line)
	var text strings.Builder
	text.WriteString(intro)
	for _, f := range fields {
		text.WriteString("\n- " + f.Name + ": " + f.Value)
	}
	doc := &timeline.Document{Status: statusOf(inv), Head: phrase.Capital(stateWords(inv)), Blocks: []timeline.Block{{Text: intro}, {Fields: fields}}}
	if inv.Output != "" {
		text.WriteString("\n```\n" + inv.Output + "\n```")
		doc.Blocks = append(doc.Blocks, timeline.Block{Code: &timeline.Code{Text: inv.Output}})
	}
	return text.String(), doc, nil
}

// Jobs implements builtin.Desk.
func (t *Table) Jobs(ctx context.Context, r program.Request) (string, *timeline.Document, error) {
	o, err := t.bot.store.Org(ctx)
	if err != nil {
		return "", nil, err
	}
	var rooms []id.Room
	for _, in := range o.ReadableRooms(r.Actor.User) {
		rooms = append(rooms, in.ID)
	}
	found, err := t.bot.store.Invocations(ctx, store.InvocationFilter{Rooms: rooms, Or: r.Actor.User, Limit: 15})
	if err != nil {
		return "", nil, err
	}
	found = slices.DeleteFunc(found, func(inv invocation.Invocation) bool { return inv.Private && inv.By.User != r.Actor.User })
	return listed(o, r, phrase.T("bot.jobs.intro"), phrase.T("bot.jobs.none"), found)
}

// Pending implements builtin.Desk.
func (t *Table) Pending(ctx context.Context, r program.Request) (string, *timeline.Document, error) {
	found, err := t.bot.desk.Pending(ctx, r.Actor)
	if err != nil {
		return "", nil, err
	}
	o, err := t.bot.store.Org(ctx)
	if err != nil {
		return "", nil, err
	}
	return listed(o, r, phrase.T("bot.pending.intro"), phrase.T("bot.pending.none"), found)
}

// sayable reports whether everybody who reads the answer to r may see a
// command: what was asked in a private room is not told in another.
func sayable(o *org.Org, r program.Request, inv invocation.Invocation) bool {
	if r.Private || r.Room == room.DirectOf(r.Actor.User, room.Bot) {
		return true // who asks may see it, or it would not have been found
	}
	here, ok := o.Room(r.Room)
	from, known := o.Room(inv.Room)
	return ok && known && !inv.Private && from.OpenTo(here)
}

// listed is a table of commands, without the words of those that are not for
// everybody who reads it.
func listed(o *org.Org, r program.Request, intro, none string, found []invocation.Invocation) (string, *timeline.Document, error) {
	if len(found) == 0 {
		return none, nil, nil
	}
	table := &timeline.Table{Head: []string{phrase.T("bot.head.job"), phrase.T("bot.head.line"), phrase.T("bot.head.by"), phrase.T("bot.head.state"), phrase.T("bot.head.when")}}
	var text strings.Builder
	text.WriteString(intro)
	for _, inv := range found {
		name := fmt.Sprint(inv.Number)
		if inv.Short != "" {
			name += " " + inv.Short
		}
		line := inv.Line
		if !sayable(o, r, inv) {
			line = phrase.T("bot.jobs.elsewhere")
		}
		row := []string{name, line, inv.By.Name, stateWords(inv), clock(r, inv.AskedAt)}
		table.Rows = append(table.Rows, row)
		text.WriteString("\n- " + strings.Join(row, " · "))
	}
	return text.String(), &timeline.Document{Blocks: []timeline.Block{{Text: intro}, {Table: table}}}, nil
}

// Cancel implements builtin.Desk.
func (t *Table) Cancel(ctx context.Context, r program.Request, ref string) (string, error) {
	inv, err := t.bot.desk.Cancel(ctx, r.Actor, ref)
	return phrase.T("bot.done.cancel", inv.Number, inv.Line), err
}

// Again implements builtin.Desk.
func (t *Table) Again(ctx context.Context, r program.Request, ref string) (string, error) {
	ask := runner.Ask{Actor: r.Actor, Username: r.Username, Room: r.Room, RoomName: r.RoomName, Thread: r.Thread, Message: r.Message}
	inv, err := t.bot.desk.Again(ctx, ask, ref)
	return phrase.T("bot.done.again", inv.Line, inv.Number), err
}

// Approve implements builtin.Desk.
func (t *Table) Approve(ctx context.Context, r program.Request, short string) (string, error) {
	inv, err := t.bot.desk.Approve(ctx, r.Actor, short)
	return phrase.T("bot.done.approve", inv.Line), err
}

// Deny implements builtin.Desk.
func (t *Table) Deny(ctx context.Context, r program.Request, short, reason string) (string, error) {
	inv, err := t.bot.desk.Deny(ctx, r.Actor, short, reason)
	return phrase.T("bot.done.deny", inv.Line), err
}

// Lock implements builtin.Desk.
func (t *Table) Lock(ctx context.Context, r program.Request, name, reason string, until time.Time) error {
	_, err := t.bot.desk.Lock(ctx, r.Actor, name, reason, r.Room, until)
	return err
}

// Unlock implements builtin.Desk.
func (t *Table) Unlock(ctx context.Context, r program.Request, name string) error {
	_, err := t.bot.desk.Unlock(ctx, r.Actor, name)
	return err
}

// Locks implements builtin.Desk.
func (t *Table) Locks(ctx context.Context, r program.Request) (string, *timeline.Document, error) {
	locks, err := t.bot.desk.Locks(ctx, r.Actor)
	if err != nil || len(locks) == 0 {
		return phrase.T("bot.locks.none"), nil, err
	}
	table := &timeline.Table{Head: []string{phrase.T("bot.head.lock"), phrase.T("bot.head.by"), phrase.T("bot.head.why"), phrase.T("bot.head.since")}}
	intro := phrase.T("bot.locks.intro")
	var text strings.Builder
	text.WriteString(intro)
	for _, l := range locks {
		row := []string{l.Name, l.Owner.Name, l.Reason, clock(r, l.Since)}
		table.Rows = append(table.Rows, row)
		text.WriteString("\n- " + strings.Join(row, " · "))
	}
	return text.String(), &timeline.Document{Blocks: []timeline.Block{{Text: intro}, {Table: table}}}, nil
}

// Later implements builtin.Desk.
func (t *Table) Later(ctx context.Context, r program.Request, at time.Time, line string) (string, error) {
	return t.accept(ctx, r, line, runner.Ask{NotBefore: at, From: r.ID})
}

// Repeat implements builtin.Desk.
func (t *Table) Repeat(ctx context.Context, r program.Request, cron, line string) (string, error) {
	if _, err := heartbeat.ParseCron(cron); err != nil {
		return "", fault.Invalid("cron", err.Error())
	}
	zone := "UTC"
	if r.Zone != nil {
		zone = r.Zone.String()
	}
	return t.accept(ctx, r, line, runner.Ask{Schedule: invocation.Schedule{Cron: cron, Zone: zone}})
}

func (t *Table) accept(ctx context.Context, r program.Request, line string, ask runner.Ask) (string, error) {
	inv, err := store.InTx(ctx, t.bot.store, func(tx *store.Tx) (invocation.Invocation, error) {
		return t.bot.giveNow(tx, r.Actor, r.Room, r.Thread, r.Incident, line, ask, false)
	})
	if err == nil && inv.State == invocation.Denied {
		err = fault.Forbidden(inv.Why)
	}
	return fmt.Sprint(inv.Number), err
}

// Allowed is builtin.Deps.Allowed.
func (b *Bot) Allowed(ctx context.Context, r program.Request) ([]command.Declaration, error) {
	o, err := b.store.Org(ctx)
	if err != nil {
		return nil, err
	}
	return b.judge.allowed(o, r.Actor, place{room: r.Room, incident: r.Incident, via: r.Actor.Origin}, r.Now), nil
}

// Explain is builtin.Deps.Explain.
func (b *Bot) Explain(ctx context.Context, r program.Request, line string) (string, error) {
	t, err := b.Try(ctx, r.Actor, r.Room, line)
	if err != nil {
		return "", err
	}
	return t.Text(), nil
}

// Try says what a line would be and who decides it, without running it.
func (b *Bot) Try(ctx context.Context, as people.Actor, in id.Room, line string) (Trial, error) {
	o, err := b.store.Org(ctx)
	if err != nil {
		return Trial{}, err
	}
	now, err := b.store.Now(ctx)
	if err != nil {
		return Trial{}, err
	}
	return b.judge.try(o, as, in, line, now, record{
		incident: func(n id.Incident) (incident.Incident, error) { return b.store.Incident(ctx, n) },
		started:  func(f store.Started) ([]invocation.Invocation, error) { return b.store.Started(ctx, f) },
	})
}

func stateWords(inv invocation.Invocation) string {
	if inv.Schedule.Cron != "" && !inv.State.Over() {
		return phrase.T("bot.state.scheduled", inv.Schedule.Cron)
	}
	return phrase.T("bot.state." + string(inv.State))
}

func statusOf(inv invocation.Invocation) timeline.Status {
	switch inv.State {
	case invocation.Succeeded:
		return timeline.StatusGood
	case invocation.Running:
		return timeline.StatusRunning
	case invocation.Queued, invocation.Confirming, invocation.Proving, invocation.Awaiting, invocation.Parsed:
		return timeline.StatusWaiting
	case invocation.Cancelled, invocation.Expired:
		return timeline.StatusWarning
	}
	return timeline.StatusBad
}

func dueWords(r program.Request, inv invocation.Invocation) string {
	if inv.State.Over() || inv.State == invocation.Running {
		return ""
	}
	return clock(r, inv.DueAt)
}

func clock(r program.Request, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	zone := r.Zone
	if zone == nil {
		zone = time.UTC
	}
	return at.In(zone).Format("2006-01-02 15:04:05 MST")
}
