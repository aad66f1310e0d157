// Package vonage pages people by text message through Vonage's SMS API, formerly
// Nexmo: the second provider when the first is out of order.
//
// It promises: a Receipt means that Vonage queued every part of the message.
// Events come only from callbacks with a valid signature, so without
// Config.SignatureSecret no receipt is asked for and no reply is believed; the
// message then carries the link that acknowledges in place of "Reply ACK".
//
// The request, its answer, the status codes and the fields of callbacks follow
// Vonage's published reference of the SMS API. The meaning of the codes in
// delivery receipts, and that values are signed with & and = replaced, rest on
// the vendor's libraries and on common knowledge; they are worth a test message.
//
// Which provider is tried when, and retries, are for others.
package vonage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/rest"
	"github.com/watchroom/watchroom/internal/notify/sms"
	"github.com/watchroom/watchroom/internal/phrase"
)

// DefaultBaseURL is the API for all regions.
const DefaultBaseURL = "https://rest.nexmo.com"

const provider = "Vonage"

// SignatureMethod is how the account's settings say that callbacks are signed.
type SignatureMethod string

// The methods of Vonage that are worth using, and its default.
const (
	MD5Hash    SignatureMethod = "md5hash" // the default of an account
	HMACSHA256 SignatureMethod = "sha256"
	HMACSHA512 SignatureMethod = "sha512"
)

// Config is an account at Vonage. APIKey, APISecret and From are needed.
type Config struct {
	BaseURL   string // "" means DefaultBaseURL
	APIKey    string
	APISecret string
	From      string // a number of the account, E.164, or a name of at most 11 letters and digits

	// CallbackURL is where Vonage reaches this server; receipts are asked for
	// there when SignatureSecret is set.
	CallbackURL     string
	SignatureSecret string
	SignatureMethod SignatureMethod // "" means HMACSHA256

	Validity time.Duration // not delivered by then is dropped; 20 s to 7 days, 0 means 10 min
}

// Validate says in a sentence what is wrong; it repeats no secret.
func (c Config) Validate() error {
	var key string
	switch {
	case !webAddress(cmp.Or(c.BaseURL, DefaultBaseURL)):
		key = "sms.vonage.config.base_url"
	case c.APIKey == "" || c.APISecret == "":
		key = "sms.vonage.config.credentials"
	case !sms.E164(c.From) && !senderName(c.From):
		key = "sms.vonage.config.from"
	case c.CallbackURL != "" && !webAddress(c.CallbackURL):
		key = "sms.vonage.config.callback"
	case c.CallbackURL != "" && c.SignatureSecret == "":
		key = "sms.vonage.config.unsigned"
	case c.SignatureMethod != "" && c.SignatureMethod.hash() == nil:
		key = "sms.vonage.config.method"
	case c.Validity != 0 && (c.Validity < 20*time.Second || c.Validity > 7*24*time.Hour):
		key = "sms.vonage.config.validity"
	default:
		return nil
	}
	return errors.New(phrase.T(key))
}

func senderName(s string) bool {
	return s != "" && len(s) <= 11 && strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != ' '
	}) < 0
}

func webAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

// Client is safe for use by many goroutines.
type Client struct {
	cfg  Config
	http *http.Client
}

var _ notify.Provider = (*Client)(nil)

// New makes a client of a valid cfg. It does not connect.
func New(cfg Config, client *http.Client) *Client {
	cfg.BaseURL = strings.TrimRight(cmp.Or(cfg.BaseURL, DefaultBaseURL), "/")
	cfg.CallbackURL = strings.TrimRight(cfg.CallbackURL, "/")
	cfg.Validity = cmp.Or(cfg.Validity, 10*time.Minute)
	cfg.SignatureMethod = cmp.Or(cfg.SignatureMethod, HMACSHA256)
	return &Client{cfg: cfg, http: rest.Client(client)}
}

// hears reports whether callbacks can be believed.
func (c *Client) hears() bool { return c.cfg.CallbackURL != "" && c.cfg.SignatureSecret != "" }

// Send sends p as one message of at most two segments.
func (c *Client) Send(ctx context.Context, p notify.Page) (notify.Receipt, error) {
	switch {
	case p.Notice == nil && len(p.Incidents) == 0:
		return notify.Receipt{}, &notify.Failure{Permanent: true, Reason: phrase.T("sms.fail.empty")}
	case !sms.E164(p.To):
		return notify.Receipt{}, &notify.Failure{Permanent: true, Reason: phrase.T("sms.fail.number", rest.Says(p.To))}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.BaseURL+"/sms/json", strings.NewReader(c.form(p).Encode()))
	if err != nil {
		return notify.Receipt{}, fmt.Errorf("ask %s: %w", provider, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	answer, err := rest.Do(c.http, req)
	if err != nil {
		return notify.Receipt{}, rest.Ours(err)
	}
	return c.verdict(answer)
}

func (c *Client) form(p notify.Page) url.Values {
	text := sms.Text(p, c.hears() && sms.E164(c.cfg.From))
	form := url.Values{
		"api_key": {c.cfg.APIKey}, "api_secret": {c.cfg.APISecret},
		"from": {strings.TrimPrefix(c.cfg.From, "+")},
		"to":   {strings.TrimPrefix(p.To, "+")}, // E.164 without its plus
		"text": {text},
		"ttl":  {strconv.FormatInt(c.cfg.Validity.Milliseconds(), 10)},
	}
	if _, gsm := sms.Segments(text); !gsm {
		form.Set("type", "unicode")
	}
	if len(p.Key) <= 100 {
		form.Set("client-ref", p.Key) // comes back in receipts and in the account's log
	}
	if c.hears() {
		form.Set("status-report-req", "1")
		form.Set("callback", c.cfg.CallbackURL+StatusPath)
	}
	return form
}

// verdict reads the answer: 200 for everything, with a status for each part.
func (c *Client) verdict(answer rest.Answer) (notify.Receipt, error) {
	var body struct {
		Messages []struct {
			ID     string `json:"message-id"`
			Status string `json:"status"`
			Error  string `json:"error-text"`
		} `json:"messages"`
	}
	err := json.Unmarshal(answer.Body, &body)
	if err != nil || len(body.Messages) == 0 {
		if f := answer.Failure(provider, ""); f != nil {
			return notify.Receipt{}, f
		}
		return notify.Receipt{}, &notify.Failure{
			Config: !answer.OK(), // 404: the address is not that of the API
			Reason: rest.Refusal(provider, answer.Status, phrase.T("sms.vonage.fail.no_messages")),
		}
	}
	for _, part := range body.Messages {
		if part.Status != "0" {
			return notify.Receipt{}, c.refusal(part.Status, part.Error, answer.RetryAfter())
		}
	}
	return notify.Receipt{RemoteID: body.Messages[0].ID, Detail: phrase.N("sms.vonage.taken", len(body.Messages))}, nil
}

// refusal is the verdict on a status of the SMS API.
func (c *Client) refusal(status, text string, wait time.Duration) *notify.Failure {
	says := strings.TrimSpace("(" + status + ") " + rest.Says(text, c.cfg.APISecret, c.cfg.SignatureSecret))
	f := &notify.Failure{Reason: phrase.T("notify.fail.answer", provider, says), RetryAfter: wait}
	switch status {
	case "1": // throttled: the limit is per second
		f.RetryAfter = max(wait, time.Second)
	case "3", "6", "7", "12", "33": // bad number or text, unroutable, barred, too long, deactivated
		f.Permanent = true
	case "2", "4", "8", "9", "11", "14", "15", "22", "23", "29", "32": // sign-in, credit, account, sender
		f.Config = true
	}
	return f
}
