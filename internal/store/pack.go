package store

import (
	"bytes"
	"time"
)

// What is stored as JSON repeats its names in every row, and often they are
// longer than what they name. In a row a name that is known here is one byte,
// which stands for the comma before it, too, and an instant is nine digits:
// control characters stand nowhere in JSON as we write it. A row without any is
// as it was written before, and is read all the same.

// packing knows the names of a column. Rows hold their places, so a name keeps
// its place for ever: new ones are added at the end.
type packing struct {
	names []string        // at most lastName
	codes map[string]byte // by name, quotes included
}

const (
	lastName = 0x1d
	aTime    = 0x1f // what follows are the digits of an instant
)

var (
	packedIncident = newPacking("title", "message", "severity", "host", "tool", "routing_key", "integration", "policy", "policy_version", "started",
		"next", "next_at", "paged", "alert_count", "last_alert", "last_alert_at", "triggered_at", "acked_at", "acked_by", "resolved_at", "resolved_by",
		"user", "name", "origin", "step", "responders", "urgency")
	packedEntry = newPacking("alert", "severity", "entity_id", "title", "message", "tool", "host", "routing_key", "policy", "policy_version", "policy_name",
		"step", "round", "users", "names", "why", "delivery", "user", "name", "method", "address", "attempt", "bundled", "detail", "origin", "text", "type", "count")
	packedAlert = newPacking("routing_key", "type", "entity_id", "title", "message", "message_at", "started_at", "sent_at", "tool", "host", "annotations", "fields")
	// method is not among them: queries look for it.
	packedPage = newPacking("address", "why", "sealed", "detail", "done_at", "bundled", "chain", "life", "tried", "first_at", "drill", "held_until",
		"seq", "since", "low", "every_method", "repeat", "moved_on", "state", "at")
)

func newPacking(names ...string) packing {
	p := packing{names: names, codes: make(map[string]byte, len(names))}
	for i, n := range names {
		p.codes[`"`+n+`"`] = byte(i + 1)
	}
	return p
}

// pack shortens JSON as json.Marshal writes it.
func (p packing) pack(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for len(data) > 0 {
		quote := bytes.IndexByte(data, '"')
		if quote < 0 {
			break
		}
		out = append(out, data[:quote]...)
		end := quote + 1 + closing(data[quote+1:])
		text := data[quote:end]
		data = data[end:]
		if len(data) == 0 || data[0] != ':' {
			out = appendText(out, text)
			continue
		}
		code, known := p.codes[string(text)]
		if !known {
			out = append(out, text...)
			continue
		}
		if n := len(out); n > 0 && out[n-1] == ',' {
			out = out[:n-1]
		}
		out = append(out, code)
		data = data[1:]
	}
	return append(out, data...)
}

// closing is how much of data belongs to the string that it begins in.
func closing(data []byte) int {
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

// appendText appends a string that is no name.
func appendText(out, text []byte) []byte {
	us, ok := instantIn(text)
	if !ok {
		return append(out, text...)
	}
	out = append(out, aTime)
	for shift := 48; shift >= 0; shift -= 6 {
		out = append(out, byte(us>>shift&63)+'0')
	}
	return out
}

// instantIn reads an instant exactly as quoted writes it, and nothing else. An
// incident has half a dozen, and time.Parse takes ten times as long.
func instantIn(text []byte) (us int64, ok bool) {
	const shape = `"0000-00-00T00:00:00`
	n := len(text)
	if n < len(shape)+len(`Z"`) || n > len(shape)+len(`.000000Z"`) || text[n-2] != 'Z' || text[n-1] != '"' {
		return 0, false
	}
	for i, want := range []byte(shape) {
		if c := text[i]; want == '0' && (c < '0' || c > '9') || want != '0' && c != want {
			return 0, false
		}
	}
	number := func(from, to int) (v int) {
		for _, c := range text[from:to] {
			v = 10*v + int(c-'0')
		}
		return v
	}
	if fraction := text[len(shape) : n-2]; len(fraction) > 0 {
		if fraction[0] != '.' || len(fraction) == 1 || fraction[len(fraction)-1] == '0' {
			return 0, false
		}
		for _, c := range fraction[1:] {
			if c < '0' || c > '9' {
				return 0, false
			}
		}
		us = int64(number(len(shape)+1, n-2))
		for range 7 - len(fraction) {
			us *= 10
		}
	}
	month, day, hour, minute, second := number(6, 8), number(9, 11), number(12, 14), number(15, 17), number(18, 20)
	at := time.Date(number(1, 5), time.Month(month), day, hour, minute, second, 0, time.UTC)
	if month < 1 || month > 12 || at.Day() != day || hour > 23 || minute > 59 || second > 59 { // it would have become another
		return 0, false
	}
	us += at.UnixMicro()
	return us, us >= 0 && us < 1<<54
}

const timeDigits = 9

// quoted is an instant as json.Marshal writes it.
func quoted(us int64) []byte {
	return time.UnixMicro(us).UTC().AppendFormat([]byte{'"'}, `2006-01-02T15:04:05.999999Z07:00"`)
}

// unpack is the JSON that was packed, without the place behind it: see quote.
func (p packing) unpack(data []byte) []byte {
	if i := bytes.LastIndexByte(data, aPlace); i >= 0 {
		data = data[:i]
	}
	first := bytes.IndexFunc(data, func(r rune) bool { return r < ' ' })
	if first < 0 {
		return data
	}
	out := append(make([]byte, 0, 2*len(data)), data[:first]...)
	for i := first; i < len(data); i++ {
		switch c := data[i]; {
		case c >= ' ' || c == 0:
			out = append(out, c)
		case c == aTime && len(data) > i+timeDigits:
			var us int64
			for _, digit := range data[i+1 : i+1+timeDigits] {
				us = us<<6 | int64(digit-'0')&63
			}
			out = append(out, quoted(us)...)
			i += timeDigits
		case int(c) <= len(p.names):
			if n := len(out); n > 0 && out[n-1] != '{' {
				out = append(out, ',')
			}
			out = append(append(append(out, '"'), p.names[c-1]...), '"', ':')
		default:
			out = append(out, c) // of a newer program: the reader of the JSON says what is wrong
		}
	}
	return out
}
