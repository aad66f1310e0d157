package hooks

import (
	"context"
	"net/http"
	"strings"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/twilio"
	"github.com/watchroom/watchroom/internal/notify/vonage"
	"github.com/watchroom/watchroom/internal/people"
)

// twilioOf finds the account that a request is for.
func (h hooks) twilioOf(r *http.Request) (*twilio.Client, id.Provider, error) {
	o, p, err := h.named(r)
	if err != nil {
		return nil, p, err
	}
	c, ok := h.Carriers.Twilio(o, p)
	if !ok {
		return nil, p, fault.NotFound("")
	}
	return c, p, nil
}

// twilioStatus takes what became of a message or a call. When it cannot be
// taken it is asked for later: see track.
func (h hooks) twilioStatus(w http.ResponseWriter, r *http.Request) error {
	c, p, err := h.twilioOf(r)
	if err != nil {
		return err
	}
	ev, err := c.ParseStatus(r)
	if err != nil {
		return err
	}
	if ev.State != "" {
		if _, err := h.Events.TakeEvent(r.Context(), twilioMethod(ev.RemoteID), p, ev); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// twilioMethod tells a call from a message: the identifiers of calls begin with CA.
func twilioMethod(sid string) people.Method {
	if strings.HasPrefix(sid, "CA") {
		return people.Voice
	}
	return people.SMS
}

// twilioReply takes a text message and answers it.
func (h hooks) twilioReply(w http.ResponseWriter, r *http.Request) error {
	c, p, err := h.twilioOf(r)
	if err != nil {
		return err
	}
	ev, err := c.ParseReply(r)
	if err != nil {
		return err
	}
	text := ev.Detail // what to write instead
	if ev.Answer != nil {
		reply, err := h.Events.TakeEvent(r.Context(), people.SMS, p, ev)
		text = h.told(r.Context(), reply, err)
	}
	return say(w, twilio.ContentType, twilio.TwiMLMessage(text))
}

// twilioKey takes a key that was pressed during a call, and says what came of it.
func (h hooks) twilioKey(w http.ResponseWriter, r *http.Request) error {
	c, p, err := h.twilioOf(r)
	if err != nil {
		return err
	}
	ev, err := c.ParseKey(r)
	if err != nil {
		return err
	}
	reply, err := h.Events.TakeEvent(r.Context(), people.Voice, p, ev)
	if ev.Answer == nil { // a wrong key; that the call was answered is told by its status, too
		return say(w, twilio.ContentType, c.TwiMLAsk(r))
	}
	return say(w, twilio.ContentType, twilio.TwiMLSay(h.told(r.Context(), reply, err)))
}

func (h hooks) vonageOf(r *http.Request) (*vonage.Client, id.Provider, error) {
	o, p, err := h.named(r)
	if err != nil {
		return nil, p, err
	}
	c, ok := h.Carriers.Vonage(o, p)
	if !ok {
		return nil, p, fault.NotFound("")
	}
	return c, p, nil
}

// vonageStatus takes what became of a message. What cannot be taken, perhaps
// because the message is not in our records yet, Vonage tells again.
func (h hooks) vonageStatus(w http.ResponseWriter, r *http.Request) error {
	c, p, err := h.vonageOf(r)
	if err != nil {
		return err
	}
	ev, err := c.ParseReceipt(r)
	if err != nil {
		return err
	}
	if ev.State != "" {
		if _, err := h.Events.TakeEvent(r.Context(), people.SMS, p, ev); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// vonageReply takes a text message. Vonage carries no reply in its answer, so
// one is sent as a message of its own, and only to somebody we know: a machine
// that answers everything must not be talked to.
func (h hooks) vonageReply(w http.ResponseWriter, r *http.Request) error {
	c, p, err := h.vonageOf(r)
	if err != nil {
		return err
	}
	ev, err := c.ParseInbound(r)
	if err != nil {
		return err
	}
	if ev.Answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	reply, err := h.Events.TakeEvent(r.Context(), people.SMS, p, ev)
	switch code := fault.CodeOf(err); {
	case code == fault.CodeInternal || code == fault.CodeUnavailable:
		return err // Vonage tells it again
	case code != fault.CodeNotFound:
		h.text(r.Context(), c, ev.Answer.From, h.told(r.Context(), reply, err))
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// text sends a reply. That it did not leave is no reason to take the answer again.
func (h hooks) text(ctx context.Context, p notify.Provider, to, text string) {
	if text == "" || to == "" {
		return
	}
	page := notify.Page{Key: "reply:" + id.New(), To: to, Notice: &notify.Notice{Subject: text}}
	if _, err := p.Send(ctx, page); err != nil {
		h.Log.WarnContext(ctx, "reply to a text message", "err", err)
	}
}
