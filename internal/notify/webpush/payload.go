package webpush

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/phrase"
)

// maxPayload is the limit of the plain text in bytes. Push services take 4096
// after encryption (103 bytes more); some browsers' own limits are lower.
const maxPayload = 3000

// What the parts may grow to, in characters; the incident room has the rest.
const (
	maxTitle  = 120
	maxBody   = 600
	maxListed = 5 // incidents of a bundle that are named
	maxURL    = 1000
)

// Payload is what our service worker gets as event.data.json().
type Payload struct {
	Title    string   `json:"title"`
	Body     string   `json:"body"`
	Tag      string   `json:"tag"` // a notification replaces one with the same tag
	URL      string   `json:"url,omitempty"`
	Token    string   `json:"token,omitempty"`    // comes back with the answer
	Incident int64    `json:"incident,omitempty"` // 0 for a bundle or a notice
	Actions  []string `json:"actions,omitempty"`  // the notify.Action words that the notification offers as buttons
	Drill    bool     `json:"drill,omitempty"`
}

// message is a page as it goes to the push service.
type message struct {
	plain  []byte
	topic  string // undelivered messages with the same topic replace one another
	urgent bool
}

func (c *Client) message(p notify.Page) (message, error) {
	pl := Payload{Drill: p.Drill, Token: p.Token}
	switch {
	case p.Notice != nil:
		pl.Title, pl.Body, pl.URL = p.Notice.Subject, strings.Join(p.Notice.Lines, "\n"), p.Notice.URL
		pl.Token = ""
	case len(p.Incidents) == 1:
		inc := p.Incidents[0]
		pl.Title, pl.Body, pl.URL, pl.Incident = heading(inc), details(inc), inc.URL, int64(inc.Number)
	case len(p.Incidents) > 1:
		pl.Title = phrase.N("webpush.many", len(p.Incidents))
		pl.Body, pl.URL = list(p.Incidents), c.cfg.HomeURL
		if pl.URL == "" {
			pl.URL = p.Incidents[0].URL
		}
	default:
		return message{}, &notify.Failure{Permanent: true, Reason: phrase.T("webpush.fail.empty")}
	}
	if p.Drill {
		pl.Title = phrase.T("webpush.drill", pl.Title)
		pl.Body = phrase.T("webpush.drill.body") + "\n" + pl.Body
	}
	if pl.Token != "" {
		pl.Actions = []string{string(notify.Acknowledge)}
	}
	pl.Title = cut(strings.ReplaceAll(clean(pl.Title), "\n", " "), maxTitle)
	pl.Body = cut(clean(pl.Body), maxBody)
	if len(pl.URL) > maxURL {
		pl.URL = c.cfg.HomeURL
	}
	// One incident has one notification, the latest. A bundle or a notice
	// replaces nothing but itself, sent a second time.
	pl.Tag = "page-" + digest(p.Key)
	if pl.Incident != 0 {
		pl.Tag = fmt.Sprintf("incident-%d", pl.Incident)
	}
	plain, err := pl.encode()
	return message{plain: plain, topic: pl.Tag, urgent: p.Notice == nil || p.Drill}, err
}

// digest has 22 of the characters a Topic may have.
func digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func heading(inc notify.PageIncident) string {
	title := strings.TrimSpace(inc.Title)
	if title == "" {
		title = phrase.T("webpush.untitled")
	}
	severity := phrase.T("webpush.severity.unknown")
	if key := strings.ToLower(inc.Severity); phrase.Has("webpush.severity." + key) {
		severity = phrase.T("webpush.severity." + key)
	}
	return phrase.T("webpush.title", int64(inc.Number), severity, title)
}

// details has what matters most first: a locked phone shows two or three lines.
func details(inc notify.PageIncident) string {
	var lines []string
	if text := strings.TrimSpace(inc.Message); text != "" && text != strings.TrimSpace(inc.Title) {
		lines = append(lines, cut(text, maxBody/2))
	}
	for _, fact := range []string{inc.Host, inc.Reason} {
		if fact = strings.TrimSpace(fact); fact != "" {
			lines = append(lines, cut(fact, maxBody/4))
		}
	}
	return strings.Join(lines, "\n")
}

func list(all []notify.PageIncident) string {
	var lines []string
	for _, inc := range all[:min(len(all), maxListed)] {
		lines = append(lines, cut(strings.ReplaceAll(clean(heading(inc)), "\n", " "), maxBody/(maxListed+1)))
	}
	if more := len(all) - len(lines); more > 0 {
		lines = append(lines, phrase.N("webpush.more", more))
	}
	return strings.Join(lines, "\n")
}

// encode shortens the body until the whole fits.
func (pl Payload) encode() ([]byte, error) {
	for {
		var out bytes.Buffer
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false) // nobody reads it as HTML, and < would take six bytes
		if err := enc.Encode(pl); err != nil {
			return nil, fmt.Errorf("encode push payload: %w", err)
		}
		plain := bytes.TrimSuffix(out.Bytes(), []byte("\n"))
		over := len(plain) - maxPayload
		if over <= 0 || pl.Body == "" {
			return plain, nil
		}
		// Every byte of the text is at least one of the encoding; "…" needs three.
		pl.Body = cutBytes(pl.Body, len(pl.Body)-over-len("…"))
	}
}

// clean drops what hides text or turns it around, and ends every line with \n.
func clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\ufeff':
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// cut shortens s to limit characters.
func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	n := 0
	for i := range s {
		if n++; n == limit {
			return strings.TrimRightFunc(s[:i], unicode.IsSpace) + "…"
		}
	}
	return s
}

// cutBytes keeps at most limit bytes of s, whole characters, and marks the cut.
func cutBytes(s string, limit int) string {
	if limit <= 0 {
		return ""
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "…"
}
