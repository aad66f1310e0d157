package runner

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// What people say about a command that waits or runs. A ref is what they call
// it by: its number, the short code of a request for approval, or its id.

// Find returns the invocation that somebody means and may know of: their own,
// those of rooms that they read, and those that they may approve.
func (d *Desk) Find(ctx context.Context, actor people.Actor, ref string) (invocation.Invocation, error) {
	return store.View(ctx, d.store, func(tx *store.Tx) (invocation.Invocation, error) {
		return d.find(tx, actor, ref)
	})
}

func (d *Desk) find(tx *store.Tx, actor people.Actor, ref string) (invocation.Invocation, error) {
	inv, err := byRef(tx, ref)
	if errors.Is(err, store.ErrNotFound) {
		return inv, noMore(tx, ref)
	}
	if err != nil {
		return inv, err
	}
	seen, err := d.sees(tx, inv, actor)
	if err == nil && !seen {
		err = noneSuch(ref)
	}
	return inv, err
}

func byRef(tx *store.Tx, ref string) (invocation.Invocation, error) {
	ref = strings.ToLower(strings.TrimSpace(ref))
	if len(ref) == shortLength {
		if inv, err := tx.InvocationByShort(ref); err == nil || !errors.Is(err, store.ErrNotFound) {
			return inv, err
		}
	}
	if n, ok := numberOf(ref); ok {
		return tx.InvocationByNumber(n)
	}
	return tx.Invocation(id.Invocation(ref))
}

func numberOf(ref string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.TrimSpace(ref), "#"), 10, 64)
	return n, err == nil
}

// noMore is what is said of a number or code under which there is no command.
// That there was one is no secret: all numbers up to the last were given out.
func noMore(tx *store.Tx, ref string) error {
	if n, ok := numberOf(ref); ok {
		gone, err := tx.InvocationGone(n)
		if err != nil {
			return err
		}
		if gone {
			return fault.Gone(phrase.T("retention.command_gone", n))
		}
	}
	return noneSuch(ref)
}

// sees reports whether somebody may know of inv. What was asked for privately is
// for who asked; nobody's role opens a private room.
func (d *Desk) sees(tx *store.Tx, inv invocation.Invocation, actor people.Actor) (bool, error) {
	if actor.User == "" && actor.Origin == timeline.Command {
		return true, nil // the operator at the machine
	}
	if actor.User != "" && actor.User == inv.By.User || !inv.Private && tx.Org.CanRead(actor.User, inv.Room) {
		return true, nil
	}
	if inv.State != invocation.Awaiting {
		return false, nil
	}
	return d.mayApprove(tx, inv, actor)
}

// noneSuch is said of what is not there, or not for who asks. A code is gone
// once it was used, which is no secret and is said of any.
func noneSuch(ref string) error {
	if _, number := numberOf(ref); !number && len(strings.TrimSpace(ref)) == shortLength {
		return fault.NotFound(phrase.T("runner.none_waits", ref))
	}
	return fault.NotFound(phrase.T("runner.none", ref))
}

// Confirm says that actor means what they asked for, in the room they asked in.
// What must be confirmed is for a person to confirm.
func (d *Desk) Confirm(ctx context.Context, actor people.Actor, in id.Room, ref string) (invocation.Invocation, error) {
	return d.act(ctx, actor, ref, d.confirming(actor, in))
}

func (d *Desk) confirming(actor people.Actor, in id.Room) reply {
	return func(tx *store.Tx, _ invocation.Invocation) (invocation.Input, error) {
		if tx.Org.Users[actor.User].Robot {
			return nil, forbidden()
		}
		return invocation.Confirm{By: actor.Who(), Room: in}, nil
	}
}

// Asked reports whether actor is asked to confirm something in a room: then a
// "yes" there is an answer, and else it is chat.
func (d *Desk) Asked(tx *store.Tx, actor people.Actor, in id.Room) (invocation.Invocation, bool, error) {
	inv, err := tx.ConfirmingOf(actor.User, in)
	if errors.Is(err, store.ErrNotFound) || actor.User == "" {
		return inv, false, nil
	}
	return inv, err == nil && tx.Now.Before(inv.DueAt), err
}

// Yes is Confirm of what actor is asked to confirm in a room, within the
// transaction of who heard it.
func (d *Desk) Yes(tx *store.Tx, actor people.Actor, in id.Room) (invocation.Invocation, error) {
	return d.pending(tx, actor, in, invocation.Confirm{By: actor.Who(), Room: in})
}

// No gives it up.
func (d *Desk) No(tx *store.Tx, actor people.Actor, in id.Room) (invocation.Invocation, error) {
	return d.pending(tx, actor, in, invocation.Cancel{By: actor.Who()})
}

