package pushover

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/push"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Track asks what became of an urgent page: delivered, acknowledged by whom, or
// expired without an answer. Pushover wants at least five seconds between two
// questions about the same receipt, and forgets a receipt after a week, which
// is a permanent failure here. A page that is not urgent ("") has no news.
func (c *Client) Track(ctx context.Context, remoteID string) (notify.Event, error) {
	if remoteID == "" {
		return notify.Event{}, nil
	}
	if !keyShape.MatchString(remoteID) {
		return notify.Event{}, &notify.Failure{Permanent: true, Reason: phrase.T("pushover.fail.receipt")}
	}
	a, err := c.get(ctx, "/1/receipts/"+remoteID+".json")
	if err != nil {
		return notify.Event{}, err
	}
	e := notify.Event{RemoteID: remoteID}
	switch {
	case a.Acknowledged == 1:
		return acknowledged(remoteID, a.AcknowledgedBy, a.AcknowledgedByDevice), nil
	case a.Expired == 1: // also after Cancel
		e.State, e.Detail = notify.Undelivered, phrase.T("pushover.expired")
	case a.LastDeliveredAt > 0:
		e.State = notify.Delivered
	}
	return e, nil
}

// acknowledged is an answer in the app. By is the key of the person even when
// the page went to a group.
func acknowledged(receipt, by, device string) notify.Event {
	return notify.Event{
		RemoteID: receipt, State: notify.Seen,
		Detail: phrase.T("pushover.acknowledged", cmp.Or(push.Line(device, 40), phrase.T("pushover.device.unknown"))),
		Answer: &notify.Answer{Action: notify.Acknowledge, From: by},
	}
}

// maxCallback is far more than the form of a callback needs, in bytes.
const maxCallback = 16 << 10

// ParseCallback reads the form that Pushover posts to Config.CallbackURL when
// somebody acknowledged: https://pushover.net/api/receipts#callback. It proves
// nothing about who posted it; see the package comment. The error is a sentence
// for a 400.
func ParseCallback(r *http.Request) (notify.Event, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxCallback)
	if err := r.ParseForm(); err != nil {
		return notify.Event{}, errors.New(phrase.T("pushover.callback.form"))
	}
	form := r.PostForm // never the query
	receipt, by := form.Get("receipt"), form.Get("acknowledged_by")
	if !keyShape.MatchString(receipt) {
		return notify.Event{}, errors.New(phrase.T("pushover.callback.receipt"))
	}
	if form.Get("acknowledged") != "1" || !keyShape.MatchString(by) {
		return notify.Event{}, errors.New(phrase.T("pushover.callback.acknowledged"))
	}
	return acknowledged(receipt, by, form.Get("acknowledged_by_device")), nil
}
