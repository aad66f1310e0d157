// Package bot is who answers in the rooms: it hears what is addressed to it,
// makes commands of it that package runner runs, says privately what was not
// understood, greets newcomers and shows them around. It follows the timeline
// with a cursor, and what it makes of a message is in the same transaction as
// the step of the cursor: a message is heard once, whatever crashes when.
//
// Who may do what is decided by the organisation's rules (package permit); what
// the built-in commands do is in package builtin.
package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/runner"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

const (
	// Cursor is the follower's name among the cursors.
	Cursor = "bot"
	atOnce = 50
	// rests is how many entries that are none of its concern the cursor rests before.
	rests = 20
	// stale is how old a message is that is not obeyed any more: whoever wrote
	// it before a long downtime has found another way.
	stale = 10 * time.Minute
	// maxAbout is how much of a line is repeated to who gave it, in characters.
	maxAbout = 200
)

// Bot follows the timeline and answers.
type Bot struct {
	store      *store.Store
	dispatcher *dispatch.Dispatcher
	desk       *runner.Desk
	judge      *Judge
	catalogue  *Catalogue
	values     *values
	log        *slog.Logger
	interval   time.Duration
}

// New returns a Bot that looks at least every interval.
func New(s *store.Store, d *dispatch.Dispatcher, desk *runner.Desk, judge *Judge, log *slog.Logger, interval time.Duration) *Bot {
	return &Bot{store: s, dispatcher: d, desk: desk, judge: judge, catalogue: judge.catalogue, values: newValues(), log: log, interval: interval}
}

// Run answers until ctx ends.
func (b *Bot) Run(ctx context.Context) error {
	wake, stop := b.store.Wake(store.Messages)
	defer stop()
	for {
		more, err := b.runOnce(ctx)
		if err != nil && ctx.Err() == nil {
			b.log.ErrorContext(ctx, "follow timeline", "subscriber", Cursor, "err", err)
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-time.After(b.interval):
		}
	}
}

func (b *Bot) runOnce(ctx context.Context) (more bool, err error) {
	defer fault.Recover(&err)
	if b.catalogue.Refresh() {
		for _, p := range b.catalogue.Problems() {
			b.log.WarnContext(ctx, "command that cannot be used", "from", p.From, "err", p.Why)
		}
	}
	if err := b.greet(ctx); err != nil {
		return false, err
	}
	waiting, err := b.store.EntriesFor(ctx, Cursor, rests, kinds...)
	if err != nil || len(waiting) < rests && !slices.ContainsFunc(waiting, concerns) {
		return false, err
	}
	return b.follow(ctx, func(tx *store.Tx, e timeline.Entry) error {
		if e.Kind == timeline.MessageEdited {
			return b.rehear(tx, e)
		}
		return b.hear(tx, e)
	})
}

var kinds = []timeline.Kind{timeline.MessagePosted, timeline.MessageEdited}

// concerns reports whether an entry is worth a transaction: what the bot changes
// of its own messages it does not hear, and that is most of what there is.
func concerns(e timeline.Entry) bool { return e.Kind == timeline.MessagePosted || e.Person != "" }

// unheard is why a message could not be heard. With a code of fault it is about
// that one, and no reason not to hear the others.
type unheard struct {
	seq id.Seq
	err error
}

func (u *unheard) Error() string { return fmt.Sprintf("hear message %d: %v", u.seq, u.err) }
func (u *unheard) Unwrap() error { return u.err }

// follow hears the next messages. One that cannot be heard is passed over, and
// nothing of it stays.
func (b *Bot) follow(ctx context.Context, hear func(*store.Tx, timeline.Entry) error) (more bool, err error) {
	passed := map[id.Seq]bool{}
	for {
		more, err := b.batch(ctx, hear, passed)
		var one *unheard
		if !errors.As(err, &one) || fault.CodeOf(err) == fault.CodeInternal {
			return more, err
		}
		b.log.WarnContext(ctx, "pass over a message", "seq", one.seq, "err", one.err)
		passed[one.seq] = true
	}
}

