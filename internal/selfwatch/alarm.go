package selfwatch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// The figures of alarms.
const (
	repeatEvery = time.Hour
	retryEvery  = time.Minute
	maxAlarms   = 20 // in an hour
)

// Alarm is one word to the operator, and the JSON that the webhook gets.
type Alarm struct {
	State  string    `json:"state"` // "raised", "lasting", "cleared"
	Key    string    `json:"key"`
	Object string    `json:"object"`
	Text   string    `json:"text"`
	Since  time.Time `json:"since"`
	At     time.Time `json:"at"`
	Node   string    `json:"node"` // the machine
}

// The states of an alarm.
const (
	raised  = "raised"
	lasting = "lasting"
	cleared = "cleared"
)

// alarms decides what is told when. It is a value of problems and instants.
type alarms struct {
	open map[string]*openAlarm
	sent []time.Time // within the last hour
}

type openAlarm struct {
	Problem
	since   time.Time
	toldAt  time.Time // zero: not yet
	retryAt time.Time // it could not be told: not before
	entered bool      // the timeline says so
}

func newAlarms() alarms { return alarms{open: map[string]*openAlarm{}} }

// update returns what is to be told, given all that is wrong at an instant.
func (a *alarms) update(now time.Time, found []Problem) []Alarm {
	var tell []Alarm
	here := map[string]bool{}
	for _, p := range found {
		here[p.Key] = true
		o, known := a.open[p.Key]
		if !known {
			o = &openAlarm{since: now}
			a.open[p.Key] = o
		}
		o.Problem = p
	}
	a.sent = slices.DeleteFunc(a.sent, func(at time.Time) bool { return now.Sub(at) >= time.Hour })
	for _, key := range slices.Sorted(maps.Keys(a.open)) {
		o := a.open[key]
		state := lasting
		switch {
		case o.toldAt.IsZero():
			state = raised
			if !here[key] && !o.Once {
				delete(a.open, key) // over before anybody could be told
				continue
			}
		case !here[key] && o.Once:
			delete(a.open, key)
			continue
		case !here[key]:
			state = cleared
		}
		early := state == lasting && now.Sub(o.toldAt) < repeatEvery
		if early || now.Before(o.retryAt) || len(a.sent)+len(tell) >= maxAlarms {
			continue
		}
		tell = append(tell, Alarm{State: state, Key: key, Object: o.Object, Text: o.Text, Since: o.since, At: now})
	}
	return tell
}

// told takes down whether an alarm reached somebody.
func (a *alarms) told(al Alarm, now time.Time, ok bool) {
	o := a.open[al.Key]
	if o == nil {
		return
	}
	if !ok {
		o.retryAt = now.Add(retryEvery)
		return
	}
	a.sent = append(a.sent, now)
	o.toldAt = now
	if al.State == cleared || o.Once {
		delete(a.open, al.Key)
	}
}

// tell takes both paths; true when one of them worked, or when there is none.
func (w *Watch) tell(ctx context.Context, a Alarm) bool {
	a.Node = w.d.Host
	level := slog.LevelError
	if a.State == cleared {
		level = slog.LevelInfo
	}
	w.d.Log.Log(ctx, level, "the server watches itself", "state", a.State, "object", a.Object, "text", a.Text)
	paths, worked := 0, 0
	try := func(path string, send func(context.Context) error) {
		paths++
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		if err := send(ctx); err != nil {
			w.d.Log.ErrorContext(ctx, "alarm not told", "path", path, "err", err)
			return
		}
		worked++
	}
	if w.d.Mail != nil {
		for _, to := range w.cfg.AlarmTo {
			try("mail", func(ctx context.Context) error {
				_, err := w.d.Mail.Send(ctx, mailOf(a, to))
				return err
			})
		}
	}
	if w.cfg.AlarmURL != "" {
		try("webhook", func(ctx context.Context) error { return w.post(ctx, a) })
	}
	return paths == 0 || worked > 0
}

func mailOf(a Alarm, to string) notify.Page {
	lines := []string{a.Object + ": " + a.Text, phrase.T("selfwatch.mail.since", a.Since.UTC().Format(time.RFC1123), a.Node)}
	if a.State == cleared {
		lines = append(lines, phrase.T("selfwatch.mail.over"))
	} else {
		lines = append(lines, phrase.T("selfwatch.mail.what"))
	}
	return notify.Page{
		Key: fmt.Sprintf("selfwatch:%s:%s:%d", a.Key, a.State, a.At.UnixNano()), To: to, Zone: time.UTC, At: a.At,
		Notice: &notify.Notice{Subject: phrase.T("selfwatch.mail.subject."+a.State, a.Object), Lines: lines},
	}
}

func (w *Watch) post(ctx context.Context, a Alarm) error {
	body, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("write alarm: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.cfg.AlarmURL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s", phrase.T("selfwatch.config.url", "alarm-url"))
	}
	req.Header.Set("Content-Type", "application/json")
	return w.call(req)
}

// record writes an alarm into the timeline, if that can be done, once each of
// its beginning and its end. Of several nodes the one that leads writes.
func (w *Watch) record(ctx context.Context, a Alarm) {
	o := w.alarms.open[a.Key]
	if over := a.State == cleared; o == nil || o.entered != over || !w.leads.Load() && a.Key != leaseKey {
		return
	}
	var told timeline.Payload = timeline.Uncovered{Problem: "server:" + a.Key, Object: a.Object, Text: a.Text}
	if a.State == cleared {
		told = timeline.Covered{Problem: "server:" + a.Key, Object: a.Object, Text: a.Text}
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	err := w.d.Store.Do(ctx, func(tx *store.Tx) error {
		tx.Append(timeline.Entry{Kind: told.Kind(), Actor: timeline.Self, Payload: told})
		return nil
	})
	if err != nil {
		w.d.Log.ErrorContext(ctx, "record alarm", "err", err)
		return
	}
	o.entered = !o.entered
}
