package storetest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

func numbers(list []incident.Incident) []id.Incident {
	all := []id.Incident{}
	for _, inc := range list {
		all = append(all, inc.ID)
	}
	return all
}

func incidents(t *testing.T, s *store.Store) {
	full := incident.Incident{
		ID: 1, State: incident.Acknowledged, EntityID: "disk/db01", Title: "Disk", Message: "93% full", Severity: alert.Critical, Host: "db01",
		Tool: "nagios", RoutingKey: "db", Integration: "i1", Team: "t1", Policy: "p1", PolicyVersion: 3, Direct: "u9",
		Step: escalation.Position{Step: 1}, Started: true, Next: escalation.Position{Step: 2, Round: 1}, NextAt: at(9),
		Paged: []id.User{"u1"}, Responders: []id.User{"u2"}, AlertCount: 4, LastAlert: 11, LastAlertAt: at(3), TriggeredAt: at(0),
		AckedAt: at(4), AckedBy: timeline.Actor{User: "u1", Name: "Kim", Origin: timeline.Mail}, SnoozedUntil: at(50),
	}
	do(t, s, func(tx *store.Tx) {
		tx.NewIncident()
		save(tx, full)
		for i := range 3 {
			newIncident(tx, fmt.Sprint("e", i))
		}
		if _, err := tx.Incident(1); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Incident in the transaction that puts it = %v, want ErrNotFound: writes are buffered", err)
		}
	})
	same(t, "incident", must[incident.Incident](t)(s.Incident(t.Context(), 1)), full)
	if _, err := s.Incident(t.Context(), 99); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Incident(99) = %v, want ErrNotFound", err)
	}
	same(t, "counts", must[store.Counts](t)(s.Counts(t.Context())), store.Counts{Triggered: 3, Acknowledged: 1})

	do(t, s, func(tx *store.Tx) { // change: one is over, one is another team's
		over := opened(2, "e0")
		over.State, over.ResolvedAt = incident.Resolved, at(9)
		save(tx, over)
		moved := opened(3, "e1")
		moved.Team = "t2"
		save(tx, moved)
	})
	same(t, "counts", must[store.Counts](t)(s.Counts(t.Context())), store.Counts{Triggered: 2, Acknowledged: 1})
	for name, c := range map[string]struct {
		f    store.IncidentFilter
		want []id.Incident
	}{
		"all":            {store.IncidentFilter{}, []id.Incident{4, 3, 2, 1}},
		"limit":          {store.IncidentFilter{Limit: 2}, []id.Incident{4, 3}},
		"before":         {store.IncidentFilter{Before: 3}, []id.Incident{2, 1}},
		"open":           {store.IncidentFilter{States: []incident.State{incident.Triggered, incident.Acknowledged}}, []id.Incident{4, 3, 1}},
		"triggered":      {store.IncidentFilter{States: []incident.State{incident.Triggered}}, []id.Incident{4, 3}},
		"resolved":       {store.IncidentFilter{States: []incident.State{incident.Resolved}}, []id.Incident{2}},
		"team":           {store.IncidentFilter{Team: "t2"}, []id.Incident{3}},
		"team and state": {store.IncidentFilter{Team: "t1", States: []incident.State{incident.Triggered}}, []id.Incident{4}},
	} {
		same(t, name, numbers(must[[]incident.Incident](t)(s.Incidents(t.Context(), c.f))), c.want)
	}
	do(t, s, func(tx *store.Tx) {
		byEntity := must[map[string]incident.Incident](t)(tx.OpenIncidents([]string{"e0", "e1", "disk/db01", "none"}))
		if len(byEntity) != 2 || byEntity["e1"].ID != 3 || byEntity["disk/db01"].ID != 1 {
			t.Errorf("OpenIncidents = %v", byEntity)
		}
		byNumber := must[map[id.Incident]incident.Incident](t)(tx.Incidents([]id.Incident{2, 4, 99}))
		if len(byNumber) != 2 || byNumber[2].State != incident.Resolved || byNumber[4].EntityID != "e2" {
			t.Errorf("Incidents = %v", byNumber)
		}
		many := make([]string, 600)
		for i := range many {
			many[i] = fmt.Sprint("none", i)
		}
		many[599] = "e2"
		if found := must[map[string]incident.Incident](t)(tx.OpenIncidents(many)); len(found) != 1 {
			t.Errorf("OpenIncidents of 600 entities = %v", found)
		}
	})
}

