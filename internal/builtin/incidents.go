package builtin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

type action func(*dispatch.Dispatcher, context.Context, people.Actor, id.Incident) (incident.Incident, error)

func incidents() []Command {
	numbers := many(arg("incident", command.Incident, false))
	one := arg("incident", command.Incident, true)
	return []Command{
		simple("ack", []string{"ack"}, []string{"incident ack"}, (*dispatch.Dispatcher).Acknowledge, numbers, "ack 17", "ack 17 18"),
		simple("unack", []string{"unack"}, nil, (*dispatch.Dispatcher).Unacknowledge, numbers, "unack 17"),
		simple("resolve", []string{"resolve"}, []string{"incident resolve"}, (*dispatch.Dispatcher).Resolve, numbers, "resolve 17"),
		{
			Declaration: command.Declaration{
				ID: "snooze", Words: []string{"snooze"}, Risk: command.Changes, Right: people.Respond, Permission: "incident.snooze",
				Args: []command.Arg{one, arg("until", command.String, true)}, Examples: []string{"snooze 17 30m", "snooze 17 2h", "snooze 17 14:30"},
			},
			run: snooze,
		},
		{
			Declaration: command.Declaration{
				ID: "reroute", Words: []string{"reroute"}, Risk: command.Changes, Right: people.Respond, Permission: "incident.reroute",
				Args:     []command.Arg{one, arg("to", command.Policy, false), opt("user", command.User)},
				Examples: []string{"reroute 17 network", "reroute 17 --user @lee"},
			},
			run: reroute,
		},
		{
			Declaration: command.Declaration{
				ID: "page", Words: []string{"page"}, Risk: command.Changes, Right: people.Respond, Permission: "incident.open",
				Args: []command.Arg{arg("user", command.User, true), arg("text", command.Rest, false)}, Examples: []string{"page @kim the shop is down"},
			},
			run: page,
		},
		{
			Declaration: command.Declaration{
				ID: "incident.open", Words: []string{"incident", "open"}, Risk: command.Changes, Right: people.Respond,
				Args:     []command.Arg{arg("title", command.Rest, true), opt("key", command.Service), opt("entity", command.String)},
				Examples: []string{"incident open --key database db01 does not answer"},
			},
			run: open,
		},
		{
			Declaration: command.Declaration{
				ID: "incident.show", Words: []string{"incident", "show"}, Risk: command.Reads, Args: []command.Arg{one}, Examples: []string{"incident show 17"},
			},
			run: show,
		},
		{
			Declaration: command.Declaration{
				ID: "incident.list", Words: []string{"incident", "list"}, Aliases: []string{"incidents"}, Risk: command.Reads,
				Args:     []command.Arg{{Name: "state", Type: command.Enum, Values: []string{"open", "triggered", "acknowledged", "resolved", "all"}, Default: "open", Summary: phrase.T("builtin.arg.state")}},
				Examples: []string{"incident list", "incident list resolved"},
			},
			run: list,
		},
		{
			Declaration: command.Declaration{
				ID: "incident.note", Words: []string{"incident", "note"}, Aliases: []string{"note"}, Risk: command.Changes, Right: people.Respond,
				Args: []command.Arg{one, arg("text", command.Rest, true)}, Examples: []string{"incident note 17 the log is rotated now"},
			},
			run: note,
		},
		{
			Declaration: command.Declaration{
				ID: "incident.assign", Words: []string{"incident", "assign"}, Risk: command.Changes, Right: people.Respond,
				Args: []command.Arg{one, arg("user", command.User, true)}, Examples: []string{"incident assign 17 @lee"},
			},
			run: assign,
		},
	}
}

