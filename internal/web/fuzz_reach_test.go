package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/people"
)

// FuzzPagingForm sends any form to the editor of paging rules: it never fails,
// stays within its limits, and what it calls good is good.
func FuzzPagingForm(f *testing.F) {
	f.Add("rules=1&0.name=x&0.steps=1&0.s0.after=2m&0.s0.by=contact:c-ada&0.windows=1&0.w0.day=mon&0.w0.from=22:00&0.w0.to=06:00&0.again=10", "add-step:0")
	f.Add("rules=99&0.steps=-1&0.windows=9999999999", "drop-window:0:0")
	f.Add("rules=1&0.steps=2&0.s1.by=method:sms&0.s1.by=method:pigeon", "up:0")
	f.Fuzz(func(t *testing.T, body, do string) {
		r := httptest.NewRequest(http.MethodPost, "/settings/profile/paging", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		u := people.User{ID: "u", Name: "U", Zone: "Europe/Berlin", Contacts: []people.Contact{{ID: "c-ada", Method: people.Email, Address: "a@example.org"}}}
		d := readPaging(r)
		d.reshape(do, u)
		if len(d.Rules) > people.MaxPagingRules {
			t.Fatalf("%d rules", len(d.Rules))
		}
		p, errs := d.policy()
		if len(errs) == 0 && p != nil {
			if err := p.Validate(); err != nil && !strings.Contains(err.Error(), "urgency") && !strings.Contains(err.Error(), "no id") {
				t.Errorf("nothing is wrong, and yet: %v", err)
			}
		}
		d.form(u)
		pagingPreview(u, d, proven)
	})
}

// FuzzSubscription reads anything for a subscription.
func FuzzSubscription(f *testing.F) {
	f.Add(`{"endpoint":"https://push.example.org/x","keys":{"p256dh":"a","auth":"b"}}`)
	f.Add(`{"endpoint":1}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, typed string) {
		endpoint, keys, ok := subscription(typed)
		if ok && (endpoint == "" || !strings.Contains(keys, `"p256dh"`) || len(typed) > maxTyped) {
			t.Errorf("%q is %q with %q", typed, endpoint, keys)
		}
	})
}
