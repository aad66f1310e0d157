package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

const (
	// remindAhead is how long before it begins or ends a shift is reminded of.
	remindAhead = time.Hour
	// noticeLife is for how long a mail that says how things are is tried.
	noticeLife = 6 * time.Hour
)

// remind plans the reminders of a rotation for the time since from: of shifts
// that begin or end in an hour, and of the duty that has just passed on. Nobody
// is reminded of what has been meanwhile.
func (w *Watch) remind(tx *store.Tx, x *rota, from time.Time) error {
	if !w.opts.Mail {
		return nil
	}
	var errs error
	tell := func(r people.Reminder, u id.User, key string, at time.Time, until time.Time) {
		user, ok := x.o.Users[u]
		if !ok || user.Disabled || !slices.Contains(user.Reminders, r) || errs != nil {
			return
		}
		subject := phrase.T("watch.remind."+key+".subject", x.r.Name, when(at, user))
		line := phrase.T("watch.remind."+key+".line", x.r.Name, when(at, user))
		errs = w.mail(tx, user, subject, []string{line}, until)
	}
	var last time.Time
	for _, h := range oncall.HandOvers(x.plan, from.Add(remindAhead+1), tx.Now.Add(remindAhead+1)) {
		if h.At.Equal(last) || !h.At.After(tx.Now) { // several layers at once have the same people
			continue
		}
		last = h.At
		for _, u := range without(h.After, h.Before) {
			tell(people.ShiftStart, u, "start", h.At, h.At)
		}
		for _, u := range without(h.Before, h.After) {
			tell(people.ShiftEnd, u, "end", h.At, h.At)
		}
	}
	if !x.fresh {
		for _, u := range without(x.after, x.before) {
			tell(people.HandOver, u, "on", tx.Now, tx.Now.Add(noticeLife))
		}
		for _, u := range without(x.before, x.after) {
			tell(people.HandOver, u, "off", tx.Now, tx.Now.Add(noticeLife))
		}
	}
	return errs
}

// without lists those of all who are not among the others, each once.
func without(all, others []id.User) []id.User {
	var left []id.User
	for _, u := range all {
		if !slices.Contains(others, u) && !slices.Contains(left, u) {
			left = append(left, u)
		}
	}
	return left
}

// when writes an instant as its reader's clock shows it.
func when(at time.Time, reader people.User) string {
	return at.In(reader.Location()).Format("Mon 2 Jan 2006 15:04 MST")
}

// mail plans a mail to a person with a link to the rotas.
func (w *Watch) mail(tx *store.Tx, to people.User, subject string, lines []string, until time.Time) error {
	notice, err := json.Marshal(notify.Notice{
		Subject: subject, Lines: lines, Action: phrase.T("watch.open"), URL: w.opts.PublicURL + "/oncall",
	})
	if err != nil {
		return fmt.Errorf("write notice: %w", err)
	}
	once := "watch:" + id.New() // what makes it once is the cursor beside it
	tx.AddDelivery(store.Delivery{
		Key: once, Kind: store.NoticeMail, DueAt: tx.Now, ExpiresAt: until, Person: to.ID,
		Contact: id.Contact(once), // its own, so that it is never bundled
		Body:    store.DeliveryBody{Method: string(people.Email), Address: to.Email, Sealed: w.box.Seal(string(notice))},
	})
	return nil
}

const (
	newsCursor = "watch/news"
	newsAtOnce = 200 // entries in one transaction
)

// news mails swap requests to who is asked, and answers to who has asked.
func (w *Watch) news(ctx context.Context, m *memory) error {
	kinds := []timeline.Kind{timeline.SwapAsked, timeline.SwapAnswered}
	behind, err := w.store.Behind(ctx, newsCursor, kinds...)
	if err != nil || !behind {
		return err
	}
	var cursors map[string]id.Seq
	err = w.store.Do(ctx, func(tx *store.Tx) error {
		if err := m.begin(tx, newsCursor); err != nil {
			return err
		}
		entries, upto, err := tx.EntriesAfter(m.cursors[newsCursor], newsAtOnce, kinds...)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := w.swap(tx, e); err != nil {
				return err
			}
		}
		cursors = map[string]id.Seq{newsCursor: upto}
		set(tx, cursors)
		return nil
	})
	if err == nil {
		m.keep(cursors)
	}
	return err
}

func (w *Watch) swap(tx *store.Tx, e timeline.Entry) error {
	if !w.opts.Mail || tx.Now.Sub(e.At) > noticeLife {
		return nil
	}
	var reader id.User
	var key, other, rotation, note string
	var start, end time.Time
	switch p := e.Payload.(type) {
	case timeline.Swap:
		reader, key, other, rotation, note, start, end = p.To, "asked", p.FromName, p.RotationName, p.Note, p.Start, p.End
	case timeline.SwapAnswer:
		reader, key, other, rotation, start, end = p.From, "declined", p.ToName, p.RotationName, p.Start, p.End
		if p.Accepted {
			key = "accepted"
		}
	}
	user, ok := tx.Org.Users[reader]
	if !ok || user.Disabled || e.Actor.User == reader { // who did it knows it
		return nil
	}
	lines := []string{phrase.T("watch.swap."+key+".line", other, rotation, when(start, user), when(end, user))}
	if note != "" {
		lines = append(lines, note)
	}
	return w.mail(tx, user, phrase.T("watch.swap."+key+".subject", other, rotation), lines, tx.Now.Add(noticeLife))
}