// simple is an action on one or several incidents.
func simple(commandID string, words, aliases []string, do action, numbers command.Arg, examples ...string) Command {
	return Command{
		Declaration: command.Declaration{
			ID: commandID, Words: words, Aliases: aliases, Risk: command.Changes, Right: people.Respond, Permission: "incident." + commandID, Args: []command.Arg{numbers}, Examples: examples,
		},
		run: func(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
			numbers, err := d.which(ctx, r, commandID)
			if err != nil {
				return program.Result{}, err
			}
			var lines []string
			failed := 0
			for _, n := range numbers {
				if r.DryRun {
					lines = append(lines, phrase.T("builtin.dry."+commandID, number(n)))
					continue
				}
				inc, err := do(d.Dispatch, ctx, r.Actor, n)
				switch {
				case err != nil && len(numbers) == 1:
					return program.Result{}, err
				case err != nil: // the others are done all the same
					lines = append(lines, fmt.Sprintf("%s: %s", number(n), fault.MessageOf(err)))
					failed++
				default:
					lines = append(lines, phrase.T("builtin.done."+commandID, number(n), inc.Title))
				}
			}
			res := said(strings.Join(lines, "\n"))
			if failed == len(numbers) {
				res.Outcome, res.Why = program.Refused, res.Text
			}
			return res, nil
		},
	}
}

// which incidents are meant: those that were named, or that of the room, or the
// only one for which it makes sense.
func (d *Deps) which(ctx context.Context, r program.Request, commandID string) ([]id.Incident, error) {
	var numbers []id.Incident
	for _, v := range command.Values(r.Args["incident"]) {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return nil, fault.Invalid("incident", phrase.T("builtin.no_number", v))
		}
		numbers = append(numbers, id.Incident(n))
	}
	if len(numbers) > 0 {
		return numbers, nil
	}
	if r.Incident != 0 {
		return []id.Incident{r.Incident}, nil
	}
	states := map[string][]incident.State{
		"ack": {incident.Triggered}, "unack": {incident.Acknowledged}, "resolve": {incident.Triggered, incident.Acknowledged},
	}[commandID]
	found, err := d.Store.Incidents(ctx, store.IncidentFilter{States: states, Limit: 6})
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, fault.Conflict(phrase.T("builtin.none." + commandID))
	case len(found) == 1:
		return []id.Incident{found[0].ID}, nil
	}
	var names []string
	for _, inc := range found {
		names = append(names, number(inc.ID)+" "+inc.Title)
	}
	return nil, fault.Invalid("incident", phrase.T("builtin.which_incident", strings.Join(names, "; ")))
}

func (d *Deps) one(r program.Request) (id.Incident, error) {
	n, err := strconv.ParseInt(r.Args["incident"], 10, 64)
	if err != nil {
		return 0, fault.Invalid("incident", phrase.T("builtin.no_number", r.Args["incident"]))
	}
	return id.Incident(n), nil
}

func snooze(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
	n, err := d.one(r)
	if err != nil {
		return program.Result{}, err
	}
	var until time.Time
	if length, err := command.ParseDuration(r.Args["until"]); err == nil {
		until = r.Now.Add(length)
	} else if until, err = command.ParseTime(r.Args["until"], r.Now, r.Zone); err != nil {
		return program.Result{}, fault.Invalid("until", phrase.T("builtin.snooze.when", r.Args["until"]))
	}
	if r.DryRun {
		return said(phrase.T("builtin.dry.snooze", number(n), when(r, until))), nil
	}
	inc, err := d.Dispatch.Snooze(ctx, r.Actor, n, until)
	if err != nil {
		return program.Result{}, err
	}
	return said(phrase.T("builtin.done.snooze", number(n), inc.Title, when(r, inc.SnoozedUntil))), nil
}

