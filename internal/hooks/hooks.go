// Package hooks is where providers and notifications call us: what became of a
// message, what people wrote back, which keys and buttons they pressed.
//
//	/hooks/p/{provider}/hooks/twilio/{status,sms,voice}   signed by Twilio
//	/hooks/p/{provider}/hooks/vonage/{status,sms}         signed by Vonage
//	/hooks/p/{provider}/hooks/pushover                    not signed: Pushover is asked
//	/hooks/answer/{token}/{action}                        a button of a notification (ntfy)
//	/hooks/push/answer                                    our service worker
//
// It promises that nothing is believed without the vendor's signature, the
// vendor's own word when it is asked back, or the token of a page; that cookies
// count for nothing here; and that each vendor gets the answer it understands,
// with a sentence for the person where the channel can carry one. Whom an
// answer concerns and what it does is decided by Taker.
package hooks

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"

	"github.com/watchroom/watchroom/internal/carrier"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/pushover"
	"github.com/watchroom/watchroom/internal/notify/twilio"
	"github.com/watchroom/watchroom/internal/notify/vonage"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Taker takes what a provider tells: it records the fate of the deliveries that
// the event is about and carries out an answer. reply is a sentence for the
// person who answered. An event about nothing that is known is a
// fault.NotFound; an answer that can no longer count is another fault.
type Taker interface {
	TakeEvent(ctx context.Context, m people.Method, p id.Provider, ev notify.Event) (reply string, err error)
}

// Orgs gives the organisation as it is now; store.Store is one.
type Orgs interface {
	Org(ctx context.Context) (*org.Org, error)
}

// Deps is what the handlers need.
type Deps struct {
	Orgs     Orgs
	Carriers *carrier.Set
	Events   Taker
	Log      *slog.Logger
}

// CrossSiteExempt are the patterns at which requests from anywhere are let in:
// httpd.Options.CrossSiteExempt.
func CrossSiteExempt() []string {
	return []string{"POST " + carrier.HookPath, "POST " + carrier.AnswerPath, "POST " + PushPath}
}

// PushPath is where our service worker posts {"token": …, "action": …}.
const PushPath = "/hooks/push/answer"

// Register puts the handlers into mux.
func Register(mux *http.ServeMux, d Deps) {
	h := hooks{d}
	a := httpd.Adapter{Log: d.Log, Render: httpd.WriteProblem}
	handle := func(pattern string, f httpd.HandlerFunc) { mux.Handle(pattern, a.Handle(f)) }
	under := func(method, path string) string { return method + " " + carrier.HookPath + "{provider}" + path }
	handle(under("POST", twilio.StatusPath), h.twilioStatus)
	handle(under("POST", twilio.ReplyPath), h.twilioReply)
	handle(under("POST", twilio.VoicePath), h.twilioKey)
	for _, method := range []string{"GET", "POST"} { // as the account's settings say
		handle(under(method, vonage.StatusPath), h.vonageStatus)
		handle(under(method, vonage.ReplyPath), h.vonageReply)
	}
	handle(under("POST", carrier.PushoverPath), h.pushed)
	handle("POST "+carrier.AnswerPath+"{token}/{action}", h.answer)
	handle("POST "+PushPath, h.push)
}

type hooks struct{ Deps }

// named is the provider that a request is for.
func (h hooks) named(r *http.Request) (*org.Org, id.Provider, error) {
	o, err := h.Orgs.Org(r.Context())
	return o, id.Provider(r.PathValue("provider")), err
}

// told is err as the person reads it; an error of ours is logged and shown as
// trouble, because whoever pressed a key must not believe that it counted.
func (h hooks) told(ctx context.Context, reply string, err error) string {
	if err == nil {
		return reply
	}
	if text := fault.MessageOf(err); text != "" {
		return text
	}
	h.Log.ErrorContext(ctx, "take an answer", "err", err)
	return phrase.T("hooks.trouble")
}

// token is what a page's token looks like; see notify.Page.
var token = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)

// answer takes the press of a button whose address carries the token.
func (h hooks) answer(w http.ResponseWriter, r *http.Request) error {
	given := notify.Answer{Token: r.PathValue("token"), Action: notify.Action(r.PathValue("action"))}
	if !token.MatchString(given.Token) || given.Action != notify.Acknowledge && given.Action != notify.Resolve {
		return fault.NotFound("")
	}
	reply, err := h.Events.TakeEvent(r.Context(), people.Ntfy, "", notify.Event{State: notify.Seen, Answer: &given})
	if err != nil {
		return err
	}
	return say(w, "text/plain; charset=utf-8", reply)
}

// maxPush is far more than the service worker sends, in bytes.
const maxPush = 4 << 10

// Delivered is what the service worker says when a notification was shown; it
// is no answer and changes nothing but the record of the page.
const Delivered notify.Action = "delivered"

// push takes what our service worker posts.
func (h hooks) push(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPush))
	if err != nil {
		return err
	}
	var given struct {
		Token  string        `json:"token"`
		Action notify.Action `json:"action"`
	}
	if json.Unmarshal(body, &given) != nil || !token.MatchString(given.Token) {
		return fault.Invalid("token", phrase.T("hooks.push.form"))
	}
	ev := notify.Event{State: notify.Seen, Answer: &notify.Answer{Token: given.Token}}
	switch given.Action {
	case notify.Acknowledge, notify.Resolve:
		ev.Answer.Action = given.Action
	case Delivered:
		ev.State = notify.Delivered
	default:
		return fault.Invalid("action", phrase.T("hooks.push.form"))
	}
	reply, err := h.Events.TakeEvent(r.Context(), people.WebPush, "", ev)
	if err != nil {
		return err
	}
	answer, err := json.Marshal(map[string]string{"message": reply})
	if err != nil {
		return err
	}
	return say(w, "application/json", string(answer))
}

// pushed is told that somebody acknowledged, and asks Pushover whether that is so.
func (h hooks) pushed(w http.ResponseWriter, r *http.Request) error {
	o, p, err := h.named(r)
	if err != nil {
		return err
	}
	c, ok := h.Carriers.Carrying(o, p, people.Pushover)
	tracker, asks := c.Provider.(notify.Tracker)
	if !ok || !asks {
		return fault.NotFound("")
	}
	claimed, err := pushover.ParseCallback(r)
	if err != nil {
		return fault.Invalid("", err.Error())
	}
	ev, err := tracker.Track(r.Context(), claimed.RemoteID)
	if err != nil {
		if f, ok := errors.AsType[*notify.Failure](err); ok && f.Permanent {
			return fault.NotFound("").Because(err)
		}
		return fault.Unavailable("", 0).Because(err) // it is asked again while the page is out
	}
	if ev.State != "" {
		if _, err := h.Events.TakeEvent(r.Context(), people.Pushover, p, ev); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func say(w http.ResponseWriter, contentType, text string) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.Copy(w, strings.NewReader(text)) // whoever asked may have left
	return nil
}
