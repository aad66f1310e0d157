// Package pushover pages people through Pushover (https://pushover.net/api).
//
// A contact method is a user key or the key of a delivery group (Page.To); the
// application's token is ours (Config.Token). An urgent page has emergency
// priority: it sounds again every Config.Retry until somebody acknowledges it
// in the app, it is cancelled, or Config.Expire is over. Anything else has
// normal priority and respects the phone's quiet hours.
//
// It promises: a receipt means that Pushover queued the message. For an urgent
// page RemoteID is Pushover's receipt, which Track asks about, Cancel ends, and
// a callback names; it is "" for any other page, about which nothing more can
// be learnt. Pushover signs no callback: ParseCallback reads one, and a caller
// that acts on it must have put a secret into Config.CallbackURL or ask Track.
package pushover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/push"
	"github.com/watchroom/watchroom/internal/notify/rest"
	"github.com/watchroom/watchroom/internal/phrase"
)

// The limits of https://pushover.net/api#limits, in characters.
const (
	maxMessage  = 1024
	maxURL      = 512
	maxURLTitle = 100
)

// What emergency priority may be set to: https://pushover.net/api#priority.
const (
	minRetry  = 30 * time.Second
	maxExpire = 10800 * time.Second
)

// Config is the application at Pushover. Only Token is needed.
type Config struct {
	Token       string        // of our application
	BaseURL     string        // "" means https://api.pushover.net
	CallbackURL string        // where Pushover reports an acknowledgement; "" for not at all
	Retry       time.Duration // between two sounds of an urgent page, at least 30 s; 0 means one minute
	Expire      time.Duration // how long an urgent page sounds, at most three hours; 0 means one hour
	HomeURL     string        // the list of incidents, where a bundle leads to; may be ""
}

// Validate says in a sentence what is wrong. It never repeats the token.
func (c Config) Validate() error {
	complain := func(key string) error { return errors.New(phrase.T(key)) }
	if !keyShape.MatchString(c.Token) {
		return complain("pushover.config.token")
	}
	for _, u := range []string{c.BaseURL, c.CallbackURL, c.HomeURL} {
		if _, ok := rest.WebURL(u); u != "" && !ok {
			return complain("pushover.config.url")
		}
	}
	if c.Retry != 0 && c.Retry < minRetry {
		return complain("pushover.config.retry")
	}
	if c.Expire < 0 || c.Expire > maxExpire {
		return complain("pushover.config.expire")
	}
	return nil
}

// keyShape is what tokens, user keys, group keys and receipts look like.
var keyShape = regexp.MustCompile(`^[A-Za-z0-9]{30}$`)

// Client is safe for use by many goroutines.
type Client struct {
	cfg  Config
	host string // for people
	http *http.Client
}

var (
	_ notify.Provider  = (*Client)(nil)
	_ notify.Tracker   = (*Client)(nil)
	_ notify.Canceller = (*Client)(nil)
)

// New makes a client that talks through h. It does not connect. A cfg that does
// not validate makes a client that fails.
func New(cfg Config, h *http.Client) *Client {
	if cfg.BaseURL == "" {
		cfg.BaseURL = "https://api.pushover.net"
	}
	cfg.BaseURL = strings.TrimSuffix(cfg.BaseURL, "/")
	if cfg.Retry == 0 {
		cfg.Retry = time.Minute
	}
	if cfg.Expire == 0 {
		cfg.Expire = time.Hour
	}
	c := &Client{cfg: cfg, host: "Pushover", http: rest.Client(h)}
	if u, ok := rest.WebURL(cfg.BaseURL); ok {
		c.host = u.Host
	}
	return c
}

// Send queues p; see the package comment.
func (c *Client) Send(ctx context.Context, p notify.Page) (notify.Receipt, error) {
	if err := CheckAddress(p.To); err != nil {
		return notify.Receipt{}, err
	}
	form, err := c.compose(p)
	if err != nil {
		return notify.Receipt{}, err
	}
	a, err := c.post(ctx, "/1/messages.json", form)
	if err != nil {
		return notify.Receipt{}, err
	}
	return notify.Receipt{RemoteID: a.Receipt, Detail: phrase.T("pushover.done", push.Line(a.Request, 64))}, nil
}