func (b *Bot) batch(ctx context.Context, hear func(*store.Tx, timeline.Entry) error, passed map[id.Seq]bool) (more bool, err error) {
	return store.InTx(ctx, b.store, func(tx *store.Tx) (bool, error) {
		at, err := tx.Cursor(Cursor)
		if err != nil {
			return false, err
		}
		entries, upto, err := tx.EntriesAfter(at, atOnce, kinds...)
		if err != nil {
			return false, err
		}
		for _, e := range entries {
			if passed[e.Seq] {
				continue
			}
			if err := hear(tx, e); err != nil {
				return false, &unheard{e.Seq, err}
			}
		}
		if upto > at {
			tx.SetCursor(Cursor, upto)
		}
		return len(entries) > 0, nil
	})
}

// hear makes of a message what it asks for.
func (b *Bot) hear(tx *store.Tx, e timeline.Entry) error {
	m, ok := e.Payload.(timeline.Message)
	u, known := tx.Org.Users[e.Person]
	if !ok || !known || u.Disabled || u.Robot || m.Text == "" || tx.Now.Sub(e.At) > stale {
		return nil // what a program writes is no command, and no answer to a question
	}
	actor := people.Actor{User: u.ID, Name: u.Name, Role: u.Role, Scopes: scopes(m), Origin: timeline.Chat, ProvenAt: m.ProvenAt}
	if answered, err := b.confirm(tx, actor, e, m.Text); answered || err != nil {
		return err
	}
	line, how, ok := b.Addressed(tx.Org, u, e.Room, m.Text)
	if !ok {
		return nil
	}
	return b.give(tx, given{actor: actor, user: u, line: line, raw: m.Text, asked: how.Asked(), entry: e})
}

// rehear makes of a line that was written anew what it asks for now, when what it
// asked for waits still to be confirmed, proven or approved; that is given up.
// Any other edit is no order. What a program has edited is given up alone: an
// edit does not say what its token may do.
func (b *Bot) rehear(tx *store.Tx, e timeline.Entry) error {
	edit, ok := e.Payload.(timeline.Edit)
	u, known := tx.Org.Users[e.Person]
	if !ok || !known || u.Disabled || u.Robot || tx.Now.Sub(e.At) > stale {
		return nil
	}
	actor := people.Actor{User: u.ID, Name: u.Name, Role: u.Role, Origin: timeline.Chat}
	waited, err := b.desk.TakeBack(tx, actor, edit.Of)
	if err != nil || !waited || e.Actor.Origin == timeline.API {
		return err
	}
	line, how, ok := b.Addressed(tx.Org, u, e.Room, edit.Text)
	if !ok {
		return nil
	}
	e.Seq = edit.Of
	return b.give(tx, given{actor: actor, user: u, line: line, raw: edit.Text, asked: how.Asked(), entry: e})
}

// scopes are those of the token that a message came by; nil: it came by none, or
// by one that may all that its owner may.
func scopes(m timeline.Message) []people.Permission {
	var all []people.Permission
	for _, s := range m.Scopes {
		all = append(all, people.Permission(s))
	}
	return all
}

// Addressed reports whether a message in a room is a command, and which.
func (b *Bot) Addressed(o *org.Org, u people.User, in id.Room, text string) (line string, how command.How, ok bool) {
	r, ok := o.Room(in)
	if !ok {
		return "", "", false
	}
	where := command.Where{
		BotNames: []string{o.Settings.Bot.Called()}, Sigil: o.Settings.Bot.SigilIn(r), Direct: in == room.DirectOf(u.ID, room.Bot), Machine: u.Robot,
	}
	if line, how, ok = command.Addressed(text, where, b.catalogue.Tree()); ok || where.Sigil == "" {
		return line, how, ok
	}
	where.Sigil = slash // what people are used to from other products
	return command.Addressed(text, where, b.catalogue.Tree())
}

// slash begins a command wherever a sigil does.
const slash = "/"

