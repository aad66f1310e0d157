package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/heartbeat"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// heartbeatTool is who sends the alerts of silent jobs.
const heartbeatTool = "heartbeat"

// heartbeatEntity is what the silence of a job is about.
func heartbeatEntity(h heartbeat.Heartbeat) string { return "heartbeat/" + h.Slug }

// NewHeartbeat makes a job that must call in, and the secret in the address
// that it calls, of which only a hash is kept: it is told once. The first call
// is awaited from now on.
func (d *Dispatcher) NewHeartbeat(ctx context.Context, by people.Actor, h heartbeat.Heartbeat) (key string, made heartbeat.Heartbeat, err error) {
	if !by.May(people.Manage) {
		return "", h, forbidden()
	}
	key = id.Secret(20)
	err = d.store.Do(ctx, func(tx *store.Tx) error {
		h.ID, h.KeyHash, h.Name = heartbeat.ID(id.New()), secret.Hash(key), strings.TrimSpace(h.Name)
		if _, ok := tx.Org.Teams[h.Team]; h.Team != "" && !ok {
			return fault.Invalid("team", phrase.T("heartbeats.no_team"))
		}
		if _, err := ApplyChanges(tx, by, []org.Change{org.Put(h)}); err != nil {
			return err
		}
		tx.PutBeat(store.Beat{Heartbeat: h.ID, At: tx.Now, Paused: h.Paused})
		return nil
	})
	return key, h, err
}

// RenewHeartbeat gives a job another secret address; the old one ends with it.
func (d *Dispatcher) RenewHeartbeat(ctx context.Context, by people.Actor, n heartbeat.ID) (key string, h heartbeat.Heartbeat, err error) {
	key = id.Secret(20)
	h, err = d.changeHeartbeat(ctx, by, n, func(h *heartbeat.Heartbeat) { h.KeyHash = secret.Hash(key) })
	return key, h, err
}

// PauseHeartbeat says whether anybody waits for the calls of a job. Pausing one
// that is silent resolves its incident; a resumed one is awaited anew.
func (d *Dispatcher) PauseHeartbeat(ctx context.Context, by people.Actor, n heartbeat.ID, paused bool) error {
	_, err := d.changeHeartbeat(ctx, by, n, func(h *heartbeat.Heartbeat) { h.Paused = paused })
	if err == nil {
		_, err = d.WatchHeartbeats(ctx)
	}
	return err
}

func (d *Dispatcher) changeHeartbeat(ctx context.Context, by people.Actor, n heartbeat.ID, change func(*heartbeat.Heartbeat)) (heartbeat.Heartbeat, error) {
	var h heartbeat.Heartbeat
	_, err := d.ChangeOrg(ctx, by, func(o *org.Org) ([]org.Change, error) {
		var ok bool
		if h, ok = o.Heartbeats[n]; !ok {
			return nil, fault.NotFound(phrase.T("heartbeats.gone"))
		}
		change(&h)
		return []org.Change{org.Put(h)}, nil
	})
	return h, err
}

// DeleteHeartbeat forgets a job; when it is silent its incident is resolved.
func (d *Dispatcher) DeleteHeartbeat(ctx context.Context, by people.Actor, n heartbeat.ID) error {
	if !by.May(people.Manage) {
		return forbidden()
	}
	return d.store.Do(ctx, func(tx *store.Tx) error {
		h, ok := tx.Org.Heartbeats[n]
		if !ok {
			return fault.NotFound(phrase.T("heartbeats.gone"))
		}
		b, _, err := tx.Beat(n)
		if err != nil {
			return err
		}
		if !b.Missed.IsZero() {
			if _, err := heartbeatAlert(tx, h, alert.Recovery, phrase.T("heartbeats.alert.deleted"), b, time.Time{}); err != nil {
				return err
			}
		}
		tx.DropBeat(n)
		_, err = ApplyChanges(tx, by, []org.Change{org.Remove(org.HeartbeatKind, string(n))})
		return err
	})
}