// quotes: incident 1 is opened by an alert with a long message and resolved by
// somebody; what the alert said is read in all places, and stored once.
func quotes(t *testing.T, s *store.Store) {
	message := strings.Repeat("93% of /var is \"used\"\n", 10)
	raw := must[[]byte](t)(json.Marshal(map[string]string{"state_message": message}))
	a := alert.Alert{ID: 1, Incident: 1, EntityID: "e", Title: "e", Message: message, Raw: string(raw)}
	inc := opened(1, "e")
	inc.Message, inc.LastAlert = message, 1
	do(t, s, func(tx *store.Tx) {
		tx.NewAlert()
		tx.NewIncident()
		tx.PutAlert(a)
		save(tx, inc)
		tx.Append(timeline.Entry{Kind: timeline.IncidentTriggered, Actor: timeline.Self, Incident: 1, Payload: timeline.Triggered{Alert: 1, Message: message}})
		tx.Append(timeline.Entry{Kind: timeline.IncidentUpdated, Actor: timeline.Self, Incident: 1, Payload: timeline.Updated{Alert: 1, Message: message + "and more"}})
	})
	do(t, s, func(tx *store.Tx) {
		inc := must[incident.Incident](t)(tx.Incident(1))
		inc.State = incident.Resolved
		save(tx, inc)
	})
	if got := must[incident.Incident](t)(s.Incident(t.Context(), 1)); got.Message != message || got.State != incident.Resolved {
		t.Errorf("the incident says %q", got.Message)
	}
	if got := must[alert.Alert](t)(s.Alert(t.Context(), 1)); got.Message != message || got.Raw != a.Raw {
		t.Errorf("the alert says %q", got.Message)
	}
	for i := range 2 { // once from what was just written, once from the tables
		var said []string
		entries := must[[]timeline.Entry](t)(s.EntriesTo(t.Context(), must[store.Head](t)(s.Head(t.Context())), 0, 10))
		if i == 1 {
			entries = must[[]timeline.Entry](t)(s.Entries(t.Context(), store.EntryFilter{}))
		}
		for _, e := range entries {
			switch p := e.Payload.(type) {
			case timeline.Triggered:
				said = append(said, p.Message)
			case timeline.Updated:
				said = append(said, p.Message)
			}
		}
		same(t, "what the entries say", said, []string{message, message + "and more"})
	}
	var backup bytes.Buffer
	if err := s.Backup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	text := must[[]byte](t)(io.ReadAll(must[*gzip.Reader](t)(gzip.NewReader(&backup))))
	if n := strings.Count(string(text), "93% of /var"); n != 20 {
		t.Errorf("the message of ten lines and one that it begins stand there %d lines long, want 20", n)
	}
}

func incidentsByWords(t *testing.T, s *store.Store) {
	do(t, s, func(tx *store.Tx) {
		for i, entity := range []string{"disk db01", "disk db02", "network"} {
			newIncident(tx, entity)
			tx.Index(id.Seq(i+1), strings.Join(store.Words(entity), " "))
		}
		tx.Append(timeline.Entry{Kind: timeline.NoteAdded, Actor: timeline.Self, Incident: 3, Payload: timeline.Noted{Text: "disk"}})
		tx.Index(4, "disk")
	})
	for name, c := range map[string]struct {
		f    store.IncidentFilter
		want []id.Incident
	}{
		"word":   {store.IncidentFilter{Words: []string{"disk"}}, []id.Incident{2, 1}},
		"words":  {store.IncidentFilter{Words: []string{"dis", "db01"}}, []id.Incident{1}},
		"before": {store.IncidentFilter{Words: []string{"disk"}, Before: 2}, []id.Incident{1}},
		"state":  {store.IncidentFilter{Words: []string{"disk"}, States: []incident.State{incident.Resolved}}, []id.Incident{}},
		"team":   {store.IncidentFilter{Words: []string{"disk"}, Team: "t1", Limit: 1}, []id.Incident{2}},
	} {
		same(t, name, numbers(must[[]incident.Incident](t)(s.Incidents(t.Context(), c.f))), c.want)
	}
}