// Complete says how the line of a command, without what addresses it, goes on
// at a byte of it: with what the one who types may run.
func (b *Bot) Complete(ctx context.Context, actor people.Actor, in id.Room, line string, at int) (command.Completion, error) {
	o, err := b.store.Org(ctx)
	if err != nil {
		return command.Completion{}, err
	}
	now, err := b.store.Now(ctx)
	if err != nil {
		return command.Completion{}, err
	}
	may := b.judge.allowed(o, actor, place{room: in, via: timeline.Chat}, now)
	tree := b.catalogue.Tree().Only(func(d command.Declaration) bool {
		return slices.ContainsFunc(may, func(m command.Declaration) bool { return m.ID == d.ID })
	})
	return tree.Complete(line, at, completer{lookup{o, actor.User, in, now}, ctx, b, actor}), nil
}

// Heard reports whether the built-in bot takes a message for itself, so that
// robots need not hear it, too.
func (b *Bot) Heard(o *org.Org, e timeline.Entry) bool {
	m, ok := e.Payload.(timeline.Message)
	u, known := o.Users[e.Person]
	if !ok || !known {
		return false
	}
	_, _, addressed := b.Addressed(o, u, e.Room, m.Text)
	return addressed
}

var (
	yes = []string{"yes", "y", "yes!", "confirm", "do it", "ok"}
	no  = []string{"no", "n", "cancel", "stop", "don't"}
)

// confirm takes a yes or a no, when one was asked for here.
func (b *Bot) confirm(tx *store.Tx, actor people.Actor, e timeline.Entry, text string) (answered bool, err error) {
	text = strings.ToLower(strings.TrimRight(strings.TrimSpace(text), ".!"))
	isYes, isNo := slices.Contains(yes, text), slices.Contains(no, text)
	if !isYes && !isNo {
		return false, nil
	}
	if _, asked, err := b.desk.Asked(tx, actor, e.Room); err != nil || !asked {
		return false, err
	}
	if isYes {
		_, err = b.desk.Yes(tx, actor, e.Room)
	} else {
		_, err = b.desk.No(tx, actor, e.Room)
	}
	return true, err
}

// given is a line that somebody gave.
type given struct {
	actor people.Actor
	user  people.User
	line  string
	raw   string
	asked bool           // the bot was spoken to in words
	entry timeline.Entry // where
}

// give understands a line, decides and accepts it.
func (b *Bot) give(tx *store.Tx, g given) error {
	if now, err := tx.Message(g.entry.Seq); err != nil || !now.DeletedAt.IsZero() {
		return err // they have thought better of it
	}
	at := place{room: g.entry.Room, incident: g.entry.Incident, via: g.actor.Origin, program: g.entry.Actor.Origin == timeline.API}
	tree := b.catalogue.Tree()
	line := g.line
	if g.asked {
		if plain, ok := tree.Plain(line); ok {
			line = plain
		}
	}
	if strings.TrimSpace(line) == "" {
		line = "help"
	}
	look := lookup{tx.Org, g.actor.User, g.entry.Room, tx.Now}
	parsed, err := b.catalogue.Parse(line, look)
	var unknown *command.Unknown
	switch {
	case errors.As(err, &unknown):
		unknown.Nearest = mayRun(unknown.Nearest, b.judge.allowed(tx.Org, g.actor, at, tx.Now))
		return b.whisper(tx, g, unknownSentence(unknown))
	case err != nil:
		text := sentence(err)
		if parsed.Declaration.ID != "" {
			text += "\n" + phrase.T("bot.usage", command.Usage(parsed.Declaration))
		}
		return b.whisper(tx, g, text)
	case parsed.Options.Help:
		return b.whisper(tx, g, command.Help(parsed.Declaration))
	}
	v, err := b.judge.verdict(tx.Org, parsed, g.actor, at, tx.Now, recordOf(tx))
	if err != nil {
		return err
	}
	ask := runner.Ask{
		Parsed: parsed, Raw: g.raw, Actor: g.actor, Username: g.user.Username, Room: g.entry.Room, RoomName: roomName(tx.Org, g.entry.Room),
		Thread: g.entry.Thread, Message: g.entry.Seq, Incident: g.entry.Incident, Team: g.entry.Team,
	}
	_, err = b.desk.Accept(tx, ask, v)
	return err
}

