package demo

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
)

// Upload takes in a file of actor's, to be shown in a message.
type Upload func(ctx context.Context, actor people.Actor, name string, r io.Reader) (store.File, error)

// scene is a conversation. Its lines follow each other at a human pace, while
// the rest of the world goes on.
type scene struct {
	room  string // as rooms calls it
	lines []line
}

// line is what somebody says, and what becomes of it a moment later.
type line struct {
	who    string // "" is the responder of the incident it is about
	text   string // {n} is that incident
	reply  bool   // in the thread of the scene's first line
	edited string // its text after a second look
	signs  []string
	pinned bool
	linked bool   // part of the incident's record
	file   string // of files
}

// act is a scene that is going on.
type act struct {
	scene
	number    id.Incident  // it is about; 0: none
	responder people.Actor // who has it
	root      id.Seq       // its first message
	last      id.Seq       // whose signs, edit and pin are yet to come; 0: none
	said      int
}

// The rooms that scenes name.
const (
	ops     = "ops"
	deploys = "deploys"
	leads   = "leads"
	direct  = "direct" // of Kim and the administrator
)

// openRooms opens the rooms in which all of this is said.
func (h *House) openRooms(ctx context.Context) error {
	everybody := users("ada", "kim", "noor", "jonas", "mei", "rafael", "priya", "olga")
	for _, r := range []room.Room{
		{Kind: room.Public, Slug: ops, Name: "Operations", Topic: "What is broken, and who looks at it. Runbooks are pinned.", Members: everybody},
		{Kind: room.Public, Slug: deploys, Name: "Deploys", Topic: "!deploy APP ENV; production needs a second pair of eyes.", Members: everybody},
		{Kind: room.Private, Slug: leads, Name: "Team leads", Topic: "Rota, leave, budgets", Members: users("ada", "noor", "kim")},
	} {
		made, err := h.dispatch.OpenRoom(ctx, actor(staff[1]), r)
		if err != nil {
			return fmt.Errorf("open room %s: %w", r.Slug, err)
		}
		h.rooms[r.Slug] = made.ID
	}
	h.rooms[direct] = room.DirectOf(userID("kim"), userID(Admin))
	return nil
}

// begin puts a scene on the stage.
func (h *House) begin(s scene, n id.Incident, responder people.Actor) {
	h.stage = append(h.stage, &act{scene: s, number: n, responder: responder})
}

// talking reports whether somebody is in the middle of saying something.
func (h *House) talking() bool { return len(h.stage) > 0 }

// speak lets the next line be said, or what comes after the last one happen.
func (h *House) speak(ctx context.Context) error {
	a := h.stage[0]
	if a.last != 0 {
		of := a.last
		a.last = 0
		if err := h.afterwards(ctx, a, a.lines[a.said-1], of); err != nil {
			return err
		}
	} else if err := h.say(ctx, a); err != nil {
		return err
	}
	if a.said == len(a.lines) && a.last == 0 {
		h.stage = h.stage[1:]
	}
	return nil
}

func (h *House) say(ctx context.Context, a *act) error {
	l := a.lines[a.said]
	a.said++
	who := a.speaker(l)
	say := dispatch.Line{Room: h.rooms[a.room], Text: a.text(l.text)}
	if l.reply {
		say.Thread = a.root
	}
	if l.file != "" && h.Upload != nil {
		f, err := h.Upload(ctx, who, l.file, files[l.file]())
		if err != nil {
			return fmt.Errorf("upload %s: %w", l.file, err)
		}
		say.Files = []id.File{f.ID}
	}
	seq, err := h.dispatch.Say(ctx, who, say)
	if err != nil {
		return fmt.Errorf("say %q: %w", say.Text, err)
	}
	if a.root == 0 {
		a.root = seq
	}
	if l.edited != "" || len(l.signs) > 0 || l.pinned || l.linked {
		a.last = seq
	}
	return nil
}

// afterwards is what becomes of a message when others have read it.
func (h *House) afterwards(ctx context.Context, a *act, l line, of id.Seq) error {
	who := a.speaker(l)
	for _, s := range l.signs {
		emoji, names, _ := strings.Cut(s, " ")
		for n := range strings.FieldsSeq(names) {
			if err := h.dispatch.React(ctx, h.who(userID(n)), of, emoji, true); err != nil {
				return err
			}
		}
	}
	if l.edited != "" {
		if err := h.dispatch.Edit(ctx, who, of, a.text(l.edited)); err != nil {
			return err
		}
	}
	if l.pinned {
		if err := h.dispatch.Pin(ctx, who, of, true); err != nil {
			return err
		}
	}
	if l.linked && a.number != 0 {
		return h.dispatch.LinkMessage(ctx, who, of, a.number)
	}
	return nil
}

func (a *act) speaker(l line) people.Actor {
	for _, p := range staff {
		if p.username == l.who {
			return actor(p)
		}
	}
	return a.responder
}

// asker is who begins a thread: the responder, or a colleague when the responder
// is among those who answer.
func asker(thread []line, responder people.Actor) people.Actor {
	for _, who := range []people.Actor{responder, actor(staff[3]), actor(staff[1])} {
		if !slices.ContainsFunc(thread, func(l line) bool { return userID(l.who) == who.User }) {
			return who
		}
	}
	return responder
}

func (a *act) text(s string) string {
	return strings.ReplaceAll(s, "{n}", fmt.Sprintf("#%d", a.number))
}

// command has somebody ask the bot in a room.
func (h *House) command(ctx context.Context, who people.Actor, in, line string) error {
	_, err := h.dispatch.Say(ctx, who, dispatch.Line{Room: h.rooms[in], Text: line})
	return err
}

// askApproval has somebody want what needs a yes of whoever looks at the demo,
// unless something waits for one already.
func (h *House) askApproval(ctx context.Context) error {
	waiting, err := h.store.Invocations(ctx, store.InvocationFilter{States: []invocation.State{invocation.Awaiting}, Limit: 1})
	if err != nil || len(waiting) > 0 {
		return err
	}
	return h.command(ctx, h.who(userID("rafael")), deploys, `!deploy settlements prod 4.12.1 --reason "reads the right config key now"`)
}

// deploy has somebody try something once in a while, and somebody else want a
// yes for production.
func (h *House) deploy(ctx context.Context) error {
	if h.talking() || h.rand.IntN(12) > 0 {
		return nil
	}
	h.begin(tried, 0, people.Actor{})
	return h.askApproval(ctx)
}

// read marks that the administrator has read everything so far: what is said
// from now on is new to whoever looks at the demo.
func (h *House) read(ctx context.Context) error {
	head, err := h.store.Head(ctx)
	if err != nil {
		return err
	}
	for _, r := range append([]id.Room{room.Main}, h.rooms[ops], h.rooms[deploys], h.rooms[leads], h.rooms[direct]) {
		if err := h.dispatch.MarkRead(ctx, actor(staff[0]), r, head.Seq); err != nil {
			return err
		}
	}
	return nil
}

// introduce makes the administrator somebody the bot has not met: it greets
// whoever looks at the demo, and offers to show them around. That is no change
// somebody would have made, so the timeline says nothing about it.
func (h *House) introduce(ctx context.Context) error {
	return h.store.Do(ctx, func(tx *store.Tx) error {
		ada := tx.Org.Users[userID(Admin)]
		ada.Chat = people.ChatSettings{}
		_, done, err := tx.Org.Apply(org.Put(ada))
		if err == nil {
			tx.PutDefinition(done...)
		}
		return err
	})
}
