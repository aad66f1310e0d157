package bot

import (
	"context"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/store"
)

// completer knows, beside the organisation, what was asked for and is locked:
// as much of it as who types may see.
type completer struct {
	lookup
	ctx   context.Context //nolint:containedctx // of the one question it is made for
	bot   *Bot
	actor people.Actor
}

// asked are the values that the program of a command says there are.
func (c completer) asked(d command.Declaration, a command.Arg, prefix string) ([]command.Candidate, error) {
	_, p, _ := c.bot.catalogue.Find(d.ID)
	able, ok := p.(Suggester)
	if !ok {
		return nil, nil
	}
	r := program.Request{
		Command: d.ID, Actor: c.actor, Username: c.org.Users[c.asker].Username, Room: c.room, RoomName: roomName(c.org, c.room), Zone: c.Zone(), Now: c.now,
	}
	return c.bot.values.of(c.ctx, able, d, a.Name, prefix, r)
}

// Complete implements command.Completer.
func (c completer) Complete(d command.Declaration, a command.Arg, prefix string, limit int) []command.Candidate {
	var all []command.Candidate
	add := func(text, summary string) {
		if strings.HasPrefix(strings.ToLower(text), strings.ToLower(strings.TrimPrefix(prefix, "#"))) && len(all) < limit {
			all = append(all, command.Candidate{Text: text, Summary: summary})
		}
	}
	var err error
	switch {
	case a.Name == "job" && (d.ID == "job" || d.ID == "cancel" || d.ID == "again"):
		var mine []invocation.Invocation
		mine, err = c.bot.store.Invocations(c.ctx, store.InvocationFilter{Person: c.asker, Open: d.ID == "cancel", Limit: 100})
		for _, inv := range mine {
			if inv.Words != d.Name() && c.asker != "" {
				add(strconv.FormatInt(inv.Number, 10), inv.Line)
			}
		}
	case a.Name == "short" && (d.ID == "approve" || d.ID == "deny"):
		var waiting []invocation.Invocation
		waiting, err = c.bot.desk.Pending(c.ctx, c.actor)
		for _, inv := range waiting {
			add(inv.Short, inv.Line)
		}
	case a.Name == "name" && d.ID == "unlock":
		var locks []invocation.Lock
		locks, err = c.bot.desk.Locks(c.ctx, c.actor)
		for _, l := range locks {
			if l.Kind == invocation.Sticky { // a run lets go by itself
				add(l.Name, l.Owner.Name)
			}
		}
	case a.Type == command.Incident:
		all, err = c.openIncidents(prefix, limit)
	case a.Asks:
		var known []command.Candidate
		known, err = c.asked(d, a, prefix)
		for _, one := range known {
			add(one.Text, one.Summary)
		}
	default:
		return c.lookup.Complete(d, a, prefix, limit)
	}
	if err != nil {
		c.bot.log.WarnContext(c.ctx, "complete a command", "err", err)
	}
	return all
}
