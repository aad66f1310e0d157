package browser

import (
	"context"
	"testing"
	"time"

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

	box, err := secret.Open(h.config.KeyFile())
	if err != nil {
		t.Fatal(err)
	}
	h.page("CRITICAL", "db08/disk")
	phone.sees("body", "")
	h.mail.Next("kim@example.org")
	phone.open(web.ActionURL(h.url, box.Signer(), web.AckLink, 2, "kim", time.Now().Add(-time.Minute)))
	phone.sees(".confirm h1", "expired")
	phone.misses(".confirm form", "")
	if got := h.incident(2).State; got != incident.Triggered {
		t.Errorf("the expired link made the incident %s", got)
	}
	phone.open(link + "x")
	phone.sees(".confirm h1", "")
	phone.misses(".confirm form", "")
	phone.calm("410", "404")
}