// Beat takes the call of a job, whose secret is key, and returns by when the
// next must come; zero when nobody waits for it. The error is NotFound for an
// unknown key. A call that ends a silence resolves its incident.
func (d *Dispatcher) Beat(ctx context.Context, key string) (nextBy time.Time, err error) {
	h, err := d.heartbeatOf(ctx, secret.Hash(key))
	if err != nil {
		return time.Time{}, err
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (time.Time, error) {
		h, ok := tx.Org.Heartbeats[h.ID]
		if !ok {
			return time.Time{}, fault.NotFound(phrase.T("heartbeats.unknown"))
		}
		was, _, err := tx.Beat(h.ID)
		if err != nil {
			return time.Time{}, err
		}
		if !was.Missed.IsZero() {
			a, err := heartbeatAlert(tx, h, alert.Recovery, phrase.T("heartbeats.alert.resumed"), was, time.Time{})
			if err != nil {
				return time.Time{}, err
			}
			tx.Append(timeline.Entry{
				Kind: timeline.HeartbeatResumed, Actor: timeline.Self, Incident: a.Incident, Team: h.Team,
				Payload: timeline.Beat{Heartbeat: string(h.ID), Name: h.Name, LastAt: was.LastAt()},
			})
		}
		tx.PutBeat(store.Beat{Heartbeat: h.ID, At: tx.Now, Called: true, Paused: h.Paused})
		return h.Due(tx.Now, tx.Now), nil
	})
}

// heartbeatOf looks in what was known a moment ago first: jobs call often.
func (d *Dispatcher) heartbeatOf(ctx context.Context, hash string) (heartbeat.Heartbeat, error) {
	if k := d.known.Load(); k != nil && time.Since(k.at) < knownFor {
		if h, ok := k.org.HeartbeatByKey(hash); ok {
			return h, nil
		}
	}
	o, err := d.store.Org(ctx)
	if err != nil {
		return heartbeat.Heartbeat{}, fmt.Errorf("look up the key of a heartbeat: %w", err)
	}
	d.known.Store(&known{o, time.Now()})
	h, ok := o.HeartbeatByKey(hash)
	if !ok {
		return h, fault.NotFound(phrase.T("heartbeats.unknown"))
	}
	return h, nil
}

// heartbeatAlert takes an alert about a job as the intake does.
func heartbeatAlert(tx *store.Tx, h heartbeat.Heartbeat, kind alert.Type, message string, b store.Beat, due time.Time) (alert.Alert, error) {
	raw, err := json.Marshal(struct {
		Heartbeat string    `json:"heartbeat"`
		LastAt    time.Time `json:"last_at,omitzero"`
		DueAt     time.Time `json:"due_at,omitzero"`
	}{h.Slug, b.LastAt(), due})
	if err != nil {
		return alert.Alert{}, fmt.Errorf("write alert of heartbeat %s: %w", h.Slug, err)
	}
	entity := heartbeatEntity(h)
	open, err := tx.OpenIncidents([]string{entity})
	if err != nil {
		return alert.Alert{}, err
	}
	return arrive(tx, open, alert.Alert{
		Type: kind, EntityID: entity, Title: phrase.T("heartbeats.alert.title", h.Name), Message: message,
		Tool: heartbeatTool, RoutingKey: h.RoutingKey, Raw: string(raw),
	}), nil
}

// The watch has a row of its own: when it looked last, and since when it looks
// without a break. While no server ran nobody could call, so a job is awaited
// anew after a break.
const (
	watchRow   = heartbeat.ID("")
	watchEvery = 20 * time.Second
	watchBreak = time.Minute
)

// HeartbeatState is how a job is seen at an instant.
type HeartbeatState struct {
	store.Beat
	Due    time.Time // by when it must call; zero: nobody waits
	Silent bool
}

// HeartbeatStates returns what is known of every job at an instant.
func HeartbeatStates(o *org.Org, beats map[heartbeat.ID]store.Beat, now time.Time) map[heartbeat.ID]HeartbeatState {
	found := make(map[heartbeat.ID]HeartbeatState, len(o.Heartbeats))
	for n, h := range o.Heartbeats {
		b, ok := beats[n]
		s := HeartbeatState{Beat: b, Silent: !h.Paused && !b.Missed.IsZero()}
		if ok && !h.Paused && !b.Paused {
			s.Due = h.Due(since(beats, b), now)
		}
		found[n] = s
	}
	return found
}

// since is what counts as the last call: no time in which nobody looked.
func since(beats map[heartbeat.ID]store.Beat, b store.Beat) time.Time {
	if from := beats[watchRow].Missed; from.After(b.At) {
		return from
	}
	return b.At
}

