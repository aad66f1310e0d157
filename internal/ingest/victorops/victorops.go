// Package victorops is the edge that speaks VictorOps' REST intake: a sender
// made for it changes the host name and nothing else.
//
// Parse turns one body into an alert.Alert. It is pure: no clock, and no
// randomness but the function that makes an entity id where the sender gave
// none. Handler puts it behind the paths the senders know. Together they promise:
//
//   - A body that is a JSON object with a message_type always becomes an
//     alert. Values that are too long are cut at a character boundary, times
//     that make no sense are left out, keys nobody knows are kept as fields.
//   - Every text of the result is valid UTF-8 without NUL, so that any database
//     takes it, and the entity id is never empty.
//   - The key, the only credential of this protocol, does not reach the alert,
//     the logs or an answer: it is masked wherever the body repeats it.
//   - 200 only after the Acceptor said the alert is durable; 404 only when the
//     key is really unknown, because Healthchecks switches itself off for good
//     on 404; 503, never 429, when we cannot take it now, because Alertmanager
//     tries again on 5xx only.
//
// What an alert means (routing, incidents, paging) is left to the Acceptor;
// request logging, panics and connection limits to the server around it.
package victorops

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Options are what the request says outside its body, and the settings.
type Options struct {
	Integration id.Integration
	RoutingKey  string        // from the URL, decoded; the body's VO_ROUTING_KEY stands in when there is none
	Key         string        // the integration's key, masked wherever the body repeats it
	Strict      bool          // only the vendor's own words for message_type; see messageType
	NewEntityID func() string // makes an identity for an alert that has none; required
}

// InvalidError is what is wrong with a body, in a sentence for the sender; it
// is the message of the answer, word for word.
type InvalidError string

// Error returns the sentence.
func (e InvalidError) Error() string { return string(e) }

// missingField is the one documented failure; clients and tests compare it, so
// it is not in the catalogue.
func missingField(name string) error { return InvalidError("Missing fields: " + name) }

// Parse reads one alert. The error is always an InvalidError. The texts of the
// alert share memory with its Raw, and none with body.
func Parse(body []byte, opts Options) (alert.Alert, error) {
	raw, err := object(body)
	if err != nil {
		return alert.Alert{}, err
	}
	raw = mask(raw, opts.Key)

	p := parser{key: opts.Key}
	for name, value := range members(raw) {
		p.member(name, value)
	}
	if p.messageType == "" {
		return alert.Alert{}, missingField("message_type")
	}

	a := alert.Alert{
		Integration: opts.Integration,
		RoutingKey:  routingKey(maskKey(opts.RoutingKey, opts.Key)),
		Type:        messageType(p.messageType, opts.Strict),
		EntityID:    alert.Cut(p.entityID, alert.MaxEntityID),
		Title:       p.title,
		Message:     p.message,
		StartedAt:   p.startedAt,
		SentAt:      p.sentAt,
		Tool:        p.tool,
		Host:        p.either(p.hostName, "hostname", p.hostname),
		AckAuthor:   p.either(p.ackAuthor, "ack_user", p.ackUser),
		AckMessage:  p.either(p.ackMessage, "ack_msg", p.ackMsg),
		Annotations: slices.DeleteFunc(p.annotations, func(a alert.Annotation) bool { return a.Value == "" }),
		Fields:      p.fields,
		Raw:         raw,
	}
	if a.RoutingKey == "" {
		a.RoutingKey = routingKey(p.fields["VO_ROUTING_KEY"])
	}
	if a.Title == "" {
		a.Title = a.EntityID
	}
	if a.EntityID == "" { // one of ours says nothing to anybody, so it is no title
		a.EntityID = opts.NewEntityID()
		if a.Title == "" {
			a.Title = firstLine(a.Message)
		}
	}
	return a, nil
}

func firstLine(s string) string {
	s = strings.TrimSpace(s)
	if end := strings.IndexAny(s, "\r\n"); end >= 0 {
		s = s[:end]
	}
	return alert.Cut(strings.TrimSpace(s), alert.MaxField)
}

// object returns body as valid UTF-8 that is known to be one JSON object. JSON
// allows no raw NUL, so there is none in it.
func object(body []byte) (string, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")) // a byte order mark, from Windows
	body = bytes.Trim(body, " \t\r\n")
	switch {
	case len(body) == 0:
		return "", InvalidError(phrase.T("intake.body.empty"))
	case !json.Valid(body):
		return "", notJSON(body)
	case body[0] != '{':
		return "", InvalidError(phrase.T("intake.body.not_object"))
	}
	return strings.ToValidUTF8(string(body), "\uFFFD"), nil
}

func notJSON(body []byte) error {
	var syntax *json.SyntaxError
	if !errors.As(json.Unmarshal(body, new(any)), &syntax) {
		return InvalidError(phrase.T("intake.body.not_json"))
	}
	return InvalidError(phrase.T("intake.body.not_json_at", syntax.Offset, toText(syntax.Error())))
}