func reroute(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
	n, err := d.one(r)
	if err != nil {
		return program.Result{}, err
	}
	policy, user := id.Policy(r.Args["to"]), id.User(r.Args["user"])
	if (policy == "") == (user == "") {
		return program.Result{}, fault.Invalid("to", phrase.T("builtin.reroute.either"))
	}
	o, err := d.org(ctx)
	if err != nil {
		return program.Result{}, err
	}
	to := o.Policies[policy].Name
	if user != "" {
		to = o.UserName(user)
	}
	switch {
	case r.DryRun:
		return said(phrase.T("builtin.dry.reroute", number(n), to)), nil
	case user != "":
		_, err = d.Dispatch.RerouteToUser(ctx, r.Actor, n, user)
	default:
		_, err = d.Dispatch.RerouteToPolicy(ctx, r.Actor, n, policy)
	}
	return said(phrase.T("builtin.done.reroute", number(n), to)), err
}

func assign(ctx context.Context, d *Deps, r program.Request, out program.Reporter) (program.Result, error) {
	return reroute(ctx, d, r, out)
}

// opened makes an incident by the way that every alert takes.
func (d *Deps) opened(ctx context.Context, r program.Request, title, key, entity string) (alert.Alert, error) {
	raw, err := json.Marshal(map[string]string{"title": title, "line": r.Line, "by": r.Actor.Name})
	if err != nil {
		return alert.Alert{}, fmt.Errorf("write alert: %w", err)
	}
	if entity == "" {
		entity = "chat/" + string(r.ID) // the same when it is run again
	}
	return d.Dispatch.Accept(ctx, alert.Alert{
		RoutingKey: key, Type: alert.Critical, EntityID: entity, Title: title, Tool: phrase.T("builtin.open.tool"),
		Fields: map[string]string{"opened_by": r.Actor.Name}, Raw: string(raw),
	})
}

func open(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
	if !r.Actor.May(people.Respond) {
		return program.Result{}, fault.Forbidden(phrase.T("dispatch.forbidden"))
	}
	o, err := d.org(ctx)
	if err != nil {
		return program.Result{}, err
	}
	key := o.Keys[id.RoutingKey(r.Args["key"])].Name
	if r.DryRun {
		return said(phrase.T("builtin.dry.open", r.Args["title"])), nil
	}
	a, err := d.opened(ctx, r, r.Args["title"], key, r.Args["entity"])
	if err != nil {
		return program.Result{}, err
	}
	return d.card(ctx, r, a.Incident, phrase.T("builtin.done.open", number(a.Incident), r.Args["title"]))
}

// page opens an incident and hands it to one person.
func page(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
	if !r.Actor.May(people.Respond) {
		return program.Result{}, fault.Forbidden(phrase.T("dispatch.forbidden"))
	}
	o, err := d.org(ctx)
	if err != nil {
		return program.Result{}, err
	}
	u := o.Users[id.User(r.Args["user"])]
	if !u.Reachable() {
		return program.Result{}, fault.Conflict(phrase.T("dispatch.unreachable", u.Name))
	}
	text := r.Args["text"]
	if text == "" {
		text = phrase.T("builtin.page.text", r.Actor.Name)
	}
	if r.DryRun {
		return said(phrase.T("builtin.dry.page", u.Name, text)), nil
	}
	a, err := d.Dispatch.Page(ctx, r.Actor, u.ID, text, "chat/"+string(r.ID))
	if err != nil {
		return program.Result{}, err
	}
	return said(phrase.T("builtin.done.page", u.Name, number(a.ID))), nil
}

func show(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
	n, err := d.one(r)
	if err != nil {
		return program.Result{}, err
	}
	return d.card(ctx, r, n, "")
}

