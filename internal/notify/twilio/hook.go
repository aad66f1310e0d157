package twilio

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/notify"
)

// Where Twilio reaches us, below Config.CallbackURL. StatusPath and VoicePath
// are given with each message and call; ReplyPath is entered at Twilio as the
// address for incoming messages of the number or the messaging service.
const (
	StatusPath = "/hooks/twilio/status"
	ReplyPath  = "/hooks/twilio/sms"
	VoicePath  = "/hooks/twilio/voice"
)

// ParseStatus reads what became of a message or a call. The event's State is ""
// when it is still on its way. An error is a *fault.Error, as for all parsers:
// forbidden without a valid signature, invalid when the request is unreadable.
// It reads the body, which nobody may have read before.
func (c *Client) ParseStatus(r *http.Request) (notify.Event, error) {
	form, err := c.hook(r, StatusPath)
	if err != nil {
		return notify.Event{}, err
	}
	code, _ := strconv.Atoi(form.Get("ErrorCode")) // absent unless it failed
	if sid := form.Get("CallSid"); sid != "" {
		return c.fate(sid, form.Get("CallStatus"), code, ""), nil
	}
	sid, status := form.Get("MessageSid"), form.Get("MessageStatus")
	if sid == "" { // the names of before 2010 are still sent beside
		sid, status = form.Get("SmsSid"), form.Get("SmsStatus")
	}
	return c.fate(sid, status, code, ""), nil
}

// ParseReply reads a text message that somebody sent. Without an Answer the
// caller sends back TwiMLMessage(event.Detail): what to write instead, or
// nothing for STOP and its like, which Twilio answers.
func (c *Client) ParseReply(r *http.Request) (notify.Event, error) {
	form, err := c.hook(r, ReplyPath)
	if err != nil {
		return notify.Event{}, err
	}
	return answer(form.Get("From"), form.Get("Body")), nil
}

// ParseKey reads a key pressed during a call. Without an Answer the key was none
// of those that were offered, and the caller sends back TwiMLAsk(r) so that the
// person can try again. The event says that the call was answered.
func (c *Client) ParseKey(r *http.Request) (notify.Event, error) {
	form, err := c.hook(r, VoicePath)
	if err != nil {
		return notify.Event{}, err
	}
	ev := c.fate(form.Get("CallSid"), "in-progress", 0, "")
	query := r.URL.Query()
	given := &notify.Answer{Token: query.Get("t"), From: form.Get("To")} // we called, so the person is To
	if given.Token == "" {
		return ev, nil
	}
	key := form.Get("Digits")
	if key == "" || !strings.Contains(query.Get("k"), key) {
		return ev, nil
	}
	switch key {
	case keyAcknowledge:
		given.Action = notify.Acknowledge
	case keyResolve:
		given.Action = notify.Resolve
	default:
		return ev, nil
	}
	ev.Answer = given
	return ev, nil
}