// routingKey is the routing key as the sender spelled it. The product showed
// its URL with a literal $routing_key at the end, for people to replace; who
// did not gets the default route.
func routingKey(s string) string {
	s = strings.TrimSpace(s)
	if s == "$routing_key" {
		return ""
	}
	return alert.Cut(toText(s), alert.MaxField)
}

// parser collects the members of one body. Of a key that occurs twice the last
// value wins, as with every JSON parser the original could have used.
type parser struct {
	key string // see Options.Key

	messageType, entityID, title, message, tool string
	hostName, hostname                          string
	ackAuthor, ackUser, ackMessage, ackMsg      string
	startedAt, sentAt                           time.Time

	annotations []alert.Annotation
	annotated   map[string]int // member name → index in annotations
	fields      map[string]string
}

func (p *parser) member(name, value string) {
	name, _ = p.text(name)
	text, present := p.text(value)
	field := alert.Cut(text, alert.MaxField)
	switch name {
	case "message_type":
		p.messageType = strings.TrimSpace(text)
	case "entity_id":
		p.entityID = strings.TrimSpace(text)
	case "entity_display_name":
		p.title = alert.Cut(strings.TrimSpace(text), alert.MaxField) // Moira's ends in a line break
	case "state_message":
		p.message = alert.Cut(text, alert.MaxMessage)
	case "state_start_time":
		p.startedAt = unixTime(text)
	case "timestamp":
		p.sentAt = unixTime(text)
	case "monitoring_tool":
		p.tool = field
	case "host_name":
		p.hostName = field
	case "hostname":
		p.hostname = field
	case "ack_author":
		p.ackAuthor = field
	case "ack_user":
		p.ackUser = field
	case "ack_message":
		p.ackMessage = field
	case "ack_msg":
		p.ackMsg = field
	default:
		p.custom(name, text, present)
	}
}

// custom keeps a member that has no place of its own: as an annotation, as a
// field, or as both.
func (p *parser) custom(name, text string, present bool) {
	if secret(name) {
		return
	}
	if kind, title, ok := annotation(name); ok {
		p.annotate(name, alert.Annotation{Kind: kind, Title: title, Value: text})
		return
	}
	switch name {
	case "alert_url":
		p.annotateURL(name, alert.Link, "intake.annotation.alert_url", text)
	case "trigger_url":
		p.annotateURL(name, alert.Link, "intake.annotation.trigger_url", text)
	case "image_url":
		p.annotateURL(name, alert.Image, "intake.annotation.image_url", text)
	}
	p.field(name, text, present)
}

func (p *parser) field(name, text string, present bool) {
	name = alert.Cut(name, alert.MaxField)
	if !present { // null
		delete(p.fields, name)
		return
	}
	if p.fields == nil {
		p.fields = make(map[string]string)
	}
	p.fields[name] = alert.Cut(text, alert.MaxField)
}

// either picks between two spellings of one thing. The first wins; when they
// differ the second is kept as a field, so that nothing the sender said is lost.
func (p *parser) either(first, otherName, other string) string {
	switch {
	case first == "":
		return other
	case other != "" && other != first:
		p.field(otherName, other, true)
	}
	return first
}

// annotation splits vo_annotate.<kind>.<title> on the first two dots only: a
// title may contain dots, spaces and emoji.
func annotation(name string) (alert.AnnotationKind, string, bool) {
	rest, ok := strings.CutPrefix(name, "vo_annotate.")
	if !ok {
		return "", "", false
	}
	kind, title, ok := strings.Cut(rest, ".")
	if !ok {
		return "", "", false
	}
	switch kind {
	case "u":
		return alert.Link, title, true
	case "s":
		return alert.Note, title, true
	case "i":
		return alert.Image, title, true
	}
	return "", "", false
}

// annotateURL shows a well-known field as a link or picture too. What is not a
// web address stays a mere field.
func (p *parser) annotateURL(name string, kind alert.AnnotationKind, title, url string) {
	if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
		url = ""
	}
	p.annotate(name, alert.Annotation{Kind: kind, Title: phrase.T(title), Value: url})
}

// annotate appends a, or puts it in the place of what the same member said before.
func (p *parser) annotate(name string, a alert.Annotation) {
	a.Value = alert.Cut(strings.TrimSpace(a.Value), alert.MaxAnnotation)
	a.Title = alert.Cut(strings.TrimSpace(a.Title), alert.MaxField)
	if a.Title == "" {
		a.Title = alert.Cut(a.Value, alert.MaxField) // something to click on
	}
	if i, twice := p.annotated[name]; twice {
		p.annotations[i] = a
		return
	}
	if p.annotated == nil {
		p.annotated = make(map[string]int)
	}
	p.annotated[name] = len(p.annotations)
	p.annotations = append(p.annotations, a)
}

// unixTime reads seconds, or thirteen digits of milliseconds, since 1970. It
// returns the zero time for anything else: a sender's broken clock must not
// cost the alert.
func unixTime(text string) time.Time {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	switch {
	case err != nil:
		return time.Time{}
	case n >= 1 && n < 1e10:
		return time.UnixMilli(int64(math.Round(n * 1000))).UTC()
	case n >= 1e12 && n < 1e13:
		return time.UnixMilli(int64(n)).UTC()
	}
	return time.Time{}
}
