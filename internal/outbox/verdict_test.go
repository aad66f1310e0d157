package outbox

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

func TestBundle(t *testing.T) {
	step := func(n id.Delivery, c id.Contact) store.Delivery {
		return store.Delivery{ID: n, Kind: store.StepPage, Contact: c}
	}
	at := func(n id.Delivery, address string) store.Delivery {
		return store.Delivery{ID: n, Kind: store.StepPage, Contact: "a", Body: store.DeliveryBody{Address: address}}
	}
	notice := func(n id.Delivery, c id.Contact) store.Delivery {
		return store.Delivery{ID: n, Kind: store.NoticeMail, Contact: c}
	}
	tests := []struct {
		intent  string
		claimed []store.Delivery
		want    [][]id.Delivery
	}{
		{"nothing", nil, nil},
		{"three to one contact are three messages", []store.Delivery{step(1, "a"), step(2, "a"), step(3, "a")}, [][]id.Delivery{{1}, {2}, {3}}},
		{"a fourth makes them one", []store.Delivery{step(1, "a"), step(2, "a"), step(3, "a"), step(4, "a")}, [][]id.Delivery{{1, 2, 3, 4}}},
		{"contacts are never mixed", []store.Delivery{step(1, "a"), step(2, "b"), step(3, "a"), step(4, "b"), step(5, "a"), step(6, "a")},
			[][]id.Delivery{{1, 3, 5, 6}, {2}, {4}}},
		{"an address that was changed meanwhile is another contact", []store.Delivery{
			at(1, "old@example.org"), at(2, "old@example.org"), at(3, "old@example.org"), at(4, "new@example.org"),
		}, [][]id.Delivery{{1}, {2}, {3}, {4}}},
		{"notices are never bundled: each has its own link", []store.Delivery{notice(1, ""), notice(2, ""), notice(3, ""), notice(4, "")},
			[][]id.Delivery{{1}, {2}, {3}, {4}}},
		{"nor with pages", []store.Delivery{step(1, "a"), step(2, "a"), notice(3, "a"), step(4, "a"), step(5, "a")}, [][]id.Delivery{{3}, {1, 2, 4, 5}}},
	}
	for _, tt := range tests {
		var got [][]id.Delivery
		for _, batch := range Bundle(tt.claimed) {
			var numbers []id.Delivery
			for _, d := range batch {
				numbers = append(numbers, d.ID)
			}
			got = append(got, numbers)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: Bundle() (-want +got):\n%s", tt.intent, diff)
		}
	}
}

func TestBundleKey(t *testing.T) {
	a, b := store.Delivery{Key: "page:1:2:c"}, store.Delivery{Key: "page:2:3:c"}
	if x, y := bundleKey([]store.Delivery{a, b}), bundleKey([]store.Delivery{b, a}); x != y {
		t.Errorf("bundleKey() = %s or %s, want the same whatever the order", x, y)
	}
	if x, y := bundleKey([]store.Delivery{a}), bundleKey([]store.Delivery{a, b}); x == y {
		t.Errorf("bundleKey() = %s for different pages", x)
	}
}

func TestVerdict(t *testing.T) {
	d := store.Delivery{ID: 5, Attempt: 1, ExpiresAt: now.Add(10 * time.Minute)}
	late := d
	late.ExpiresAt = now.Add(100 * time.Millisecond)
	tests := []struct {
		intent   string
		delivery store.Delivery
		err      error
		state    store.DeliveryState
		detail   string
		min, max time.Duration // until the next try
	}{
		{"taken", d, nil, store.Sent, "250 queued", 0, 0},
		{"refused for ever", d, &notify.Failure{Permanent: true, Reason: "550 no such user"}, store.Failed, "550 no such user", 0, time.Hour},
		{"refused for ever, deep inside", d, fmt.Errorf("send: %w", &notify.Failure{Permanent: true, Reason: "550"}), store.Failed, "550", 0, time.Hour},
		{"refused for now", d, &notify.Failure{Reason: "451 later"}, store.Pending, "451 later", 500 * time.Millisecond, time.Second},
		{"the provider's own wish", d, &notify.Failure{Reason: "451", RetryAfter: 20 * time.Second}, store.Pending, "451", 20 * time.Second, 20 * time.Second},
		{"which may not be long: a page is urgent", d, &notify.Failure{Reason: "451", RetryAfter: time.Hour}, store.Pending, "451", time.Minute, time.Minute},
		{"our settings may be repaired", d, &notify.Failure{Config: true, Reason: "no mail server"}, store.Pending, "no mail server", 0, time.Second},
		{"an error nobody foresaw is tried again, its words stay inside", d, errors.New("secret"), store.Pending, phrase.T("outbox.error"), 0, time.Second},
		{"too late for another try", late, &notify.Failure{Reason: "451 later"}, store.Failed, "451 later", 0, time.Hour},
	}
	for _, tt := range tests {
		got := verdict(tt.delivery, Carrier{}, notify.Receipt{Detail: "250 queued"}, tt.err, now)
		if got.State != tt.state || got.Detail != tt.detail || got.Delivery.ID != d.ID {
			t.Errorf("%s: verdict() = %s, %q, want %s, %q", tt.intent, got.State, got.Detail, tt.state, tt.detail)
		}
		if tt.state != store.Pending {
			continue
		}
		if wait := got.RetryAt.Sub(now); wait < tt.min || wait > tt.max {
			t.Errorf("%s: the next try is after %s, want %s to %s", tt.intent, wait, tt.min, tt.max)
		}
	}
}

func TestBackoff(t *testing.T) {
	tests := []struct {
		attempt int
		full    time.Duration
	}{
		{0, time.Second}, {1, time.Second}, {2, 2 * time.Second}, {3, 4 * time.Second}, {4, 8 * time.Second}, {5, 16 * time.Second},
		{6, 30 * time.Second}, {7, 30 * time.Second}, {1000, 30 * time.Second},
	}
	for _, tt := range tests {
		if got := backoff(tt.attempt, 0); got != tt.full/2 {
			t.Errorf("backoff(%d, 0) = %s, want %s", tt.attempt, got, tt.full/2)
		}
		if got := backoff(tt.attempt, 1); got != tt.full {
			t.Errorf("backoff(%d, 1) = %s, want %s", tt.attempt, got, tt.full)
		}
	}
}