func changedIncidents(t *testing.T, s *store.Store) {
	do(t, s, func(tx *store.Tx) { // five in one commit, more than a page
		for i := range 5 {
			newIncident(tx, fmt.Sprint("e", i))
		}
	})
	do(t, s, func(tx *store.Tx) { save(tx, opened(2, "e1")) })
	var seen []id.Incident
	rev := int64(0)
	for range 10 {
		list, reached, err := s.ChangedIncidents(t.Context(), rev, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		seen, rev = append(seen, numbers(list)...), reached
	}
	slices.Sort(seen)
	same(t, "incidents seen by pages of two", slices.Compact(seen), []id.Incident{1, 2, 3, 4, 5})
	if h := must[store.Head](t)(s.Head(t.Context())); h.Rev != rev {
		t.Errorf("reached %d, and the head is at %d", rev, h.Rev)
	}
}

func oneOpenIncident(t *testing.T, s *store.Store) {
	do(t, s, func(tx *store.Tx) { newIncident(tx, "e") })
	second := func(tx *store.Tx) error {
		newIncident(tx, "e")
		return nil
	}
	if err := s.Do(t.Context(), second); err == nil {
		t.Fatal("an entity has two open incidents")
	}
	do(t, s, func(tx *store.Tx) {
		over := opened(1, "e")
		over.State = incident.Resolved
		save(tx, over)
	})
	if err := s.Do(t.Context(), second); err != nil {
		t.Errorf("the next incident of an entity: %v", err)
	}
}

func alerts(t *testing.T, s *store.Store) {
	full := alert.Alert{
		ReceivedAt: at(1), Integration: "i1", RoutingKey: "db", Incident: 3, Type: alert.Critical, EntityID: "disk/db01",
		Title: "Disk of db01", Message: "93% full\nsecond line", StartedAt: at(0), SentAt: at(1), Tool: "nagios", Host: "db01",
		AckAuthor: "kim", AckMessage: "mine", Annotations: []alert.Annotation{{Kind: alert.Link, Title: "graph", Value: "https://example.org"}},
		Fields: map[string]string{"a": "1", "ü": "{\"x\":[1]}"}, Raw: "{\"message_type\":\"CRITICAL\",\"a\":1}\n",
	}
	small := alert.Alert{ReceivedAt: at(2), Integration: "i2", Type: alert.Info, EntityID: "x", Title: "x"}
	do(t, s, func(tx *store.Tx) {
		full.ID = tx.NewAlert()
		tx.PutAlert(full)
		small.ID = tx.NewAlert()
		tx.PutAlert(small)
		for range 3 {
			a := full
			a.ID = tx.NewAlert()
			tx.PutAlert(a)
		}
	})
	same(t, "a full alert", must[alert.Alert](t)(s.Alert(t.Context(), 1)), full)
	same(t, "a small alert", must[alert.Alert](t)(s.Alert(t.Context(), 2)), small)
	if _, err := s.Alert(t.Context(), 99); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Alert(99) = %v, want ErrNotFound", err)
	}
	for name, c := range map[string]struct {
		f    store.AlertFilter
		want []id.Alert
	}{
		"all":         {store.AlertFilter{}, []id.Alert{5, 4, 3, 2, 1}},
		"incident":    {store.AlertFilter{Incident: 3, Limit: 2}, []id.Alert{5, 4}},
		"before":      {store.AlertFilter{Incident: 3, Before: 4}, []id.Alert{3, 1}},
		"integration": {store.AlertFilter{Integration: "i2"}, []id.Alert{2}},
		"both":        {store.AlertFilter{Integration: "i2", Incident: 3}, []id.Alert{}},
	} {
		got := []id.Alert{}
		for _, a := range must[[]alert.Alert](t)(s.Alerts(t.Context(), c.f)) {
			got = append(got, a.ID)
		}
		same(t, name, got, c.want)
	}
}

func timers(t *testing.T, s *store.Store) {
	set := func(kind incident.TimerKind, n id.Incident, minute int) {
		t.Helper()
		do(t, s, func(tx *store.Tx) {
			tx.Save(incident.Decision{Timers: []incident.Timer{{Kind: kind, Incident: n, DueAt: at(minute)}}})
		})
	}
	if next, err := s.NextTimer(t.Context()); err != nil || !next.IsZero() {
		t.Errorf("NextTimer of none = %v, %v", next, err)
	}
	set(incident.EscalateTimer, 1, -1000)
	set(incident.UnsnoozeTimer, 1, -900)
	set(incident.EscalateTimer, 2, -950)
	set(incident.EscalateTimer, 3, 60*24*365*100)
	set(incident.EscalateTimer, 1, -980) // replaced
	if next, err := s.NextTimer(t.Context()); err != nil || !next.Equal(at(-980)) {
		t.Errorf("NextTimer = %v, %v, want %v", next, err, at(-980))
	}
	do(t, s, func(tx *store.Tx) {
		same(t, "due timers", must[[]incident.Timer](t)(tx.DueTimers(10)), []incident.Timer{
			{Kind: incident.EscalateTimer, Incident: 1, DueAt: at(-980)},
			{Kind: incident.EscalateTimer, Incident: 2, DueAt: at(-950)},
			{Kind: incident.UnsnoozeTimer, Incident: 1, DueAt: at(-900)},
		})
		if got := must[[]incident.Timer](t)(tx.DueTimers(1)); len(got) != 1 {
			t.Errorf("DueTimers(1) = %v", got)
		}
		tx.ClearTimer(incident.EscalateTimer, 1)
		tx.Save(incident.Decision{Timers: []incident.Timer{{Kind: incident.UnsnoozeTimer, Incident: 1}}})
		tx.ClearTimer(incident.EscalateTimer, 77) // there is none
	})
	left := must[[]incident.Timer](t)(s.Timers(t.Context(), 10))
	if len(left) != 2 || left[0].Incident != 2 || left[1].Incident != 3 {
		t.Errorf("timers left: %v, want those of incidents 2 and 3", left)
	}
	if due := must[bool](t)(s.TimerDue(t.Context())); !due {
		t.Error("TimerDue = false with one due")
	}
}