// Give gives a line as somebody who does not type it into a room: a button, the
// API, a page.
func (b *Bot) Give(ctx context.Context, actor people.Actor, in id.Room, thread id.Seq, n id.Incident, line string) (invocation.Invocation, error) {
	return store.InTx(ctx, b.store, func(tx *store.Tx) (invocation.Invocation, error) {
		return b.giveNow(tx, actor, in, thread, n, line, runner.Ask{}, false)
	})
}

// giveNow is Give within a transaction. foreign says that a button gives it which
// somebody else has made.
func (b *Bot) giveNow(tx *store.Tx, actor people.Actor, in id.Room, thread id.Seq, n id.Incident, line string, ask runner.Ask, foreign bool) (invocation.Invocation, error) {
	u, ok := tx.Org.Users[actor.User]
	if !ok || u.Disabled {
		return invocation.Invocation{}, fault.Forbidden(phrase.T("dispatch.forbidden"))
	}
	switch r, known := tx.Org.Room(in); {
	case !known, !r.CanRead(u.ID):
		return invocation.Invocation{}, fault.NotFound(phrase.T("room.none"))
	case r.Closed:
		return invocation.Invocation{}, fault.Conflict(phrase.T("room.closed", r.Slug))
	}
	look := lookup{tx.Org, u.ID, in, tx.Now}
	parsed, err := b.catalogue.Parse(line, look)
	if err == nil && parsed.Options.Help { // who asks in this way hears of it as of any command
		line = "help " + parsed.Declaration.Name()
		parsed, err = b.catalogue.Parse(line, look)
	}
	if err != nil {
		return invocation.Invocation{}, fault.Invalid("line", sentence(err))
	}
	at := place{room: in, incident: n, via: actor.Origin, schedule: ask.Schedule.Cron != ""}
	v, err := b.judge.verdict(tx.Org, parsed, actor, at, tx.Now, recordOf(tx))
	if err != nil {
		return invocation.Invocation{}, err
	}
	if foreign && parsed.Declaration.Risk != command.Reads { // its label may say anything
		v.Confirm = true
	}
	ask.Parsed, ask.Raw, ask.Actor, ask.Username = parsed, line, actor, u.Username
	ask.Room, ask.RoomName, ask.Thread, ask.Incident = in, roomName(tx.Org, in), thread, n
	return b.desk.Accept(tx, ask, v)
}

// Press is what a button of a message does: its line, as who presses it.
func (b *Bot) Press(ctx context.Context, actor people.Actor, token string) (invocation.Invocation, error) {
	return b.desk.Press(ctx, actor, token, func(tx *store.Tx, line string, e timeline.Entry) (invocation.Invocation, error) {
		as := actor
		as.Origin = timeline.Chat
		return b.giveNow(tx, as, e.Room, e.Thread, e.Incident, line, runner.Ask{}, e.Actor.Origin != timeline.Bot)
	})
}

func mayRun(names []string, may []command.Declaration) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool {
		return !slices.ContainsFunc(may, func(d command.Declaration) bool { return d.Name() == n || slices.Contains(d.Aliases, n) })
	})
}

func unknownSentence(u *command.Unknown) string {
	if len(u.Nearest) > 0 {
		return phrase.T("bot.unknown_nearest", alert.Cut(u.Words, maxAbout), "`"+strings.Join(u.Nearest, "`, `")+"`")
	}
	return phrase.T("bot.unknown", alert.Cut(u.Words, maxAbout))
}

// whisper answers who asked alone.
func (b *Bot) whisper(tx *store.Tx, g given, text string) error {
	own := room.DirectOf(g.actor.User, room.Bot)
	if g.entry.Room != own {
		text = phrase.T("bot.about", alert.Cut(g.raw, maxAbout)) + "\n" + text
	}
	_, err := dispatch.Answer(tx, dispatch.Line{Room: own, Text: alert.Cut(text, dispatch.MaxText)})
	return err
}
