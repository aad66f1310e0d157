package dispatch

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Line is what somebody says.
type Line struct {
	Room     id.Room
	Thread   id.Seq      // the message it answers; 0: none
	Incident id.Incident // of the first room only; 0: none
	Text     string      // may be empty when there are files
	Files    []id.File   // uploaded by the same person, and shown nowhere yet
	Quote    id.Seq
	Actions  []timeline.Action // buttons: label, command line and style
	// Of a bot's answer only.
	Invocation id.Invocation
	Doc        *timeline.Document
	Calls      []id.User // whom it calls beside those that it names

	scopes []string  // of the token it comes by
	proven time.Time // when who writes had shown their second factor
}

// MaxFiles is how many files one message shows.
const MaxFiles = 10

// Say writes a line into a room and returns its number. Who may not read the
// room is told that there is none, and who talks too fast when to come back.
func (d *Dispatcher) Say(ctx context.Context, actor people.Actor, l Line) (id.Seq, error) {
	if !room.Speaks(actor, l.Room) {
		return 0, forbidden()
	}
	if err := d.pace.mayTalk(actor, time.Now()); err != nil {
		return 0, err
	}
	l.Invocation, l.Doc, l.Calls, l.scopes, l.proven = "", nil, nil, nil, time.Time{}
	for _, p := range actor.Scopes {
		l.scopes = append(l.scopes, string(p))
	}
	var err error
	if l.Actions, err = cleanButtons(l.Actions); err != nil {
		return 0, err
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (id.Seq, error) {
		if _, err := writable(tx.Org, actor.User, l.Room); err != nil {
			return 0, err
		}
		l.Doc = withButtons(tx, l.Actions, tx.NextSeq())
		if actor.Proven(tx.Now) {
			l.proven = actor.ProvenAt
		}
		return say(tx, actor.Who(), l)
	})
}

// Post writes a line into the organisation's timeline; incident is 0 for none.
func (d *Dispatcher) Post(ctx context.Context, actor people.Actor, n id.Incident, text string) error {
	_, err := d.Say(ctx, actor, Line{Incident: n, Text: text})
	return err
}

// Answer is the bot saying something, within a transaction of who made it speak.
func Answer(tx *store.Tx, l Line) (id.Seq, error) {
	l.Files = nil
	return say(tx, tx.Org.Settings.Bot.Actor(), l)
}

// Answer is the bot saying something.
func (d *Dispatcher) Answer(ctx context.Context, l Line) (id.Seq, error) {
	return store.InTx(ctx, d.store, func(tx *store.Tx) (id.Seq, error) { return Answer(tx, l) })
}

// say is called when by may write in the room.
func say(tx *store.Tx, by timeline.Actor, l Line) (id.Seq, error) {
	r, ok := tx.Org.Room(l.Room)
	if !ok {
		return 0, noRoom()
	}
	text, err := cleanLine(l)
	if err != nil {
		return 0, err
	}
	if err := quotes(tx, by.User, l.Quote); err != nil {
		return 0, err
	}
	said := timeline.Message{Text: text, Quote: l.Quote, Invocation: l.Invocation, Doc: l.Doc, Scopes: l.scopes, ProvenAt: l.proven}
	seq := tx.NextSeq()
	e := timeline.Entry{Kind: timeline.MessagePosted, Actor: by, Person: by.User, Room: l.Room, Thread: l.Thread}
	if l.Thread != 0 {
		root, err := reply(tx, l.Room, l.Thread, by.User)
		if err != nil {
			return 0, err
		}
		l.Incident = root.Incident // a thread stays with its incident
	}
	if l.Incident != 0 {
		if l.Room != room.Main {
			return 0, fault.Invalid("incident", phrase.T("room.incident_elsewhere"))
		}
		inc, err := load(tx, l.Incident)
		if err != nil {
			return 0, err
		}
		e.Incident, e.Team = l.Incident, inc.Team
	}
	if said.Files, err = show(tx, by.User, l, seq); err != nil {
		return 0, err
	}
	said.Mentions, said.Everybody = tx.Org.Called(text, r, tx.Now)
	for _, u := range l.Calls {
		if r.CanRead(u) && !slices.Contains(said.Mentions, u) {
			said.Mentions = append(said.Mentions, u)
		}
	}
	said.Mentions = slices.DeleteFunc(said.Mentions, func(u id.User) bool { return u == by.User })
	for _, u := range said.Mentions {
		tx.AddMention(u, l.Room, seq)
	}
	if by.User != "" {
		tx.SetMark(by.User, l.Room, seq) // who writes has read
	}
	if a, b, ok := room.DirectMembers(l.Room); ok { // the room stands in the lists of both from now on
		for _, u := range []id.User{a, b} {
			if u != by.User && u != room.Bot {
				tx.SetMark(u, l.Room, 0)
			}
		}
	}
	e.Payload = said
	tx.Append(e)
	return seq, nil
}

