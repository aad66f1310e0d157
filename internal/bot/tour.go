package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/builtin"
	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// The tour shows a newcomer around: a conversation with buttons. How far
// somebody is follows from what they have done, so it can be left at any point
// and goes on where it was, from whatever device.

// Tour is the command of the tour.
type Tour struct {
	bot *Bot
	// Carried reports whether pages by a method can be sent at all; nil: all can.
	Carried func(*org.Org, people.Method) bool
}

// reached reports whether a page can really get to somebody; hint is what to
// tell them when it cannot.
func (t *Tour) reached(o *org.Org, u people.User) (ok bool, hint string) {
	usable := u.Usable()
	for _, c := range usable {
		if t.Carried == nil || t.Carried(o, c.Method) {
			return u.Reachable(), ""
		}
	}
	if len(usable) == 0 {
		return false, ""
	}
	return false, phrase.T("bot.tour.hint.carrier", usable[0].Method.Words())
}

// What the buttons do beyond commands that exist anyway.
const (
	stepTest     = "test"
	stepPractice = "practice"
	stepDrill    = "drill"
)

const (
	greetingLife = 90 * 24 * time.Hour
	tour         = "tour"
	skip         = "skip"
	drillRests   = 10 * time.Minute // before the tour pages the same colleagues again
	mostTours    = 100              // of somebody, looked at for what they skipped
)

// practice is the entity of somebody's practice incident.
func practice(u id.User) string { return "practice/" + string(u) }

// Declarations say how the tour is asked for, and what its buttons do: to look
// around changes nothing, a page, a practice incident and a drill do.
func (*Tour) Declarations() []command.Declaration {
	all := []command.Declaration{{
		ID: tour, Words: []string{tour}, Risk: command.Reads, Private: true, Summary: phrase.T("bot.tour"),
		Args: []command.Arg{
			{Name: "step", Type: command.Enum, Values: []string{skip}, Summary: phrase.T("bot.tour.arg")},
			{Name: "stop", Type: command.String, Summary: phrase.T("bot.tour.arg.stop")},
		},
		Examples: []string{tour},
	}}
	rights := map[string]people.Permission{stepTest: people.OwnSelf, stepPractice: people.Respond, stepDrill: people.Respond}
	for _, step := range []string{stepTest, stepPractice, stepDrill} {
		all = append(all, command.Declaration{
			ID: tour + "." + step, Words: []string{tour, step}, Risk: command.Changes, Right: rights[step], Private: true, Summary: phrase.T("bot.tour.button." + step), Hidden: true,
		})
	}
	return all
}

// Of says whose tour it is, before it is asked for.
func (t *Tour) Of(b *Bot) { t.bot = b }

// Run implements program.Program.
func (t *Tour) Run(ctx context.Context, r program.Request, _ program.Reporter) (program.Result, error) {
	said, err := t.do(ctx, r)
	if fault.CodeOf(err) == fault.CodeInternal && err != nil {
		return program.Result{}, err
	}
	if err != nil {
		said = fault.MessageOf(err)
	}
	res, err := t.show(ctx, r, said)
	res.Outcome, res.Private = program.Succeeded, true
	return res, err
}

// do is what the buttons of the tour do beyond commands that exist anyway.
func (t *Tour) do(ctx context.Context, r program.Request) (said string, err error) {
	b := t.bot
	o, err := b.store.Org(ctx)
	if err != nil {
		return "", err
	}
	u := o.Users[r.Actor.User]
	switch strings.TrimPrefix(r.Command, tour+".") {
	case stepTest:
		usable := u.Usable()
		if len(usable) == 0 {
			return phrase.T("bot.tour.no_contact"), nil
		}
		c := usable[0]
		return phrase.T("bot.tour.tested", c.Method.Words(), c.Shown()), b.dispatcher.TestContact(ctx, r.Actor, u.ID, c.ID)
	case stepPractice:
		inc, err := b.dispatcher.Page(ctx, r.Actor, u.ID, phrase.T("bot.tour.practice_title"), practice(u.ID))
		if err != nil {
			return "", err
		}
		return phrase.T("bot.tour.practising", inc.ID), nil
	case stepDrill:
		if fresh, err := t.drilledLately(ctx, u.ID, r.Now); err != nil || fresh {
			return phrase.T("bot.tour.drill_runs"), err
		}
		for _, team := range o.Teams {
			if slices.Contains(team.Members, u.ID) {
				_, err := b.dispatcher.PlanDrill(ctx, r.Actor, org.Drill{Team: team.ID, Note: phrase.T("bot.tour.drill_note", u.Name)})
				return phrase.T("bot.tour.drilled", team.Name), err
			}
		}
		return phrase.T("bot.tour.no_team"), nil
	}
	return "", nil
}