func (d *Desk) pending(tx *store.Tx, actor people.Actor, in id.Room, input invocation.Input) (invocation.Invocation, error) {
	inv, waits, err := d.Asked(tx, actor, in)
	if err != nil {
		return inv, err
	}
	if !waits {
		return inv, fault.Conflict(phrase.T("runner.nothing_to_confirm"))
	}
	return d.answer(tx, inv, input)
}

// Approve is a yes of actor to what waits for approval.
func (d *Desk) Approve(ctx context.Context, actor people.Actor, ref string) (invocation.Invocation, error) {
	return d.act(ctx, actor, ref, d.approving(actor))
}

func (d *Desk) approving(actor people.Actor) reply {
	return func(tx *store.Tx, inv invocation.Invocation) (invocation.Input, error) {
		may, err := d.mayDecide(tx, inv, actor)
		if err != nil {
			return nil, err
		}
		unproven, err := d.unproven(tx, inv, actor)
		return invocation.Approve{By: actor.Who(), May: may, Unproven: unproven}, err
	}
}

// Deny is a no; of who asked, it takes the request back.
func (d *Desk) Deny(ctx context.Context, actor people.Actor, ref, reason string) (invocation.Invocation, error) {
	return d.act(ctx, actor, ref, d.denying(actor, reason))
}

func (d *Desk) denying(actor people.Actor, reason string) reply {
	return func(tx *store.Tx, inv invocation.Invocation) (invocation.Input, error) {
		may, err := d.mayDecide(tx, inv, actor)
		return invocation.Deny{By: actor.Who(), May: may, Reason: clean(reason, maxWhy)}, err
	}
}

// mayDecide is mayApprove, and says so when nobody has the right because there
// is no such command any more. Who asked may take it back all the same.
func (d *Desk) mayDecide(tx *store.Tx, inv invocation.Invocation, actor people.Actor) (bool, error) {
	may, err := d.mayApprove(tx, inv, actor)
	if err != nil || may || inv.State != invocation.Awaiting || actor.User == inv.By.User {
		return may, err
	}
	if _, _, found := d.programs.Find(inv.Command); !found {
		return false, fault.Conflict(phrase.T("runner.gone"))
	}
	return false, nil
}

// Cancel stops what waits or runs: one's own, and anybody's for who manages.
func (d *Desk) Cancel(ctx context.Context, actor people.Actor, ref string) (invocation.Invocation, error) {
	return d.act(ctx, actor, ref, d.cancelling(actor))
}

func (d *Desk) cancelling(actor people.Actor) reply {
	return func(*store.Tx, invocation.Invocation) (invocation.Input, error) {
		return invocation.Cancel{By: actor.Who(), May: actor.May(people.Manage)}, nil
	}
}

// TakeBack gives up what a message of actor asked for, and reports whether
// anything of it was still waiting for somebody's word.
func (d *Desk) TakeBack(tx *store.Tx, actor people.Actor, message id.Seq) (waited bool, err error) {
	open, err := tx.OpenInvocationsOf(actor.User)
	if err != nil {
		return false, err
	}
	for _, inv := range open {
		if inv.Message != message || !inv.State.Asks() {
			continue
		}
		if _, err := d.answer(tx, inv, invocation.Cancel{By: actor.Who()}); err != nil {
			return waited, err
		}
		waited = true
	}
	return waited, nil
}

// reply is what somebody says about a command.
type reply func(*store.Tx, invocation.Invocation) (invocation.Input, error)

func (d *Desk) act(ctx context.Context, actor people.Actor, ref string, say reply) (invocation.Invocation, error) {
	return store.InTx(ctx, d.store, func(tx *store.Tx) (invocation.Invocation, error) { return d.actIn(tx, actor, ref, say) })
}

// actIn is the shape of every answer: find, decide, save.
func (d *Desk) actIn(tx *store.Tx, actor people.Actor, ref string, say reply) (invocation.Invocation, error) {
	inv, err := d.find(tx, actor, ref)
	if err != nil {
		return inv, err
	}
	in, err := say(tx, inv)
	if err != nil {
		return inv, err
	}
	inv, err = d.answer(tx, inv, in)
	return inv, withStepUp(err, inv, actor)
}

func (d *Desk) answer(tx *store.Tx, inv invocation.Invocation, in invocation.Input) (invocation.Invocation, error) {
	dec, err := d.decided(tx, inv, in, invocation.Facts{})
	if err != nil {
		return inv, err
	}
	if !dec.Changed {
		return inv, refused(dec)
	}
	return d.save(tx, dec)
}

