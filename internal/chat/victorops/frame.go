package victorops

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"
)

// header stands in front of the JSON of a frame, with its length in UTF-16
// code units and a newline.
const header = "VO-MESSAGE:"

// maxHeader is how far the JSON may be from the beginning of a frame.
const maxHeader = 64

// envelope is what every message is wrapped in.
type envelope struct {
	Message     string          `json:"MESSAGE"`
	Transaction string          `json:"TRANSACTION_ID"`
	Payload     json.RawMessage `json:"PAYLOAD,omitempty"`
}

// The ways a frame can be wrong.
var (
	errNoText   = errors.New("the frame is not UTF-8 text")
	errNoHeader = errors.New("the frame begins neither with VO-MESSAGE: nor with {")
	errNoJSON   = errors.New("the frame holds no JSON object of an envelope")
	errMore     = errors.New("something follows the envelope")
	errNoName   = errors.New("the envelope has no MESSAGE")
)

// parse reads a frame of a client. The length in front is not looked at, as
// clients do not look at ours; some put a space before it, some leave the
// header out.
func parse(frame []byte) (envelope, error) {
	var e envelope
	if !utf8.Valid(frame) {
		return e, errNoText
	}
	body := bytes.TrimSpace(frame)
	if rest, ok := bytes.CutPrefix(body, []byte(header)); ok {
		at := bytes.IndexByte(rest, '{')
		if at < 0 || at > maxHeader {
			return e, errNoJSON
		}
		body = rest[at:]
	}
	if len(body) == 0 || body[0] != '{' {
		return e, errNoHeader
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(&e); err != nil {
		return envelope{}, errNoJSON
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return envelope{}, errMore
	}
	if e.Message == "" {
		return envelope{}, errNoName
	}
	return e, nil
}

// outgoing is a message to a client.
type outgoing struct {
	Message     string `json:"MESSAGE"`
	Transaction string `json:"TRANSACTION_ID"`
	Payload     any    `json:"PAYLOAD,omitempty"`
}

// frame writes a message the way all clients can read it: some split it at the
// first newline, so the JSON is one line; text is as people wrote it, for
// scripts would see &lt; otherwise.
func frame(m outgoing) ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil {
		return nil, err
	}
	text := bytes.TrimSuffix(body.Bytes(), []byte("\n"))
	out := make([]byte, 0, len(header)+8+len(text))
	out = append(out, header...)
	out = strconv.AppendInt(out, int64(units(text)), 10)
	out = append(out, '\n')
	return append(out, text...), nil
}

// units counts UTF-16 code units, as JavaScript's length does.
func units(text []byte) int {
	n := 0
	for _, r := range string(text) {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}