// WatchHeartbeats finds the jobs that did not call in time and opens their
// incidents, once for each silence. It returns how much it did. Any number of
// nodes may call it.
func (d *Dispatcher) WatchHeartbeats(ctx context.Context) (int, error) {
	o, err := d.store.Org(ctx)
	if err != nil {
		return 0, err
	}
	beats, err := d.store.Beats(ctx) // costs no writer
	_, watched := beats[watchRow]
	if err != nil || len(o.Heartbeats) == 0 && (len(beats) == 0 || len(beats) == 1 && watched) {
		return 0, err // nobody is waited for, and that costs no commit
	}
	now, err := d.store.Now(ctx)
	if err != nil {
		return 0, err
	}
	if !lookDue(beats, now) && len(heartbeatWork(o, beats, now)) == 0 {
		return 0, nil
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (int, error) {
		beats, err := tx.Beats()
		if err != nil {
			return 0, err
		}
		if lookDue(beats, tx.Now) {
			looked(tx, beats)
		}
		work := heartbeatWork(tx.Org, beats, tx.Now)
		for _, w := range work {
			if err := w.do(tx, beats); err != nil {
				return 0, err
			}
		}
		return len(work), nil
	})
}

func lookDue(beats map[heartbeat.ID]store.Beat, now time.Time) bool {
	last := beats[watchRow].At
	return now.Sub(last) >= watchEvery || now.Before(last)
}

// looked writes down that somebody watches, and after a break since when.
func looked(tx *store.Tx, beats map[heartbeat.ID]store.Beat) {
	row, ok := beats[watchRow]
	if !ok || tx.Now.Sub(row.At) > watchBreak {
		row.Missed = tx.Now
	}
	row.At, row.Called = tx.Now, true
	beats[watchRow] = row
	tx.PutBeat(row)
}

// heartbeatStep is one thing to do about a job.
type heartbeatStep struct {
	job  heartbeat.Heartbeat
	what heartbeatAction
}

type heartbeatAction int

const (
	beginWatch heartbeatAction = iota // it is new, or comes out of a pause
	endWatch                          // it is paused
	missBeat                          // it is silent
	dropBeat                          // it is gone
)

// heartbeatWork is what there is to do, in the order of the slugs.
func heartbeatWork(o *org.Org, beats map[heartbeat.ID]store.Beat, now time.Time) []heartbeatStep {
	var work []heartbeatStep
	for _, h := range org.Sorted(o.Heartbeats, func(h heartbeat.Heartbeat) string { return h.Slug }) {
		b, ok := beats[h.ID]
		switch {
		case h.Paused && (!ok || !b.Paused):
			work = append(work, heartbeatStep{h, endWatch})
		case !h.Paused && (!ok || b.Paused):
			work = append(work, heartbeatStep{h, beginWatch})
		case b.Missed.IsZero() && h.Overdue(since(beats, b), now):
			work = append(work, heartbeatStep{h, missBeat})
		}
	}
	var gone []heartbeat.ID
	for n := range beats {
		if _, ok := o.Heartbeats[n]; !ok && n != watchRow {
			gone = append(gone, n)
		}
	}
	slices.Sort(gone)
	for _, n := range gone {
		work = append(work, heartbeatStep{heartbeat.Heartbeat{ID: n}, dropBeat})
	}
	return work
}

func (w heartbeatStep) do(tx *store.Tx, beats map[heartbeat.ID]store.Beat) error {
	h, b := w.job, beats[w.job.ID]
	switch w.what {
	case dropBeat:
		tx.DropBeat(h.ID)
	case beginWatch:
		tx.PutBeat(store.Beat{Heartbeat: h.ID, At: tx.Now})
	case endWatch:
		if !b.Missed.IsZero() {
			if _, err := heartbeatAlert(tx, h, alert.Recovery, phrase.T("heartbeats.alert.paused"), b, time.Time{}); err != nil {
				return err
			}
		}
		b.Heartbeat, b.Missed, b.Paused = h.ID, time.Time{}, true
		tx.PutBeat(b)
	case missBeat:
		due := h.Due(since(beats, b), tx.Now)
		message := phrase.T("heartbeats.alert.never", due.Format(time.RFC3339))
		if b.Called {
			message = phrase.T("heartbeats.alert.silent", b.At.Format(time.RFC3339), due.Format(time.RFC3339))
		}
		a, err := heartbeatAlert(tx, h, alert.Critical, message, b, due)
		if err != nil {
			return err
		}
		told := timeline.Entry{
			Kind: timeline.HeartbeatMissed, Actor: timeline.Self, Incident: a.Incident, Team: h.Team,
			Payload: timeline.Silence{Heartbeat: string(h.ID), Name: h.Name, LastAt: b.LastAt(), DueAt: due},
		}
		tx.Append(told)
		b.Missed = tx.Now
		tx.PutBeat(b)
	}
	return nil
}
