package twilio

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/rest"
	"github.com/watchroom/watchroom/internal/notify/sms"
	"github.com/watchroom/watchroom/internal/phrase"
)

// provider is how the other side is called in sentences.
const provider = "Twilio"

// Client is one account; it is safe for use by many goroutines.
type Client struct {
	cfg  Config
	http *http.Client

	mu    sync.Mutex           // guards the rest, which Listen remembers between breaks
	seen  map[string]time.Time // inbound messages that were taken, by sid, with when they were sent
	began time.Time            // Twilio's clock when replies were first looked for; zero before
	since time.Time            // replies sent before it have been dealt with
}

// New makes a client of a valid cfg. It does not connect.
func New(cfg Config, client *http.Client) *Client {
	return &Client{cfg: cfg.withDefaults(), http: rest.Client(client), seen: map[string]time.Time{}}
}

// SMS is the provider of text messages.
func (c *Client) SMS() *SMS { return &SMS{c} }

// Voice is the provider of telephone calls. It refuses to call unless Config.CanCall.
func (c *Client) Voice() *Voice { return &Voice{c} }

// resource is what Twilio says about a message or a call; errors come in the
// same shape with code and message.
type resource struct {
	SID          string `json:"sid"`
	Status       any    `json:"status"` // a word; in an error the number of the HTTP status
	ErrorCode    *int   `json:"error_code"`
	ErrorMessage string `json:"error_message"`

	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (r resource) status() string {
	s, _ := r.Status.(string)
	return s
}

// create posts form to a list ("Messages") and returns what was made.
func (c *Client) create(ctx context.Context, list string, form url.Values) (resource, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address(list+".json"), strings.NewReader(form.Encode()))
	if err != nil {
		return resource{}, fmt.Errorf("ask %s: %w", provider, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var made resource
	answer, err := c.ask(req, &made)
	if err != nil {
		return resource{}, err
	}
	if answer.Status != http.StatusCreated || made.SID == "" {
		return resource{}, &notify.Failure{Reason: rest.Refusal(provider, answer.Status, phrase.T("sms.twilio.fail.no_sid"))}
	}
	return made, nil
}

// fetch gets one message or call.
func (c *Client) fetch(ctx context.Context, list, sid string) (resource, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address(list+"/"+url.PathEscape(sid)+".json"), http.NoBody)
	if err != nil {
		return resource{}, fmt.Errorf("ask %s: %w", provider, err)
	}
	var found resource
	_, err = c.ask(req, &found)
	return found, err
}

func (c *Client) address(path string) string {
	return c.cfg.BaseURL + "/2010-04-01/Accounts/" + c.cfg.AccountSID + "/" + path
}

// ask signs in and reads a successful answer into to.
func (c *Client) ask(req *http.Request, to any) (rest.Answer, error) {
	req.Header.Set("Accept", "application/json")
	if c.cfg.KeySID != "" {
		req.SetBasicAuth(c.cfg.KeySID, c.cfg.KeySecret)
	} else {
		req.SetBasicAuth(c.cfg.AccountSID, c.cfg.AuthToken)
	}
	answer, err := rest.Do(c.http, req)
	if err != nil {
		return answer, rest.Ours(err)
	}
	if !answer.OK() {
		return answer, c.refusal(answer)
	}
	if err := json.Unmarshal(answer.Body, to); err != nil {
		// Not Twilio: a portal or a proxy. Its words are of no use to anybody.
		return answer, &notify.Failure{Reason: rest.Refusal(provider, answer.Status, phrase.T("sms.twilio.fail.no_json"))}
	}
	return answer, nil
}

// refusal is the verdict on an answer that is not success. The code decides
// where there is one, for one status (400) stands for very different things.
func (c *Client) refusal(answer rest.Answer) *notify.Failure {
	var r resource
	_ = json.Unmarshal(answer.Body, &r) // an answer that is no JSON has no code
	says := c.says(r.Message)
	if r.Code != 0 {
		says = strings.TrimSpace(fmt.Sprintf("(%d) %s", r.Code, says))
	}
	f := answer.Failure(provider, says)
	verdict := judge(r.Code)
	switch {
	case f != nil && verdict == unknown:
		return f
	case f == nil:
		f = &notify.Failure{RetryAfter: answer.RetryAfter(), Reason: rest.Refusal(provider, answer.Status, says)}
	}
	switch verdict {
	case never:
		f.Permanent, f.Config = true, false
	case operator:
		f.Config = true
	case again:
		f.Config = false
	case unknown: // a 4xx that says that this request will never be taken
		f.Permanent = answer.Status == http.StatusBadRequest
		f.Config = !f.Permanent // 404: the account or the address is not there
	}
	return f
}

// says is a text of Twilio's without our secrets.
func (c *Client) says(text string) string {
	return rest.Says(text, c.cfg.AuthToken, c.cfg.KeySecret)
}

type verdict int

const (
	unknown  verdict = iota
	again            // may work later
	never            // this number will never work
	operator         // our account or settings
)

// judge knows the codes that mean more than their HTTP status, from Twilio's
// error dictionary. Below 30000 they answer a request, above they come with the
// status of a message that was taken.
func judge(code int) verdict {
	switch code {
	case 13223, 13224, 13225, // call: invalid, not reachable or blocked number
		21211, 21214, 21217, 21265, // not a number, not reachable, a short code
		21604, 21610, 21614, 21635, // no recipient, opted out, not a mobile, landline
		30005, 30006: // unknown handset, landline
		return never
	case 10001, 10004, 20003, 20005, 20006, 20008, 20404, // account, sign-in, test credentials
		13227, 21215, 21216, 21408, // the country is not allowed
		21203, 21210, 21212, 21213, 21606, 21607, 21611, 21612, 21703, // the sender
		21219, 21608, 21609, // a trial account, a bad callback address
		30002, 30032, 30033, 30034, 30035, // account suspended, sender not registered
		63038: // daily limit of messages
		return operator
	case 14107, 20429, 20500, 20503, // too fast, their trouble
		30001, 30003, 30008, 30022, 30023: // queue full, handset off, unknown, too fast
		return again
	default:
		return unknown
	}
}

// fate is what a status says, from a hook or an answer. The zero Event means
// that the message is still on its way.
func (c *Client) fate(sid, status string, code int, message string) notify.Event {
	ev := notify.Event{RemoteID: sid}
	switch status {
	case "sent":
		ev.State = notify.Accepted
	case "delivered", "in-progress", "completed":
		ev.State = notify.Delivered
	case "read":
		ev.State = notify.Seen
	case "undelivered", "failed", "canceled", "busy", "no-answer":
		ev.State = notify.Undelivered
	default: // accepted, scheduled, queued, sending, initiated, ringing, receiving, received
		return ev
	}
	ev.Detail = phrase.T("sms.twilio.status." + strings.ReplaceAll(status, "-", "_"))
	if code != 0 && ev.State == notify.Undelivered {
		why := cmp.Or(c.says(message), meaning(code))
		ev.Detail = phrase.T("sms.twilio.status.code", ev.Detail, strings.TrimSpace(fmt.Sprintf("%d %s", code, why)))
		ev.Permanent = judge(code) == never
	}
	return ev
}

// meaning is the common reasons in words; a hook brings the number alone.
func meaning(code int) string {
	key := "sms.twilio.code." + strconv.Itoa(code)
	if phrase.Has(key) {
		return phrase.T(key)
	}
	return ""
}

// receipt is for something that Twilio took. It can have failed at once.
func (c *Client) receipt(made resource) (notify.Receipt, error) {
	code := 0
	if made.ErrorCode != nil {
		code = *made.ErrorCode
	}
	if ev := c.fate(made.SID, made.status(), code, made.ErrorMessage); ev.State == notify.Undelivered {
		return notify.Receipt{}, &notify.Failure{Permanent: ev.Permanent, Config: judge(code) == operator, Reason: ev.Detail}
	}
	return notify.Receipt{RemoteID: made.SID, Detail: phrase.T("sms.twilio.taken", c.says(made.status()))}, nil
}

// track asks what became of sid.
func (c *Client) track(ctx context.Context, list, sid string) (notify.Event, error) {
	found, err := c.fetch(ctx, list, sid)
	if err != nil {
		return notify.Event{}, err
	}
	code := 0
	if found.ErrorCode != nil {
		code = *found.ErrorCode
	}
	return c.fate(sid, found.status(), code, found.ErrorMessage), nil
}

// check refuses a page that no request should be made for.
func check(p notify.Page) error {
	switch {
	case p.Notice == nil && len(p.Incidents) == 0:
		return &notify.Failure{Permanent: true, Reason: phrase.T("sms.fail.empty")}
	case !sms.E164(p.To):
		return &notify.Failure{Permanent: true, Reason: phrase.T("sms.fail.number", rest.Says(p.To))}
	}
	return nil
}
