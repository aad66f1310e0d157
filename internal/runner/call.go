package runner

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// What any of many people may approve stands in its room, and nobody is called;
// where none of them reads it, some are.
const (
	maxCalled = 20
	maxAsked  = 100 // people whose rights are looked at for it
)

// callees are the people who are called to approve something, and what who asked
// has to know about that.
type callees struct {
	users []id.User
	note  string
}

// approvers are those who are called when inv begins to wait for approval.
func (d *Desk) approvers(tx *store.Tx, inv invocation.Invocation, dec invocation.Decision) (callees, error) {
	if dec.Reason != invocation.ReasonApproval {
		return callees{}, nil
	}
	var there, elsewhere []people.User
	for _, u := range org.Sorted(tx.Org.Users, func(u people.User) string { return u.Username }) {
		switch {
		case u.Disabled, u.Robot, u.ID == inv.By.User:
		case reads(tx, inv, u.ID):
			there = append(there, u)
		default:
			elsewhere = append(elsewhere, u)
		}
	}
	all := slices.Concat(there, elsewhere)
	anybody, many := len(groupsOf(inv)) == 0, len(all) > maxAsked
	if anybody {
		all = all[:min(len(all), maxAsked)]
	}
	var may []id.User
	crowd := false
	for _, u := range all {
		can, err := d.mayApprove(tx, inv, people.Actor{User: u.ID, Name: u.Name, Role: u.Role, Origin: timeline.Chat})
		if err != nil {
			return callees{}, err
		}
		if !can {
			continue
		}
		may = append(may, u.ID)
		if crowd = anybody && (many || len(may) > maxCalled); crowd && reads(tx, inv, may[0]) {
			return callees{}, nil
		}
		if anybody && len(may) > maxCalled {
			may = may[:maxCalled]
			break
		}
	}
	switch {
	case len(may) == 0:
		return callees{note: phrase.T("runner.called_nobody", inv.Short)}, nil
	case crowd:
		return callees{may, phrase.T("runner.called_some", len(may))}, nil
	}
	return callees{users: may}, nil
}

// reads reports whether somebody sees the request where inv was asked.
func reads(tx *store.Tx, inv invocation.Invocation, u id.User) bool {
	return !inv.Private && tx.Org.CanRead(u, inv.Room)
}

// call asks those to approve inv who do not read the room where it was asked,
// each in their own conversation with the bot, and tells them there how it went on.
func (d *Desk) call(tx *store.Tx, inv *invocation.Invocation, dec invocation.Decision, called callees) error {
	switch {
	case dec.Reason == invocation.ReasonApproval:
	case dec.Reason == invocation.ReasonApprovedInPart:
		return d.callAgain(tx, *inv)
	case dec.Was == invocation.Awaiting && inv.State != invocation.Awaiting:
		return d.callOff(tx, *inv, dec)
	default:
		return nil
	}
	for _, u := range called.users {
		if reads(tx, *inv, u) {
			continue // the request in the room calls them
		}
		own, seq := room.DirectOf(u, room.Bot), tx.NextSeq()
		request := d.requesting(*inv, tx)
		doc, buttons := d.armed(tx, request, seq, *inv)
		n, err := dispatch.Answer(tx, dispatch.Line{Room: own, Text: request.text, Doc: doc, Invocation: inv.ID, Calls: []id.User{u}})
		if err != nil {
			return fmt.Errorf("ask %s to approve: %w", u, err)
		}
		for _, b := range buttons {
			tx.AddAction(b)
		}
		inv.Called = append(inv.Called, n)
	}
	return nil
}

// callOff says where inv stands, and who has decided it, in the messages that
// asked for approval.
func (d *Desk) callOff(tx *store.Tx, inv invocation.Invocation, dec invocation.Decision) error {
	text, head := phrase.T("runner.called_off", tick(inv.Line), inv.By.Name, inv.State.Shown()), ""
	switch {
	case dec.Reason == invocation.ReasonApproved:
		who := approvers(inv, tx.Org)
		text, head = phrase.T("runner.called_off_approved", tick(inv.Line), inv.By.Name, who), phrase.T("runner.head.approved", who)
	case inv.Cause == invocation.ReasonRejected:
		text = phrase.T("runner.called_off_rejected", tick(inv.Line), inv.By.Name, deniedBy("runner.by", "runner.by_why", inv, dec, tx))
		head = notRun(inv, dec, tx).doc.Head
	case inv.State.Over():
		head = notRun(inv, dec, tx).doc.Head
	}
	s := plain(timeline.StatusWaiting, text)
	s.doc.Head = head
	return d.reviseCalls(tx, inv, s)
}

// callAgain says in the messages that asked for approval who gave theirs, when
// it takes more than one.
func (d *Desk) callAgain(tx *store.Tx, inv invocation.Invocation) error {
	return d.reviseCalls(tx, inv, d.requesting(inv, tx))
}

func (d *Desk) reviseCalls(tx *store.Tx, inv invocation.Invocation, s said) error {
	for _, seq := range inv.Called {
		if err := d.revise(tx, seq, inv, s); err != nil {
			return err
		}
	}
	return nil
}

// speaksForItself reports whether a command that has ended needs no entry of its
// own: of a built-in one what it did stands in the timeline, and its answer
// beside it; and of one that was over at once, which nobody had to agree to, the
// answer where it was asked says all.
func (d *Desk) speaksForItself(inv invocation.Invocation) bool {
	answered := !private(inv) || inv.Room == room.DirectOf(inv.By.User, room.Bot)
	if inv.Risk == command.Danger || inv.Glass || !answered {
		return false
	}
	if (inv.State == invocation.Succeeded || inv.State == invocation.Failed) && !inv.StartedAt.IsZero() && inv.Took() < tellEvery && !inv.Agreed() {
		return true
	}
	declared, _, ok := d.programs.Find(inv.Command)
	return ok && declared.Origin == "" && inv.State == invocation.Succeeded
}

// alarm pages those who answer for what somebody has broken the glass for.
func (d *Desk) alarm(tx *store.Tx, inv invocation.Invocation) error {
	team, err := d.answersFor(tx, inv)
	if err != nil {
		return err
	}
	title := phrase.T("runner.glass", inv.By.Name, tick(inv.Line), inv.Reason)
	return dispatch.Alarm(tx, inv.By, team, title, fmt.Sprintf("glass/%d", inv.Number))
}

// answersFor is the team of what inv acts on; "" when it is nobody's.
func (d *Desk) answersFor(tx *store.Tx, inv invocation.Invocation) (id.Team, error) {
	declared, _, _ := d.programs.Find(inv.Command)
	for _, a := range declared.Args {
		for _, value := range command.Values(inv.Args[a.Name]) {
			team, err := teamOf(tx, a.Type, value)
			if team != "" || err != nil {
				return team, err
			}
		}
	}
	return inv.Team, nil
}

func teamOf(tx *store.Tx, kind command.Type, value string) (id.Team, error) {
	o := tx.Org
	switch kind {
	case command.Team:
		return id.Team(value), nil
	case command.Rotation:
		return o.Rotations[id.Rotation(value)].Team, nil
	case command.Policy:
		return o.Policies[id.Policy(value)].Team, nil
	case command.Service:
		return o.Policies[o.Keys[id.RoutingKey(value)].Policy].Team, nil
	case command.Incident:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return "", nil //nolint:nilerr // it is none of ours
		}
		inc, err := tx.Incident(id.Incident(n))
		if errors.Is(err, store.ErrNotFound) {
			return "", nil
		}
		return inc.Team, err
	}
	return "", nil
}
