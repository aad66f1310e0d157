// Package ntfy pages people through an ntfy server: theirs, ours or ntfy.sh.
//
// A contact method is the URL of a topic (Page.To) and, where the topic is
// protected, an access token "tk_…" or "user:password" (Page.Secret). A page is
// published as JSON to the server of the topic, as https://docs.ntfy.sh/publish/
// describes: highest priority for what is urgent, at most three buttons. The
// buttons that answer call Config.AnswerURL with a POST; that URL is a bearer
// secret, so who holds the phone or reads the topic can answer, once.
//
// It promises: a receipt means that the server stored the message. A refusal
// by ntfy itself is final for the address; an answer that is not ntfy's, such
// as a proxy's error page, is worth another try. What became of the message on
// the phone cannot be asked.
package ntfy

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/push"
	"github.com/watchroom/watchroom/internal/notify/rest"
	"github.com/watchroom/watchroom/internal/phrase"
)

// What the original accepts with its default settings. A longer message would
// become an attachment. The whole JSON may have twice as many bytes, so what
// counts here is the message as JSON, which is never shorter.
const (
	maxMessage = 4096 // bytes
	maxActions = 3
)

// Config is what all topics have in common. The zero value works; pages then
// carry links instead of buttons.
type Config struct {
	// AnswerURL makes the URL that a button POSTs to, for a Page.Token. The
	// phone must be able to reach it. nil: buttons open the confirming page instead.
	AnswerURL func(token string, action notify.Action) string
	HomeURL   string // the list of incidents, where a bundle leads to; may be ""
}

// Validate says in a sentence what is wrong.
func (c Config) Validate() error { return push.CheckHome(c.HomeURL) }

// Client is safe for use by many goroutines.
type Client struct {
	cfg  Config
	http *http.Client
}

var _ notify.Provider = (*Client)(nil)

// New makes a client that talks through h, which has to guard against
// addresses that are not public: people type the topic's URL. It does not connect.
func New(cfg Config, h *http.Client) *Client {
	return &Client{cfg: cfg, http: rest.Client(h)}
}

// message is what is published: https://docs.ntfy.sh/publish/#publish-as-json.
type message struct {
	Topic    string   `json:"topic"`
	Title    string   `json:"title,omitempty"`
	Message  string   `json:"message"`
	Priority int      `json:"priority"`
	Tags     []string `json:"tags,omitempty"`
	Click    string   `json:"click,omitempty"`
	Actions  []action `json:"actions,omitempty"`
}

type action struct {
	Action string `json:"action"`
	Label  string `json:"label"`
	URL    string `json:"url"`
	Method string `json:"method,omitempty"`
	Clear  bool   `json:"clear,omitempty"` // the notification goes away once the call succeeded
}

// Send publishes p; see the package comment. The receipt's RemoteID is the id
// of the stored message.
func (c *Client) Send(ctx context.Context, p notify.Page) (notify.Receipt, error) {
	to, err := parseTopic(p.To)
	if err != nil {
		return notify.Receipt{}, err
	}
	auth, err := authorization(p.Secret)
	if err != nil {
		return notify.Receipt{}, err
	}
	m, err := c.compose(p, to.name)
	if err != nil {
		return notify.Receipt{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.base, bytes.NewReader(encode(m)))
	if err != nil { // quotes the URL
		return notify.Receipt{}, &notify.Failure{Permanent: true, Reason: phrase.T("notify.fail.request", to.host)}
	}
	req.Header.Set("Content-Type", "application/json")
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	// On a public server the name of the topic is all that protects it.
	secrets := []string{p.Secret, to.name}
	reply, err := rest.Do(c.http, req, secrets...)
	if err != nil {
		return notify.Receipt{}, err
	}
	return verdict(reply, to.host, secrets)
}

func (c *Client) compose(p notify.Page, name string) (message, error) {
	w, err := push.New(p, c.cfg.HomeURL)
	if err != nil {
		return message{}, err
	}
	m := message{
		Topic: name, Title: w.Subject, Priority: 3, Click: w.Link,
		Message: w.Body(push.Markup{Limit: maxMessage, Size: sizeInJSON}),
	}
	switch {
	case p.Notice != nil:
		m.Tags = []string{"bell"}
	case w.Urgent:
		m.Priority, m.Tags = 5, []string{"rotating_light"}
	default:
		m.Tags = []string{"warning"}
	}
	if p.Drill {
		m.Tags = append(m.Tags, "test_tube")
	}
	if m.Message == "" { // ntfy would write "triggered" instead
		m.Message = w.Subject
	}
	m.Actions = c.buttons(p, w)
	return m, nil
}

func (c *Client) buttons(p notify.Page, w push.Words) []action {
	var all []action
	answer := func(label, forAll string, does notify.Action, page string) {
		if len(p.Incidents) > 1 {
			label = forAll
		}
		switch {
		case len(p.Incidents) == 0:
		case c.cfg.AnswerURL != nil && p.Token != "":
			all = append(all, action{
				Action: "http", Label: label, URL: c.cfg.AnswerURL(p.Token, does),
				Method: http.MethodPost, Clear: true,
			})
		case page != "":
			all = append(all, action{Action: "view", Label: label, URL: page})
		}
	}
	answer(phrase.T("notify.ack"), phrase.T("notify.ack.all"), notify.Acknowledge, w.AckURL)
	answer(phrase.T("notify.resolve"), phrase.T("notify.resolve.all"), notify.Resolve, w.ResolveURL)
	if w.Link != "" {
		all = append(all, action{Action: "view", Label: w.LinkLabel, URL: w.Link})
	}
	return all[:min(len(all), maxActions)]
}

// encode writes v as JSON without Go's escapes for HTML, which would take six
// bytes for every & of a URL. What is encoded here cannot fail.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func sizeInJSON(s string) int { return len(encode(s)) }

// topic is where a contact method's URL leads.
type topic struct {
	base string // the server, where JSON is published
	name string
	host string // for people
}

var topicName = regexp.MustCompile(`^[-_A-Za-z0-9]{1,64}$`)

// parseTopic takes https://host/topic apart. Servers below a path exist behind
// proxies, so only the last element is the topic.
func parseTopic(raw string) (topic, error) {
	u, ok := rest.WebURL(raw)
	if !ok || strings.ContainsAny(raw, "?#") {
		return topic{}, &notify.Failure{Permanent: true, Reason: phrase.T("ntfy.fail.address")}
	}
	dir, name := path.Split(strings.TrimSuffix(u.Path, "/"))
	if !topicName.MatchString(name) {
		return topic{}, &notify.Failure{Permanent: true, Reason: phrase.T("ntfy.fail.topic", u.Host)}
	}
	u.Path, u.RawPath = dir, ""
	return topic{base: u.String(), name: name, host: u.Host}, nil
}

// CheckAddress says in a sentence why to cannot be a topic's URL or secret its
// token, and nil when they can.
func CheckAddress(to, secret string) error {
	if _, err := parseTopic(to); err != nil {
		return err
	}
	_, err := authorization(secret)
	return err
}

func authorization(secret string) (string, error) {
	if secret == "" {
		return "", nil
	}
	if user, password, ok := strings.Cut(secret, ":"); ok {
		var r http.Request
		r.Header = http.Header{}
		r.SetBasicAuth(user, password)
		return r.Header.Get("Authorization"), nil
	}
	if !rest.HeaderSafe(secret) {
		return "", &notify.Failure{Permanent: true, Reason: phrase.T("ntfy.fail.secret")}
	}
	return "Bearer " + secret, nil
}