// refused turns a decision that changed nothing into an answer.
func refused(dec invocation.Decision) error {
	switch dec.Reason {
	case invocation.ReasonNotYours, invocation.ReasonNoRight, invocation.ReasonPeer, invocation.ReasonUnproven:
		return fault.Forbidden(dec.Reason.Sentence()).With("reason", string(dec.Reason))
	}
	return fault.Conflict(dec.Reason.Sentence()).With("state", string(dec.Invocation.State)).With("reason", string(dec.Reason))
}

// Again asks once more for what a command asked: as who asks, where they ask
// (a says both; what a says of a line does not matter), and decided anew. Where
// they may not write any more, it is between them and the bot.
func (d *Desk) Again(ctx context.Context, a Ask, ref string) (invocation.Invocation, error) {
	return store.InTx(ctx, d.store, func(tx *store.Tx) (invocation.Invocation, error) {
		old, err := d.find(tx, a.Actor, ref)
		if err != nil {
			return old, err
		}
		next, ok := invocation.Again(old, id.Invocation(id.New()), a.Actor.Who(), tx.Now)
		if !ok {
			return old, fault.Conflict(phrase.T("runner.secrets_needed"))
		}
		if r, ok := tx.Org.Room(a.Room); !ok || !r.CanWrite(a.Actor.User) {
			if a.Actor.User == "" {
				return old, noneSuch(ref)
			}
			a.Room, a.Thread, a.Message = room.DirectOf(a.Actor.User, room.Bot), 0, 0
			a.RoomName = string(a.Room)
		}
		next.Username, next.Scopes, next.Via = a.Username, a.Actor.Scopes, a.Via
		next.Room, next.RoomName, next.Thread, next.Message = a.Room, a.RoomName, a.Thread, a.Message
		return d.anew(tx, next, a.Actor)
	})
}

// anew takes in what somebody asked before, as it is understood now.
func (d *Desk) anew(tx *store.Tx, inv invocation.Invocation, as people.Actor) (invocation.Invocation, error) {
	line, _, err := d.line(inv)
	if err != nil {
		return inv, fault.Conflict(phrase.T("runner.secrets_lost")).Because(err)
	}
	j, err := d.judge.Judge(tx, inv, line, as)
	if err != nil {
		return inv, err
	}
	if j.Broken != "" {
		j.Verdict = invocation.Verdict{Why: j.Broken}
	} else {
		understood(&inv, j.Parsed)
	}
	return d.take(tx, inv, j.Verdict)
}

// Pending returns what waits for approval and actor may approve now, the oldest first.
func (d *Desk) Pending(ctx context.Context, actor people.Actor) ([]invocation.Invocation, error) {
	waiting, err := d.store.AwaitingApproval(ctx)
	if err != nil || len(waiting) == 0 {
		return nil, err
	}
	return store.View(ctx, d.store, func(tx *store.Tx) ([]invocation.Invocation, error) {
		var mine []invocation.Invocation
		for _, inv := range waiting {
			may, err := d.mayApprove(tx, inv, actor)
			if err != nil {
				return nil, err
			}
			if may && (!inv.Approval.Peer || inv.By.User != actor.User) && !inv.ApprovedBy(actor.User) {
				mine = append(mine, inv)
			}
		}
		return mine, nil
	})
}

// List returns what actor may know of, the latest first: what they asked for,
// and what was asked in rooms that they read. Which rooms those are is not for
// f to say. What others asked for privately is left out, so there may be fewer
// than there are numbers between the first and the last; next is where to go on, 0 at the end.
func (d *Desk) List(ctx context.Context, actor people.Actor, f store.InvocationFilter) (found []invocation.Invocation, next int64, err error) {
	o, err := d.store.Org(ctx)
	if err != nil {
		return nil, 0, err
	}
	f.Rooms, f.Or = []id.Room{}, actor.User
	for _, r := range o.ReadableRooms(actor.User) {
		f.Rooms = append(f.Rooms, r.ID)
	}
	limit := f.Limit
	f.Limit++
	if found, err = d.store.Invocations(ctx, f); err != nil {
		return nil, 0, err
	}
	if len(found) > limit {
		found, next = found[:limit], found[limit-1].Number
	}
	return slices.DeleteFunc(found, func(inv invocation.Invocation) bool { return inv.Private && inv.By.User != actor.User }), next, nil
}

// Events returns the record of a command that actor may know of.
func (d *Desk) Events(ctx context.Context, actor people.Actor, ref string) (invocation.Invocation, []invocation.Event, error) {
	inv, err := d.Find(ctx, actor, ref)
	if err != nil {
		return inv, nil, err
	}
	events, err := d.store.EventsOf(ctx, inv.ID)
	return inv, events, err
}