// stop is one point of the tour.
type stop struct {
	key     string
	done    bool
	actions []timeline.Action
}

func (t *Tour) show(ctx context.Context, r program.Request, said string) (program.Result, error) {
	o, err := t.bot.store.Org(ctx)
	if err != nil {
		return program.Result{}, err
	}
	stops, err := t.stops(ctx, o, o.Users[r.Actor.User], r)
	if err != nil {
		return program.Result{}, err
	}
	var text strings.Builder
	if said != "" {
		text.WriteString(said + "\n\n")
	}
	doc := &timeline.Document{}
	left := 0
	var list []string
	var next *stop
	for i := range stops {
		s := &stops[i]
		mark := "- [x] "
		if !s.done {
			mark = "- [ ] "
			left++
			if next == nil {
				next = s
			}
		}
		list = append(list, mark+phrase.T("bot.tour.stop."+s.key))
	}
	intro := phrase.T("bot.tour.left", left)
	if left == 0 {
		intro, doc.Status = phrase.T("bot.tour.over"), timeline.StatusGood
	}
	about := intro + "\n\n" + strings.Join(list, "\n")
	text.WriteString(about)
	if said != "" {
		doc.Blocks = append(doc.Blocks, timeline.Block{Text: said})
	}
	doc.Blocks = append(doc.Blocks, timeline.Block{Text: about})
	if r.Actor.May(people.Manage) {
		if lacks := t.lacks(o, r.Now); len(lacks) > 0 {
			head := phrase.T("bot.tour.lacks")
			text.WriteString("\n\n" + head + "\n- " + strings.Join(lacks, "\n- "))
			doc.Blocks = append(doc.Blocks, timeline.Block{Text: head}, timeline.Block{List: lacks})
		}
	}
	if next != nil {
		hint := phrase.T("bot.tour.hint." + next.key)
		if _, why := t.reached(o, o.Users[r.Actor.User]); why != "" && next.key == "contact" {
			hint = why
		}
		text.WriteString("\n\n" + hint)
		actions := append(slices.Clip(next.actions), timeline.Action{Label: phrase.T("bot.tour.again"), Line: tour},
			timeline.Action{Label: phrase.T("bot.tour.skip"), Line: tour + " " + skip + " " + next.key})
		doc.Blocks = append(doc.Blocks, timeline.Block{Text: hint}, timeline.Block{Actions: actions})
	}
	return program.Result{Text: text.String(), Doc: doc}, nil
}

// drilledLately reports whether somebody started a drill a moment ago: a second
// press pages nobody twice.
func (t *Tour) drilledLately(ctx context.Context, u id.User, now time.Time) (bool, error) {
	found, err := t.bot.store.Entries(ctx, store.EntryFilter{Kinds: []timeline.Kind{timeline.DrillStarted}, Person: u, Limit: 1})
	return len(found) > 0 && now.Sub(found[0].At) < drillRests, err
}

// skipped are the stops that somebody went past.
func (t *Tour) skipped(ctx context.Context, r program.Request) (map[string]bool, error) {
	found, err := t.bot.store.Invocations(ctx, store.InvocationFilter{Person: r.Actor.User, Command: tour, Limit: mostTours})
	all := map[string]bool{}
	for _, inv := range found {
		if inv.Args["step"] == skip {
			all[inv.Args["stop"]] = true
		}
	}
	return all, err
}

