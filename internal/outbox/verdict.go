package outbox

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

// Bundle groups deliveries into messages. What was held back for one message
// becomes one; so do more than bundleAbove that have piled up for one contact
// method for another reason, such as a mail server that was away.
func Bundle(claimed []store.Delivery) [][]store.Delivery {
	type contact struct { // one that was changed meanwhile is another
		id              id.Contact
		method, address string
	}
	by := map[contact][]store.Delivery{}
	var order []contact
	var batches [][]store.Delivery
	for _, d := range claimed {
		if d.Kind == store.NoticeMail || d.Contact == "" { // each has its own link, or is for a program
			batches = append(batches, []store.Delivery{d})
			continue
		}
		c := contact{d.Contact, d.Body.Method, d.Body.Address}
		if _, ok := by[c]; !ok {
			order = append(order, c)
		}
		by[c] = append(by[c], d)
	}
	for _, c := range order {
		group := by[c]
		if len(group) > bundleAbove || slices.ContainsFunc(group, isHeld) {
			batches = append(batches, group)
			continue
		}
		for _, d := range group {
			batches = append(batches, []store.Delivery{d})
		}
	}
	return batches
}

// bundleKey is the same whenever the same pages are sent together.
func bundleKey(batch []store.Delivery) string {
	keys := make([]string, len(batch))
	for i, d := range batch {
		keys[i] = d.Key
	}
	slices.Sort(keys)
	return "bundle:" + strings.Join(keys, ",")
}

// verdict turns a provider's answer into what is to be recorded.
func verdict(d store.Delivery, by Carrier, receipt notify.Receipt, err error, now time.Time) dispatch.Outcome {
	if err == nil {
		out := dispatch.Outcome{Delivery: d, State: store.Sent, Detail: receipt.Detail, Provider: by.ID, Remote: receipt.RemoteID}
		switch {
		case receipt.State == notify.Delivered:
			out.State = store.Delivered
		case by.Tracked && receipt.RemoteID != "":
			out.State = store.Accepted
		case d.Body.Method == string(people.Email):
			out.Remote = "" // nothing ever comes back by it
		}
		return out
	}
	out := dispatch.Outcome{Delivery: d, State: store.Pending, Detail: reason(err), Provider: by.ID}
	asked := time.Duration(0)
	if f, ok := errors.AsType[*notify.Failure](err); ok {
		asked = f.RetryAfter
	}
	out.RetryAt = now.Add(max(backoff(d.Attempt, rand.Float64()), min(asked, time.Minute)))
	if notify.Permanent(err) || out.RetryAt.After(d.ExpiresAt) {
		out.State = store.Failed
	}
	return out
}

func reason(err error) string {
	if f, ok := errors.AsType[*notify.Failure](err); ok {
		return f.Reason
	}
	return phrase.T("outbox.error")
}

// backoff is how long to wait after the n-th failed try: one second, doubling
// to at most thirty, of which the upper half is drawn by chance (jitter in 0…1).
func backoff(attempt int, jitter float64) time.Duration {
	full := 30 * time.Second
	if attempt < 6 {
		full = min(full, time.Second<<max(attempt-1, 0))
	}
	return full/2 + time.Duration(jitter*float64(full/2))
}
