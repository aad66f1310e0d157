package runner

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// said is one message of the bot: words that are complete by themselves, and
// the same with structure.
type said struct {
	text   string
	doc    *timeline.Document
	person id.User // who alone may press its buttons; "": whoever sees them
	calls  []id.User
}

// buttonLife is for how long a button works that no time is set for.
const buttonLife = 24 * time.Hour

// maxDoc bounds the structure of an answer, in bytes of JSON.
const maxDoc = 64 << 10

// speak says what a decision means to people: the living message is kept up to
// date, and what must be noticed is a new line.
func (d *Desk) speak(tx *store.Tx, inv *invocation.Invocation, dec invocation.Decision, called callees) error {
	now, further := d.words(tx, *inv, dec)
	now.calls, further.calls = called.users, called.users
	if called.note != "" {
		now.text += "\n" + called.note
		now.doc.Blocks = append(now.doc.Blocks, timeline.Block{Text: called.note})
	}
	if inv.Living != 0 && now.text != "" {
		return errors.Join(d.revise(tx, inv.Living, *inv, now), d.further(tx, inv, further))
	}
	if further.text != "" && inv.State != invocation.Awaiting { // nothing was said so far: one message says all
		now = further
	}
	seq, err := d.post(tx, *inv, first(*inv), now)
	if err == nil && seq != 0 && !inv.State.Over() {
		inv.Living = seq
	}
	return err
}

func (d *Desk) further(tx *store.Tx, inv *invocation.Invocation, s said) error {
	if s.text == "" {
		return nil
	}
	_, err := d.post(tx, *inv, thread(*inv), s)
	return err
}

// first is the thread of the first line about inv.
func first(inv invocation.Invocation) id.Seq {
	switch {
	case inv.InThread == nil, private(inv):
		return inv.Thread
	case *inv.InThread:
		return cmp.Or(inv.Thread, inv.Message)
	}
	return 0
}

// thread is where further lines about inv belong.
func thread(inv invocation.Invocation) id.Seq {
	switch {
	case inv.InThread != nil && !*inv.InThread && !private(inv):
		return 0
	case inv.Thread != 0:
		return inv.Thread
	case private(inv):
		return 0
	case inv.Message != 0:
		return inv.Message
	}
	return inv.Living
}

// private reports whether what is said about inv is for who asked alone.
func private(inv invocation.Invocation) bool {
	return inv.By.User != "" && (inv.Private || inv.State == invocation.Denied || inv.Cause == invocation.ReasonRefused)
}

// post says something where inv was asked, or else to who asked alone. When
// there is nowhere to say it, it is not said.
func (d *Desk) post(tx *store.Tx, inv invocation.Invocation, in id.Seq, s said) (id.Seq, error) {
	own := room.DirectOf(inv.By.User, room.Bot)
	where := []dispatch.Line{{Room: inv.Room, Thread: in}, {Room: inv.Room}, {Room: own}}
	switch {
	case private(inv) && inv.Room == own:
		where = where[:2]
	case private(inv):
		where = where[2:]
	case inv.By.User == "":
		where = where[:2]
	}
	seq := tx.NextSeq()
	doc, buttons := d.armed(tx, s, seq, inv)
	for _, l := range where {
		l.Text, l.Doc, l.Invocation, l.Calls = s.text, doc, inv.ID, s.calls
		if l.Room == room.Main && l.Thread == 0 {
			l.Incident = inv.Incident
		}
		n, err := dispatch.Answer(tx, l)
		if fault.CodeOf(err) == fault.CodeInternal {
			return 0, err
		}
		if err != nil {
			continue
		}
		if inv.State.Over() {
			tx.AppendEvent(invocation.Event{
				Invocation: inv.ID, Kind: invocation.EventDelivered, By: tx.Org.Settings.Bot.Actor(), State: inv.State, Room: l.Room, Message: n,
			})
		}
		return n, d.show(tx, inv, l.Room, n, buttons)
	}
	d.log.Warn("command: nowhere to answer", "invocation", inv.ID)
	return 0, nil
}

// show makes the files and buttons of a message that was posted belong to it.
func (d *Desk) show(tx *store.Tx, inv invocation.Invocation, in id.Room, seq id.Seq, buttons []store.Action) error {
	for _, b := range buttons {
		tx.AddAction(b)
	}
	for _, shown := range inv.Files {
		f, err := tx.File(shown.ID)
		if errors.Is(err, store.ErrNotFound) || err == nil && f.Seq != 0 {
			continue
		}
		if err != nil {
			return err
		}
		f.Room, f.Seq = in, seq
		if err := tx.PutFile(f); err != nil {
			return err
		}
	}
	return nil
}

// revise changes what was said about inv.
func (d *Desk) revise(tx *store.Tx, seq id.Seq, inv invocation.Invocation, s said) error {
	doc, buttons := d.armed(tx, s, seq, inv)
	for _, b := range buttons {
		tx.AddAction(b)
	}
	return change(tx, seq, s.text, doc)
}

// change changes what the bot said. Somebody may have removed it, and then
// nobody misses it.
func change(tx *store.Tx, seq id.Seq, text string, doc *timeline.Document) error {
	err := dispatch.Revise(tx, seq, text, doc)
	if fault.CodeOf(err) != fault.CodeInternal {
		return nil
	}
	return err
}

func (d *Desk) armed(tx *store.Tx, s said, seq id.Seq, inv invocation.Invocation) (*timeline.Document, []store.Action) {
	until := tx.Now.Add(buttonLife)
	if inv.State.Asks() {
		until = inv.DueAt
	}
	return d.Arm(s.doc, store.Action{Message: seq, Invocation: inv.ID, Person: s.person, ExpiresAt: until})
}

// Arm gives the buttons of a document their tokens. What it returns beside the
// document is to be written with tx.AddAction once the message is posted; of as
// says whose they are and for how long. What is said about an invocation is a
// button of it, and ends with it; any other is one of the message. The same button
// of the same message or invocation has the same token, so that a message can be
// revised.
func (d *Desk) Arm(doc *timeline.Document, of store.Action) (*timeline.Document, []store.Action) {
	if doc == nil {
		return nil, nil
	}
	with := *doc
	with.Blocks = make([]timeline.Block, len(doc.Blocks))
	var buttons []store.Action
	for i, b := range doc.Blocks {
		actions := b.Actions
		b.Actions = nil
		for _, a := range actions {
			if a.Line != "" {
				one := of
				if say, _ := d.replies(people.Actor{}, "", a.Line); say == nil {
					one.Invocation = ""
				}
				a.Token, a.Until = d.token(one, a.Line), of.ExpiresAt
				one.Hash, one.Line = secret.Hash(a.Token), a.Line
				buttons = append(buttons, one)
			}
			b.Actions = append(b.Actions, a)
		}
		with.Blocks[i] = b
	}
	return &with, buttons
}

func (d *Desk) token(of store.Action, line string) string {
	mac := hmac.New(sha256.New, d.box.Derive("buttons"))
	about := string(of.Invocation)
	if about == "" {
		about = "#" + strconv.FormatInt(int64(of.Message), 10)
	}
	_, _ = mac.Write([]byte(strings.Join([]string{about, string(of.Person), line}, "\n"))) // never fails
	return hex.EncodeToString(mac.Sum(nil))
}

// fits is doc, unless it is too long to be shown.
func fits(doc *timeline.Document) *timeline.Document {
	if doc == nil {
		return nil
	}
	if text, err := json.Marshal(doc); err != nil || len(text) > maxDoc {
		return nil
	}
	return doc
}