func (t *Tour) stops(ctx context.Context, o *org.Org, u people.User, r program.Request) ([]stop, error) {
	told := func(kinds ...timeline.Kind) (bool, error) {
		found, err := t.bot.store.Entries(ctx, store.EntryFilter{Kinds: kinds, Person: u.ID, Limit: 1})
		return len(found) > 0, err
	}
	asked := func(commandID string) (bool, error) {
		found, err := t.bot.store.Invocations(ctx, store.InvocationFilter{Person: u.ID, Command: commandID, Limit: 1})
		return len(found) > 0, err
	}
	tested := false
	for _, c := range u.Usable() {
		sent, err := t.bot.store.DeliveriesTo(ctx, c.ID, 5)
		if err != nil {
			return nil, err
		}
		for _, d := range sent {
			tested = tested || d.State.Out() && !dispatch.CarriesCode(d)
		}
	}
	looked, err := asked("oncall")
	if err != nil {
		return nil, err
	}
	took, err := told(timeline.OnCallTaken)
	if err != nil {
		return nil, err
	}
	back, err := told(timeline.OnCallHandedBack)
	if err != nil {
		return nil, err
	}
	inc, err := t.practised(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	drilled, err := told(timeline.DrillStarted)
	if err != nil {
		return nil, err
	}
	onCall := slices.Contains(o.OnCallOf("", r.Now), u.ID) // there is nothing to take
	button := func(key, line string) timeline.Action {
		return timeline.Action{Label: phrase.T("bot.tour.button." + key), Line: line, Style: "primary"}
	}
	page := func(key, address string) timeline.Action {
		return timeline.Action{Label: phrase.T("bot.tour.button." + key), URL: address}
	}
	tryOut := button("test", tour+" "+stepTest)
	if !u.Role.May(people.Respond) { // who only reads gives no commands that do something: there is a button on that page
		tryOut = page("contact", "/settings/profile/contacts")
	}
	reached, _ := t.reached(o, u)
	all := []stop{
		{"contact", reached, []timeline.Action{page("contact", "/settings/profile/contacts")}},
		{"test", tested, []timeline.Action{tryOut}},
		{"oncall", looked, []timeline.Action{button("oncall", "oncall")}},
	}
	if u.Role.May(people.Respond) {
		all = append(all,
			stop{"take", took || onCall, []timeline.Action{button("take", "take"), page("calendar", "/oncall")}},
			stop{"handback", took && back || onCall && !took, []timeline.Action{button("handback", "handback")}},
			stop{"practice", inc.ID != 0, []timeline.Action{button("practice", tour+" "+stepPractice)}},
			stop{"ack", inc.ID != 0 && inc.State != incident.Triggered, []timeline.Action{button("ack", fmt.Sprintf("ack %d", inc.ID)), page("room", fmt.Sprintf("/incidents/%d", inc.ID))}},
			stop{"drill", drilled, []timeline.Action{button("drill", tour+" "+stepDrill)}},
		)
	}
	passed, err := t.skipped(ctx, r)
	for i := range all {
		all[i].done = all[i].done || passed[all[i].key]
	}
	return all, err
}

// practised is the newest practice incident of somebody; its ID is 0 when there
// is none.
func (t *Tour) practised(ctx context.Context, u id.User) (incident.Incident, error) {
	found, err := t.bot.store.Incidents(ctx, store.IncidentFilter{Words: store.Words(practice(u)), Limit: 5})
	if err != nil {
		return incident.Incident{}, err
	}
	for _, inc := range found {
		if inc.EntityID == practice(u) {
			return inc, nil
		}
	}
	open, err := t.bot.store.Incidents(ctx, store.IncidentFilter{States: []incident.State{incident.Triggered, incident.Acknowledged}, Limit: 200})
	for _, inc := range open { // the words of a new one may not be indexed yet
		if inc.EntityID == practice(u) {
			return inc, err
		}
	}
	return incident.Incident{}, err
}

// lacks is what an organisation still needs before it can rely on us.
func (t *Tour) lacks(o *org.Org, now time.Time) []string {
	var all []string
	need := func(missing bool, key string) {
		if missing {
			all = append(all, phrase.T("bot.tour.lack."+key))
		}
	}
	active := 0
	for _, u := range o.Users {
		if !u.Disabled && !u.Robot {
			active++
		}
	}
	need(active < 2, "people")
	need(len(o.Teams) == 0, "teams")
	need(len(o.Rotations) == 0, "rotations")
	need(len(o.Policies) == 0, "policies")
	need(len(o.Integrations) == 0, "integrations")
	for _, p := range o.Problems(now) {
		if len(all) >= 8 {
			break
		}
		all = append(all, p.Text)
	}
	return all
}

// Builtin is the built-in part of a catalogue: the first set and the tour.
func Builtin(set []builtin.Command, around *Tour) []Entry {
	var entries []Entry
	for _, d := range around.Declarations() {
		entries = append(entries, Entry{Declaration: d, Program: around})
	}
	for _, c := range set {
		entries = append(entries, Entry{Declaration: c.Declaration, Program: c})
	}
	return entries
}
