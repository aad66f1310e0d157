// Package gotify pages people through their Gotify server.
//
// A contact method is the server's URL (Page.To) and the token of an
// application there (Page.Secret). A page is a message in Markdown, priority 8
// (sound and vibration) for what is urgent and 5 otherwise; the message format
// and the extras are those of https://gotify.net/docs. Gotify has no buttons
// that call back, so a page carries links to the pages with one confirming
// button, and a tap opens the incident.
//
// It promises: a receipt means that the server stored the message. Text from
// outside is escaped and can make neither a link nor an image. A refusal by
// Gotify itself is final for the address; an answer that is not Gotify's, such
// as a proxy's error page, is worth another try. Whether anybody saw the
// message cannot be asked.
package gotify

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/push"
	"github.com/watchroom/watchroom/internal/notify/rest"
	"github.com/watchroom/watchroom/internal/phrase"
)

// maxMessage is what a phone can sensibly show; Gotify itself sets no limit.
const maxMessage = 4000 // characters

// Config is what all servers have in common. The zero value works.
type Config struct {
	HomeURL string // the list of incidents, where a bundle leads to; may be ""
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
// addresses that are not public: people type the server's URL. It does not connect.
func New(cfg Config, h *http.Client) *Client {
	return &Client{cfg: cfg, http: rest.Client(h)}
}

// message is the body of POST /message.
type message struct {
	Title    string `json:"title"`
	Message  string `json:"message"`
	Priority int    `json:"priority"`
	Extras   extras `json:"extras"`
}

// extras are https://gotify.net/docs/msgextras.
type extras struct {
	Display      display       `json:"client::display"`
	Notification *notification `json:"client::notification,omitempty"`
}

type display struct {
	ContentType string `json:"contentType"`
}

type notification struct {
	Click click `json:"click"`
}

type click struct {
	URL string `json:"url"`
}

// Send posts p; see the package comment. The receipt's RemoteID is the id of the message.
func (c *Client) Send(ctx context.Context, p notify.Page) (notify.Receipt, error) {
	endpoint, host, err := parseAddress(p.To, p.Secret)
	if err != nil {
		return notify.Receipt{}, err
	}
	m, err := c.compose(p)
	if err != nil {
		return notify.Receipt{}, err
	}
	body, err := json.Marshal(m)
	if err != nil {
		return notify.Receipt{}, &notify.Failure{Permanent: true, Reason: phrase.T("notify.fail.request", host), Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil { // quotes the URL
		return notify.Receipt{}, &notify.Failure{Permanent: true, Reason: phrase.T("notify.fail.request", host)}
	}
	req.Header.Set("Content-Type", "application/json")
	// Not ?token=, which proxies write into their logs.
	req.Header.Set("X-Gotify-Key", p.Secret)
	reply, err := rest.Do(c.http, req, p.Secret)
	if err != nil {
		return notify.Receipt{}, err
	}
	return verdict(reply, host, p.Secret)
}

func (c *Client) compose(p notify.Page) (message, error) {
	w, err := push.New(p, c.cfg.HomeURL)
	if err != nil {
		return message{}, err
	}
	links := linkLine(w)
	m := message{Title: w.Subject, Priority: 5, Extras: extras{Display: display{ContentType: "text/markdown"}}}
	m.Message = w.Body(push.Markup{
		Limit: maxMessage, Escape: escape, Item: itemLine,
		Break: "  \n", // a line end in Markdown; without the spaces lines run together
	})
	switch {
	case m.Message == "" && links == "": // the one field that has to be there
		m.Message = escape(w.Subject)
	case m.Message == "":
		m.Message = links
	case links != "":
		m.Message += "\n\n" + links
	}
	if w.Urgent {
		m.Priority = 8
	}
	if w.Link != "" {
		m.Extras.Notification = &notification{click{w.Link}}
	}
	return m, nil
}

func itemLine(i push.Item) string {
	line := link(i.Text, i.URL)
	if i.AckURL != "" {
		line += " · " + link(phrase.T("notify.ack"), i.AckURL)
	}
	return line
}

func linkLine(w push.Words) string {
	var all []string
	add := func(label, to string) {
		if to != "" {
			all = append(all, link(label, to))
		}
	}
	add(phrase.T("notify.ack"), w.AckURL)
	add(phrase.T("notify.resolve"), w.ResolveURL)
	add(w.LinkLabel, w.Link)
	return strings.Join(all, " · ")
}

// link writes a link, or the label alone when there is nowhere to go.
func link(label, to string) string {
	if to == "" {
		return escape(label)
	}
	to = strings.NewReplacer("<", "%3C", ">", "%3E", " ", "%20", "\\", "%5C", "\n", "%0A", "\r", "%0D").Replace(to)
	return "[" + escape(label) + "](<" + to + ">)"
}

// escape takes the meaning from every character that can have one in Markdown:
// CommonMark allows a backslash before any ASCII punctuation. Bare addresses
// are links in many readers even so, and harmless.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r > ' ' && r < 0x7f && (('0' > r || r > '9') && ('a' > r || r > 'z') && ('A' > r || r > 'Z')) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// CheckAddress says in a sentence why to cannot be a server's URL or secret an
// application's token, and nil when they can.
func CheckAddress(to, secret string) error {
	_, _, err := parseAddress(to, secret)
	return err
}

func parseAddress(to, token string) (endpoint, host string, err error) {
	u, ok := rest.WebURL(to)
	if !ok || strings.ContainsAny(to, "?#") {
		return "", "", &notify.Failure{Permanent: true, Reason: phrase.T("gotify.fail.address")}
	}
	if token == "" || !rest.HeaderSafe(token) {
		return "", "", &notify.Failure{Permanent: true, Reason: phrase.T("gotify.fail.token")}
	}
	base := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return base.JoinPath("message").String(), u.Host, nil
}

// answer is both of what Gotify writes: the stored message, or an error.
type answer struct {
	ID               int64  `json:"id"`
	Error            string `json:"error"`
	ErrorCode        int    `json:"errorCode"`
	ErrorDescription string `json:"errorDescription"`
}

// verdict judges an answer:
//
//	200 with the stored message    done
//	Gotify's error 429 or 5xx      try again
//	Gotify's error 4xx             never: token, address or message
//	anything that is not Gotify's  try again, except a lasting redirect
func verdict(reply rest.Answer, host, token string) (notify.Receipt, error) {
	var a answer
	if json.Unmarshal(reply.Body, &a) != nil { // whatever it was, it is not Gotify's
		return notify.Receipt{}, reply.Stray(host)
	}
	if reply.Status == http.StatusOK && a.ID > 0 {
		number := strconv.FormatInt(a.ID, 10)
		return notify.Receipt{RemoteID: number, Detail: phrase.T("gotify.done", host, number)}, nil
	}
	if a.ErrorCode == 0 || a.Error == "" {
		return notify.Receipt{}, reply.Stray(host)
	}
	said := a.Error
	if a.ErrorDescription != "" {
		said += ": " + a.ErrorDescription
	}
	f := &notify.Failure{Reason: phrase.T("gotify.fail.answer", host, reply.Status, rest.Says(said, token))}
	switch {
	case reply.Status == http.StatusUnauthorized, reply.Status == http.StatusForbidden:
		f.Permanent, f.Reason = true, phrase.T("gotify.fail.forbidden", host)
	case reply.Status == http.StatusTooManyRequests:
		f.RetryAfter = reply.RetryAfter()
	case reply.Status >= 400 && reply.Status < 500:
		f.Permanent = true
	}
	return notify.Receipt{}, f
}