func cleanLine(l Line) (string, error) {
	if people.Blank(l.Text) && (len(l.Files) > 0 || l.Doc != nil) {
		return "", nil
	}
	return cleanText(l.Text)
}

// quotes refuses to quote what its author may not read. Of what does not exist
// nobody can tell it.
func quotes(tx *store.Tx, by id.User, of id.Seq) error {
	if of == 0 {
		return nil
	}
	e, m, err := message(tx, of)
	if fault.CodeOf(err) == fault.CodeInternal {
		return err
	}
	if err != nil || !tx.Org.CanRead(by, e.Room) || !m.DeletedAt.IsZero() {
		return fault.Invalid("quote", phrase.T("room.no_message"))
	}
	return nil
}

// reply counts an answer; it returns the first message of a thread that somebody is about to write in.
func reply(tx *store.Tx, in id.Room, root id.Seq, by id.User) (timeline.Entry, error) {
	e, m, err := message(tx, root)
	switch {
	case fault.CodeOf(err) == fault.CodeInternal:
		return e, err
	case err != nil, e.Room != in || e.Thread != 0 || !m.DeletedAt.IsZero():
		return e, fault.Invalid("thread", phrase.T("room.no_thread"))
	}
	m.Replies++
	m.RepliedAt = tx.Now
	if by != "" && !slices.Contains(m.Repliers, by) {
		m.Repliers = append(m.Repliers, by)
	}
	return e, tx.PutMessage(m)
}

// show makes uploaded files part of a message.
func show(tx *store.Tx, by id.User, l Line, seq id.Seq) ([]timeline.File, error) {
	if len(l.Files) > MaxFiles {
		return nil, fault.Invalid("files", phrase.T("room.many_files", MaxFiles))
	}
	var shown []timeline.File
	for _, n := range l.Files {
		f, err := tx.File(n)
		if errors.Is(err, store.ErrNotFound) || err == nil && (by == "" || f.Person != by || f.Seq != 0 || n == tx.Org.Settings.Bot.Picture) {
			return nil, fault.Invalid("files", phrase.T("room.no_file"))
		}
		if err != nil {
			return nil, err
		}
		f.Room, f.Seq = l.Room, seq
		if err := tx.PutFile(f); err != nil {
			return nil, err
		}
		shown = append(shown, f.File)
	}
	return shown, nil
}

// Edit gives a message another text. Only its author may.
func (d *Dispatcher) Edit(ctx context.Context, actor people.Actor, seq id.Seq, text string) error {
	if !actor.May(people.Talk) {
		return forbidden()
	}
	return d.store.Do(ctx, func(tx *store.Tx) error {
		e, m, err := heard(tx, actor, seq)
		switch {
		case err != nil:
			return err
		case e.Person != actor.User:
			return fault.Forbidden(phrase.T("room.not_yours"))
		}
		was := m.Over(e.Payload.(timeline.Message))
		if text, err = cleanText(text); err != nil || text == was.Text {
			return err
		}
		m.Edits++
		if m.Versions = append(m.Versions, store.Version{Text: was.Text, At: laterOf(e.At, was.EditedAt)}); len(m.Versions) > store.MaxVersions {
			m.Versions = m.Versions[1:]
		}
		edit, here := called(tx, e, &m, text)
		for _, u := range edit.Mentions {
			tx.AddMention(u, e.Room, seq)
		}
		for _, u := range was.Mentions {
			if !slices.Contains(edit.Mentions, u) {
				tx.DropMention(u, seq)
			}
		}
		m.Now = &store.Version{Text: text, At: tx.Now, Mentions: edit.Mentions, Everybody: here}
		return about(tx, e, m, actor.Who(), edit)
	})
}

