// Package herald tells people of conversation as they asked for it: who calls
// them by name, or writes to them alone, reaches their devices when they want
// that. It follows the timeline behind its writers and plans what leaves; a
// message is told to nobody twice. It leaves marks in the browser to the pages,
// and pages for incidents to the policies.
package herald

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/paging"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

const (
	// Cursor is the follower's name among the cursors.
	Cursor = "herald"
	atOnce = 200
	// rests is how many entries that call nobody the cursor rests before.
	rests = 20
	// lasts is for how long it is worth telling.
	lasts = time.Hour
	// shown is how much of a message stands in what is sent.
	shown = 300
)

// Sealer encrypts what is sent until it leaves.
type Sealer interface{ Seal(plain string) string }

// Herald follows the timeline.
type Herald struct {
	store     *store.Store
	box       Sealer
	log       *slog.Logger
	publicURL string
	interval  time.Duration
}

// New returns a Herald that looks at least every interval. Links begin with publicURL.
func New(s *store.Store, box Sealer, log *slog.Logger, publicURL string, interval time.Duration) *Herald {
	return &Herald{store: s, box: box, log: log, publicURL: publicURL, interval: interval}
}

// Run tells people until ctx ends.
func (h *Herald) Run(ctx context.Context) error {
	wake, stop := h.store.Wake(store.Messages)
	defer stop()
	for {
		more, err := h.runOnce(ctx)
		if err != nil && ctx.Err() == nil {
			h.log.ErrorContext(ctx, "follow timeline", "subscriber", Cursor, "err", err)
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-time.After(h.interval):
		}
	}
}

func (h *Herald) runOnce(ctx context.Context) (more bool, err error) {
	defer fault.Recover(&err)
	waiting, err := h.store.EntriesFor(ctx, Cursor, rests, kinds...)
	if err != nil || len(waiting) < rests && !slices.ContainsFunc(waiting, calls) {
		return false, err
	}
	present, err := h.store.Present(ctx)
	if err != nil {
		return false, err
	}
	return store.InTx(ctx, h.store, func(tx *store.Tx) (bool, error) {
		at, err := tx.Cursor(Cursor)
		if err != nil {
			return false, err
		}
		entries, upto, err := tx.EntriesAfter(at, atOnce, kinds...)
		if err != nil {
			return false, err
		}
		for _, e := range entries {
			said, told, err := news(tx, e)
			if err != nil {
				return false, err
			}
			all := slices.DeleteFunc(Callings(tx.Org, said, present, tx.Now), func(c Calling) bool { return slices.Contains(told, c.User.ID) })
			if err := h.tell(tx, said, all); err != nil {
				return false, err
			}
		}
		if upto > at {
			tx.SetCursor(Cursor, upto)
		}
		return len(entries) > 0, nil
	})
}

// kinds are the entries by which people are called.
var kinds = []timeline.Kind{timeline.MessagePosted, timeline.MessageEdited}

// calls reports whether an entry might call anybody, and is worth a transaction.
func calls(e timeline.Entry) bool {
	switch p := e.Payload.(type) {
	case timeline.Message:
		return len(p.Mentions) > 0 || p.Everybody || directTo(e) != "" && e.Actor.Origin != timeline.Bot
	case timeline.Edit:
		return len(p.Calls) > 0 || p.Here
	}
	return false
}

// news is the message by which an entry calls people, and who was told of it
// before: an edit calls those alone whom the message had not called.
func news(tx *store.Tx, e timeline.Entry) (said timeline.Entry, told []id.User, err error) {
	edit, ok := e.Payload.(timeline.Edit)
	if !ok || len(edit.Calls) == 0 && !edit.Here {
		return e, nil, nil // an edit that calls nobody is no message, and tells nobody
	}
	said, err = tx.Entry(edit.Of)
	m, ok := said.Payload.(timeline.Message)
	if errors.Is(err, store.ErrNotFound) || err == nil && !ok {
		return e, nil, nil
	}
	became, lost := tx.Message(edit.Of)
	if err = errors.Join(err, lost); err != nil {
		return said, nil, err
	}
	for _, u := range append(slices.Clone(became.Called), directTo(said)) {
		if !slices.Contains(edit.Calls, u) {
			told = append(told, u)
		}
	}
	told = append(told, m.Mentions...)
	m.Mentions, m.Everybody = edit.Calls, edit.Here
	said.At, said.Payload = e.At, m
	return said, told, nil
}

// Calling is one contact method by which somebody hears of a message.
type Calling struct {
	User    people.User
	Contact people.Contact
	Direct  bool // it was written to them alone
}

