package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/watchroom/watchroom/internal/timeline"
)

// What a transaction has buffered becomes rows.

const (
	upsertIncident = ` ON CONFLICT (id) DO UPDATE SET rev = excluded.rev, state = excluded.state, team = excluded.team, body = excluded.body, quotes = excluded.quotes`
	upsertTimer    = ` ON CONFLICT (kind, incident) DO UPDATE SET due_at = excluded.due_at`
	upsertCursor   = ` ON CONFLICT (name) DO UPDATE SET seq = excluded.seq`
)

// statements turns the buffers into rows. Entries get their numbers here.
func (tx *Tx) statements() ([]statement, error) {
	var all []statement
	alerts, err := tx.alertRows() // first: the others quote them
	if err != nil {
		return nil, err
	}
	rows, err := tx.incidentRows()
	if err != nil {
		return nil, err
	}
	all = append(all, putRows(`INSERT INTO incident (id, rev, state, entity_id, team, body, quotes)`, rows, int64(tx.began.incident), upsertIncident)...)
	all = append(all, insertRows(`INSERT INTO alert (id, incident, integration, received_at, body, raw)`, alerts, ``)...)
	all = append(all, tx.timerStatements()...)
	if rows, err = tx.deliveryRows(); err != nil {
		return nil, err
	}
	all = append(all, putRows(insertDelivery, rows, int64(tx.began.delivery), upsertDelivery)...)
	for name, seq := range tx.cursors {
		all = append(all, insertRows(`INSERT INTO cursor (name, seq)`, [][]any{{name, int64(seq)}}, upsertCursor)...)
	}
	all = append(all, tx.definitionStatements()...)
	if rows, err = tx.invocationRows(); err != nil {
		return nil, err
	}
	all = append(all, insertRows(insertInvocation, rows, upsertInvocation)...)
	all = append(all, tx.more...)
	if rows, err = tx.entryRows(); err != nil {
		return nil, err
	}
	all = append(all, insertRows(`INSERT INTO entry (seq, at, kind, incident, team, person, room, thread, actor, payload, quotes)`, rows, ``)...)
	if tx.dirty {
		h := tx.head
		all = append(all, statement{`UPDATE head SET epoch = $1, seq = $2, incident = $3, alert = $4, delivery = $5, rev = $6, config = $7, at = $8 WHERE id = 1`,
			[]any{h.epoch, int64(h.seq), int64(h.incident), int64(h.alert), int64(h.delivery), h.rev, h.config, micros(h.at)}})
	}
	return all, nil
}

func (tx *Tx) incidentRows() ([][]any, error) {
	if len(tx.incidents) == 0 {
		return nil, nil
	}
	tx.dirty = true
	rows := make([][]any, 0, len(tx.incidents))
	for _, n := range slices.Sorted(maps.Keys(tx.incidents)) {
		inc := tx.incidents[n]
		tx.head.rev++ // each its own, so that a reader may stop between any two
		q, quoting := tx.quotes.find(inc.LastAlert, inc.Message)
		if quoting {
			inc.Message = ""
		}
		body, err := json.Marshal(inc)
		if err != nil {
			return nil, fmt.Errorf("write incident %d: %w", n, err)
		}
		if body = packedIncident.pack(body); quoting {
			body = q.append(body)
		}
		rows = append(rows, []any{int64(n), tx.head.rev, string(inc.State), inc.EntityID, string(inc.Team), string(body), int64(q.in)})
	}
	return rows, nil
}

func (tx *Tx) alertRows() ([][]any, error) {
	rows := make([][]any, 0, len(tx.alerts))
	for _, a := range tx.alerts {
		body, err := marshalAlert(a, tx.quotes)
		if err != nil {
			return nil, fmt.Errorf("write alert %d: %w", a.ID, err)
		}
		rows = append(rows, []any{int64(a.ID), int64(a.Incident), string(a.Integration), micros(a.ReceivedAt), body, a.Raw})
	}
	return rows, nil
}

func (tx *Tx) timerStatements() []statement {
	var set [][]any
	var all []statement
	keys := slices.SortedFunc(maps.Keys(tx.timers), func(a, b timerKey) int {
		if a.incident != b.incident {
			return int(a.incident - b.incident)
		}
		return len(a.kind) - len(b.kind)
	})
	gone := map[string][]any{}
	for _, k := range keys {
		if due := tx.timers[k]; due.IsZero() {
			gone[string(k.kind)] = append(gone[string(k.kind)], int64(k.incident))
		} else {
			set = append(set, []any{string(k.kind), int64(k.incident), micros(due)})
		}
	}
	for _, kind := range sortedKeys(gone) {
		for chunk := range slices.Chunk(gone[kind], 256) {
			args := padded(slices.Clone(chunk))
			all = append(all, statement{`DELETE FROM timer WHERE kind = $1 AND incident IN ` + in(2, len(args)), append([]any{kind}, args...)})
		}
	}
	return append(all, insertRows(`INSERT INTO timer (kind, incident, due_at)`, set, upsertTimer)...)
}

func (tx *Tx) definitionStatements() []statement {
	if len(tx.defs) == 0 {
		return nil
	}
	tx.head.config++
	tx.dirty = true
	var all []statement
	for _, d := range tx.defs {
		all = append(all,
			statement{`UPDATE definition SET current = FALSE WHERE kind = $1 AND id = $2 AND current`, []any{string(d.Kind), d.ID}},
			statement{`INSERT INTO definition (kind, id, rev, current, at, body) VALUES ($1, $2, $3, TRUE, $4, $5)
				ON CONFLICT (kind, id, rev) DO UPDATE SET current = TRUE, body = excluded.body`,
				[]any{string(d.Kind), d.ID, tx.head.config, micros(tx.Now), string(d.Body)}})
	}
	return all
}

func (tx *Tx) entryRows() ([][]any, error) {
	rows := make([][]any, 0, len(tx.entries))
	for i, e := range tx.entries {
		tx.head.seq++
		tx.entries[i].Seq = tx.head.seq
		tx.head.at, tx.dirty = tx.Now, true
		var actor []byte // most entries are our own, and nothing stands for ourselves
		if e.Actor != timeline.Self {
			var err error
			if actor, err = json.Marshal(e.Actor); err != nil {
				return nil, fmt.Errorf("write entry: %w", err)
			}
		}
		body, q := e.Payload, quote{}
		if in, text := said(body); in != 0 {
			var quoting bool
			if q, quoting = tx.quotes.find(in, text); quoting {
				body = saying(body, "")
			}
		}
		payload, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("write entry: %w", err)
		}
		if payload = packedEntry.pack(payload); q.in != 0 {
			payload = q.append(payload)
		}
		rows = append(rows, []any{int64(tx.head.seq), micros(e.At), string(e.Kind), int64(e.Incident), string(e.Team), string(e.Person), string(e.Room), int64(e.Thread), string(packedEntry.pack(actor)), string(payload), int64(q.in)})
	}
	return rows, nil
}
