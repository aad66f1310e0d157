package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

// What an alert says stands in its raw body, and the alert, its incident and
// the entries that repeat it need not keep it, too: they say where it stands.
// Column quotes is the number of the alert, 0 for none; the query brings its raw body.

// quote is a text that stands as a JSON string in the raw body of an alert.
type quote struct {
	in   id.Alert
	at   [2]int // where it begins and ends, quotes included
	text string
}

// worthFinding is from which length on a text that stands in the raw body is
// not stored a second time.
const worthFinding = 64

// quotedIn finds text as a JSON string in raw and returns where it begins and
// ends, quotes included. Not finding one that is escaped differently does no harm.
func quotedIn(raw, text string) (at [2]int, ok bool) {
	if len(text) < worthFinding {
		return at, false
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(text) != nil {
		return at, false
	}
	quoted := strings.TrimSuffix(b.String(), "\n")
	i := strings.Index(raw, quoted)
	return [2]int{i, i + len(quoted)}, i >= 0
}

// quotedAt reads what stands in raw at a place.
func quotedAt(raw string, at [2]int) (text string, err error) {
	if at[0] < 0 || at[1] < at[0] || at[1] > len(raw) {
		return "", fmt.Errorf("the raw body ends at %d, before %d", len(raw), at[1])
	}
	err = json.Unmarshal([]byte(raw[at[0]:at[1]]), &text)
	return text, err
}

// aPlace is between the JSON of a row and the place that it quotes.
const aPlace = 0x1e

// append adds the place of q to a packed row.
func (q quote) append(row []byte) []byte {
	row = strconv.AppendInt(append(row, aPlace), int64(q.at[0]), 10)
	return strconv.AppendInt(append(row, ','), int64(q.at[1]), 10)
}

// placeIn reads the place at the end of a packed row, and what the raw body of
// the alert says there. An alert that is no more, as in an incident that is
// being removed, says nothing.
func placeIn(row []byte, in id.Alert, raw string) (q quote, err error) {
	i := bytes.LastIndexByte(row, aPlace)
	if i < 0 || in == 0 || raw == "" {
		return q, nil
	}
	q.in = in
	from, to, _ := strings.Cut(string(row[i+1:]), ",")
	if q.at[0], err = strconv.Atoi(from); err == nil {
		q.at[1], err = strconv.Atoi(to)
	}
	if err == nil {
		q.text, err = quotedAt(raw, q.at)
	}
	if err != nil {
		return q, fmt.Errorf("read what alert %d says: %w", in, err)
	}
	return q, nil
}

// quotes remembers what the alerts of a transaction say, and what those said
// whose incidents it has read.
type quotes map[id.Alert]quote

// ofAlert finds what an alert says in its raw body.
func (all quotes) ofAlert(a alert.Alert) (q quote, ok bool) {
	if q, ok = all[a.ID]; !ok {
		if q.at, ok = quotedIn(a.Raw, a.Message); ok {
			q.in, q.text = a.ID, a.Message
			all[a.ID] = q
		}
	}
	return q, ok
}

// find is the quote of a text in an alert.
func (all quotes) find(in id.Alert, text string) (q quote, ok bool) {
	if q, ok = all[in]; !ok || q.text != text {
		return quote{}, false
	}
	return q, true
}

// said is what a payload repeats of an alert.
func said(p timeline.Payload) (in id.Alert, text string) {
	switch p := p.(type) {
	case timeline.Triggered:
		return p.Alert, p.Message
	case timeline.AlertBody:
		return p.Alert, p.Message
	case timeline.Updated:
		return p.Alert, p.Message
	case timeline.Retriggered:
		return p.Alert, p.Message
	}
	return 0, ""
}

// saying is a payload with another text.
func saying(p timeline.Payload, text string) timeline.Payload {
	switch p := p.(type) {
	case timeline.Triggered:
		p.Message = text
		return p
	case timeline.AlertBody:
		p.Message = text
		return p
	case timeline.Updated:
		p.Message = text
		return p
	case timeline.Retriggered:
		p.Message = text
		return p
	}
	return p
}
