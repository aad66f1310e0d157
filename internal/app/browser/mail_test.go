package browser

import (
	"context"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/web"
)

// mailLink: a person in a train answers a page with two taps, signed in nowhere.
func mailLink(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	h.page("CRITICAL", "db07/disk")
	link := h.mailed("kim", "/a/")
	phone := h.visit(chromium)
	phone.media("light", narrow)
	phone.open(link)
	phone.sees(".confirm", "db07/disk")
	if got := h.incident(1).State; got != incident.Triggered {
		t.Fatalf("opening the link made the incident %s", got)
	}
	phone.calm()
	phone.click(".confirm form button", "#1")
	phone.sees(".confirm .tone-ok", "")
	inc := h.incident(1)
	if inc.State != incident.Acknowledged || inc.AckedBy.Name != "Kim Okafor" || inc.AckedBy.Origin != timeline.Mail {
		t.Errorf("after the click the incident is %s by %q from %s", inc.State, inc.AckedBy.Name, inc.AckedBy.Origin)
	}
	phone.open(link)
	phone.sees(".confirm", "Kim Okafor")
	phone.misses(".confirm form", "")
	phone.calm()

	h.page("CRITICAL", "db08/disk")
	h.mailed("kim", "/a/")
	phone.open(h.expired("kim", 2))
	phone.sees(".confirm h1", "too old")
	phone.misses(".confirm form", "")
	if got := h.incident(2).State; got != incident.Triggered {
		t.Errorf("the expired link made the incident %s", got)
	}
	phone.open(link + "x")
	phone.sees(".confirm h1", "")
	phone.misses(".confirm form", "")
	phone.calm("410", "404")
}

// expired is a link to acknowledge that was good until a minute ago.
func (h *house) expired(user id.User, n id.Incident) string {
	h.Helper()
	box, err := secret.Open(h.config.KeyFile())
	if err != nil {
		h.Fatal(err)
	}
	return web.ActionURL(h.url, box.Signer(), web.AckLink, n, h.incident(n).TriggeredAt, user, time.Now().Add(-time.Minute))
}