// card is an incident with what can be done about it.
func (d *Deps) card(ctx context.Context, r program.Request, n id.Incident, intro string) (program.Result, error) {
	inc, err := d.Store.Incident(ctx, n)
	if errors.Is(err, store.ErrNotFound) {
		return program.Result{}, fault.NotFound(phrase.T("dispatch.no_such_incident", n))
	}
	if err != nil {
		return program.Result{}, err
	}
	o, err := d.org(ctx)
	if err != nil {
		return program.Result{}, err
	}
	if intro == "" {
		intro = fmt.Sprintf("**%s %s** (%s)", number(inc.ID), inc.Title, stateWords(inc))
	}
	fields := []timeline.Field{
		{Name: phrase.T("builtin.field.severity"), Value: string(inc.Severity)},
		{Name: phrase.T("builtin.field.since"), Value: when(r, inc.TriggeredAt)},
		{Name: phrase.T("builtin.field.alerts"), Value: strconv.Itoa(inc.AlertCount)},
	}
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, timeline.Field{Name: phrase.T("builtin.field." + name), Value: value})
		}
	}
	add("team", o.Teams[inc.Team].Name)
	add("policy", o.Policies[inc.Policy].Name)
	add("acked_by", inc.AckedBy.Name)
	add("message", inc.Message)
	var text strings.Builder
	text.WriteString(intro)
	for _, f := range fields {
		text.WriteString("\n- " + f.Name + ": " + f.Value)
	}
	doc := &timeline.Document{Status: statusOf(inc), Head: phrase.T("builtin.shows." + string(inc.State)), Blocks: []timeline.Block{{Text: intro}, {Fields: fields}}}
	var actions []timeline.Action
	may := r.Actor.May(people.Respond) || !r.Private && r.Room != room.DirectOf(r.Actor.User, room.Bot) // others read it, too
	if may && inc.State == incident.Triggered {
		actions = append(actions, timeline.Action{Label: phrase.T("builtin.button.ack"), Line: fmt.Sprintf("ack %d", n), Style: "primary"})
	}
	if may && inc.Open() {
		actions = append(actions, timeline.Action{Label: phrase.T("builtin.button.resolve"), Line: fmt.Sprintf("resolve %d", n)})
	}
	actions = append(actions, timeline.Action{Label: phrase.T("builtin.button.room"), URL: fmt.Sprintf("/incidents/%d", n)})
	doc.Blocks = append(doc.Blocks, timeline.Block{Actions: actions})
	return shown(text.String(), doc), nil
}

func stateWords(inc incident.Incident) string { return phrase.T("builtin.state." + string(inc.State)) }

func statusOf(inc incident.Incident) timeline.Status {
	switch inc.State {
	case incident.Triggered:
		return timeline.StatusBad
	case incident.Acknowledged:
		return timeline.StatusWarning
	}
	return timeline.StatusGood
}

func list(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
	f := store.IncidentFilter{Limit: 20}
	switch state := r.Args["state"]; state {
	case "open", "":
		f.States = []incident.State{incident.Triggered, incident.Acknowledged}
	case "all":
	default:
		f.States = []incident.State{incident.State(state)}
	}
	found, err := d.Store.Incidents(ctx, f)
	if err != nil {
		return program.Result{}, err
	}
	if len(found) == 0 {
		return said(phrase.T("builtin.list.none")), nil
	}
	o, err := d.org(ctx)
	if err != nil {
		return program.Result{}, err
	}
	rows := make([][]string, 0, len(found))
	for _, inc := range found {
		rows = append(rows, []string{number(inc.ID), inc.Title, stateWords(inc), teamOf(o, inc), when(r, inc.TriggeredAt)})
	}
	head := []string{phrase.T("builtin.head.incident"), phrase.T("builtin.head.title"), phrase.T("builtin.head.state"), phrase.T("builtin.head.team"), phrase.T("builtin.head.since")}
	return table(phrase.N("builtin.list.intro", len(found)), head, rows), nil
}

func teamOf(o *org.Org, inc incident.Incident) string { return o.Teams[inc.Team].Name }

func note(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
	n, err := d.one(r)
	if err != nil {
		return program.Result{}, err
	}
	if r.DryRun {
		return said(phrase.T("builtin.dry.note", number(n))), nil
	}
	_, err = d.Dispatch.AddNote(ctx, r.Actor, n, r.Args["text"])
	return said(phrase.T("builtin.done.note", number(n))), err
}