// CheckAddress says in a sentence why to cannot be a user or group key, and nil when it can.
func CheckAddress(to string) error {
	if !keyShape.MatchString(to) {
		return &notify.Failure{Permanent: true, Reason: phrase.T("pushover.fail.address")}
	}
	return nil
}

func (c *Client) compose(p notify.Page) (url.Values, error) {
	w, err := push.New(p, c.cfg.HomeURL)
	if err != nil {
		return nil, err
	}
	body := w.Body(push.Markup{Limit: maxMessage})
	if body == "" {
		body = w.Subject // a message must not be empty
	}
	form := url.Values{"user": {p.To}, "title": {w.Subject}, "message": {body}, "priority": {"0"}}
	if w.Urgent {
		form.Set("priority", "2")
		form.Set("retry", seconds(c.cfg.Retry))
		form.Set("expire", seconds(c.cfg.Expire))
		if c.cfg.CallbackURL != "" {
			form.Set("callback", c.cfg.CallbackURL)
		}
		if tags := incidentTags(p); tags != "" {
			form.Set("tags", tags)
		}
	}
	if w.Link != "" && len(w.Link) <= maxURL { // a longer one would refuse the page
		form.Set("url", w.Link)
		form.Set("url_title", push.Cut(w.LinkLabel, maxURLTitle))
	}
	return form, nil
}

// incidentTags names the incidents of a page, so that an operator can also end
// the noise of one by hand: cancel_by_tag.
func incidentTags(p notify.Page) string {
	const most = 20
	var tags []string
	for _, inc := range p.Incidents[:min(len(p.Incidents), most)] {
		tags = append(tags, fmt.Sprintf("incident=%d", inc.Number))
	}
	return strings.Join(tags, ",")
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// Cancel ends the noise of an urgent page. Ending what has ended is no error,
// and neither is a page that makes none ("").
func (c *Client) Cancel(ctx context.Context, remoteID string) error {
	if remoteID == "" {
		return nil
	}
	if !keyShape.MatchString(remoteID) {
		return &notify.Failure{Permanent: true, Reason: phrase.T("pushover.fail.receipt")}
	}
	_, err := c.post(ctx, "/1/receipts/"+remoteID+"/cancel.json", url.Values{})
	return err
}

// post sends a form with our token and judges the answer.
func (c *Client) post(ctx context.Context, path string, form url.Values) (answer, error) {
	form.Set("token", c.cfg.Token)
	return c.exchange(ctx, http.MethodPost, path, form)
}

// get asks with our token, which has to stand in the URL.
func (c *Client) get(ctx context.Context, path string) (answer, error) {
	return c.exchange(ctx, http.MethodGet, path+"?"+url.Values{"token": {c.cfg.Token}}.Encode(), nil)
}

func (c *Client) exchange(ctx context.Context, method, path string, form url.Values) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.cfg.BaseURL+path, strings.NewReader(form.Encode()))
	if err != nil { // quotes the URL
		return answer{}, &notify.Failure{Config: true, Reason: phrase.T("notify.fail.request", c.host)}
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	reply, err := rest.Do(c.http, req, c.cfg.Token)
	if err != nil {
		return answer{}, rest.Ours(err)
	}
	return c.verdict(reply)
}

// answer is all that Pushover writes: https://pushover.net/api#response and
// https://pushover.net/api/receipts.
type answer struct {
	Status  int             `json:"status"` // 1 when all is well
	Request string          `json:"request"`
	Receipt string          `json:"receipt"`
	User    string          `json:"user"`  // "invalid" when that is the trouble
	Token   string          `json:"token"` // likewise
	Errors  json.RawMessage `json:"errors"`

	Acknowledged         int    `json:"acknowledged"`
	AcknowledgedBy       string `json:"acknowledged_by"`
	AcknowledgedByDevice string `json:"acknowledged_by_device"`
	LastDeliveredAt      int64  `json:"last_delivered_at"`
	Expired              int    `json:"expired"`
}