// called says whom an edited message calls, and whom of them for the first time.
func called(tx *store.Tx, e timeline.Entry, m *store.Message, text string) (edit timeline.Edit, here bool) {
	posted := e.Payload.(timeline.Message)
	before := slices.Concat(posted.Mentions, m.Called)
	if m.Now != nil {
		before = append(before, m.Now.Mentions...)
	}
	r, _ := tx.Org.Room(e.Room)
	users, here := tx.Org.Called(text, r, tx.Now)
	edit = timeline.Edit{Of: e.Seq, Text: text, Here: here && !posted.Everybody && !m.CalledHere}
	m.CalledHere = m.CalledHere || edit.Here
	for _, u := range users {
		if u == e.Person {
			continue
		}
		edit.Mentions = append(edit.Mentions, u)
		if !slices.Contains(before, u) {
			edit.Calls = append(edit.Calls, u)
		}
	}
	m.Called = append(slices.Clone(m.Called), edit.Calls...)
	return edit, here
}

func laterOf(a, b time.Time) time.Time {
	if b.IsZero() {
		return a
	}
	return b
}

// Revise changes what the bot said: the living message of a command.
func Revise(tx *store.Tx, seq id.Seq, text string, doc *timeline.Document) error {
	e, m, err := message(tx, seq)
	if err != nil {
		return err
	}
	if e.Actor.Origin != timeline.Bot || !m.DeletedAt.IsZero() {
		return fault.Forbidden(phrase.T("room.not_yours"))
	}
	m.Now = &store.Version{Text: strings.TrimSpace(text), At: tx.Now, Doc: doc}
	return about(tx, e, m, e.Actor, timeline.Edit{Of: seq, Text: m.Now.Text, Doc: doc})
}

// Revise changes what the bot said.
func (d *Dispatcher) Revise(ctx context.Context, seq id.Seq, text string, doc *timeline.Document) error {
	return d.store.Do(ctx, func(tx *store.Tx) error { return Revise(tx, seq, text, doc) })
}

// Delete puts a tombstone in a message's place. Its author may, and who manages.
func (d *Dispatcher) Delete(ctx context.Context, actor people.Actor, seq id.Seq) error {
	if !actor.May(people.Talk) {
		return forbidden()
	}
	return d.store.Do(ctx, func(tx *store.Tx) error {
		e, m, err := heard(tx, actor, seq)
		switch {
		case err != nil:
			return err
		case e.Person != actor.User && !actor.May(people.Manage):
			return fault.Forbidden(phrase.T("room.not_yours"))
		}
		tx.DropMentions(seq)
		m.DeletedAt, m.DeletedBy, m.PinnedAt, m.Reactions = tx.Now, actor.Who(), time.Time{}, nil
		tx.HideFiles(seq)
		p := timeline.Deletion{Of: seq}
		if e.Person != actor.User {
			p.Author = e.Actor.Name
		}
		return about(tx, e, m, actor.Who(), p)
	})
}

// message is an entry that is a message, and what became of it.
func message(tx *store.Tx, seq id.Seq) (timeline.Entry, store.Message, error) {
	e, err := tx.Entry(seq)
	if errors.Is(err, store.ErrNotFound) || err == nil && e.Kind != timeline.MessagePosted {
		return e, store.Message{}, noMessage()
	}
	if err != nil {
		return e, store.Message{}, err
	}
	m, err := tx.Message(seq)
	m.Room = e.Room
	return e, m, err
}

// heard is a message in a room in which actor may write, and that still is one.
func heard(tx *store.Tx, actor people.Actor, seq id.Seq) (timeline.Entry, store.Message, error) {
	e, m, err := message(tx, seq)
	if err != nil {
		return e, m, err
	}
	if !tx.Org.CanRead(actor.User, e.Room) || !m.DeletedAt.IsZero() {
		return e, m, noMessage()
	}
	_, err = writable(tx.Org, actor.User, e.Room)
	return e, m, err
}

// about writes down what happened to a message, in its room.
func about(tx *store.Tx, e timeline.Entry, m store.Message, by timeline.Actor, p timeline.Payload) error {
	if err := tx.PutMessage(m); err != nil {
		return err
	}
	tx.Append(timeline.Entry{
		Kind: p.Kind(), Actor: by, Person: by.User, Room: e.Room, Thread: e.Thread, Incident: e.Incident, Team: e.Team, Payload: p,
	})
	return nil
}

// writable is a room that somebody may write in.
func writable(o *org.Org, u id.User, n id.Room) (room.Room, error) {
	r, ok := o.Room(n)
	switch {
	case !ok, !r.CanRead(u):
		return r, noRoom()
	case r.Closed:
		return r, fault.Conflict(phrase.T("room.closed", r.Slug))
	}
	return r, nil
}

func noRoom() error    { return fault.NotFound(phrase.T("room.none")) }
func noMessage() error { return fault.NotFound(phrase.T("room.no_message")) }