// Callings says whom a message reaches outside of the browser, and how. Nobody
// is told of what they wrote, of what they may not read, or in their quiet hours.
func Callings(o *org.Org, e timeline.Entry, present []store.Presence, now time.Time) []Calling {
	m, ok := e.Payload.(timeline.Message)
	if !ok || now.Sub(e.At) > lasts {
		return nil
	}
	var all []Calling
	direct := directTo(e)
	for _, u := range called(e, m, direct, present) {
		user, ok := o.Users[u]
		if !ok || user.Disabled || u == e.Person || !o.CanRead(u, e.Room) || user.Quiet(now) {
			continue
		}
		hears := user.Chat.Mentions
		if u == direct {
			hears = user.Chat.Direct
		}
		for _, c := range contacts(user, hears, now) {
			all = append(all, Calling{user, c, u == direct})
		}
	}
	return all
}

// directTo is the other one in a conversation of two.
func directTo(e timeline.Entry) id.User {
	a, b, ok := room.DirectMembers(e.Room)
	switch {
	case !ok:
		return ""
	case e.Person == a || e.Actor.Origin == timeline.Bot && a == room.Bot:
		return b
	}
	return a
}

func called(e timeline.Entry, m timeline.Message, direct id.User, present []store.Presence) []id.User {
	users := slices.Clone(m.Mentions)
	if direct != "" && !slices.Contains(users, direct) && e.Actor.Origin != timeline.Bot { // the bot answers; it does not call
		users = append(users, direct)
	}
	if m.Everybody {
		for _, p := range present {
			if !slices.Contains(users, p.Person) {
				users = append(users, p.Person)
			}
		}
	}
	return users
}

// pushes are the methods that show on a device and disturb nobody with a call.
var pushes = []people.Method{people.WebPush, people.Ntfy, people.Gotify, people.Pushover, people.Telegram}

func contacts(u people.User, hears people.Hearing, now time.Time) []people.Contact {
	var all []people.Contact
	switch hears {
	case people.HearPush:
		for _, c := range u.Usable() {
			if slices.Contains(pushes, c.Method) {
				all = append(all, c)
			}
		}
	case people.HearPage:
		attempts := paging.Plan(u, people.Low, now, false).Attempts
		for _, a := range attempts {
			if a.After == attempts[0].After {
				all = append(all, a.Contact)
			}
		}
	}
	return all
}

// tell plans how a message reaches those it calls, as it reads now: nobody is
// told of what was deleted meanwhile.
func (h *Herald) tell(tx *store.Tx, e timeline.Entry, all []Calling) error {
	if len(all) == 0 {
		return nil
	}
	became, err := tx.Message(e.Seq)
	if err != nil || !became.DeletedAt.IsZero() {
		return err
	}
	if m, ok := e.Payload.(timeline.Message); ok {
		e.Payload = became.Over(m)
	}
	for _, c := range all {
		if err := h.plan(tx, e, c); err != nil {
			return err
		}
	}
	return nil
}

func (h *Herald) plan(tx *store.Tx, e timeline.Entry, c Calling) error {
	m, _ := e.Payload.(timeline.Message)
	r, _ := tx.Org.Room(e.Room)
	key, in := "herald.called", r.Shown(c.User.ID, tx.Org.UserName)
	if c.Direct {
		key = "herald.direct"
	}
	text := alert.Cut(m.Text, shown)
	if text == "" && len(m.Files) > 0 {
		text = m.Files[0].Name
	}
	body, err := json.Marshal(notify.Notice{
		Subject: phrase.T(key, e.Actor.Name, in), Lines: []string{text},
		Action: phrase.T("herald.open"), URL: h.publicURL + Address(r, e),
	})
	if err != nil {
		return fmt.Errorf("write notice: %w", err)
	}
	tx.AddDelivery(store.Delivery{
		Key: fmt.Sprintf("said:%d:%s", e.Seq, c.Contact.ID), Kind: store.NoticeMail, DueAt: tx.Now, ExpiresAt: tx.Now.Add(lasts),
		Entry: e.Seq, Person: c.User.ID, Contact: c.Contact.ID,
		Body: store.DeliveryBody{Method: string(c.Contact.Method), Address: c.Contact.Address, Sealed: h.box.Seal(string(body))},
	})
	return nil
}

// Address is where a message stands among our pages.
func Address(r room.Room, e timeline.Entry) string {
	seq := strconv.FormatInt(int64(e.Seq), 10)
	if e.Thread != 0 {
		seq = strconv.FormatInt(int64(e.Thread), 10)
	}
	switch {
	case e.Incident != 0:
		return "/incidents/" + strconv.FormatInt(int64(e.Incident), 10) + "#e" + seq
	case r.ID == room.Main:
		return "/?after=" + seq
	case r.Slug != "":
		return "/rooms/" + r.Slug + "?around=" + seq
	}
	return "/rooms/" + string(r.ID) + "?around=" + seq
}
