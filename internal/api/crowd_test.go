package api

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/people"
)

// TestStreamsOfOneToken: the limit is each token's own, and what ends makes room.
func TestStreamsOfOneToken(t *testing.T) {
	c := crowd{most: 3}
	by := func(token string) *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/timeline/stream", http.NoBody)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		return r
	}
	kim := people.Actor{User: "kim"}
	var leave func()
	var err error
	for range c.most {
		if leave, err = c.enter(by("one"), kim); err != nil {
			t.Fatal(err)
		}
	}
	if _, err = c.enter(by("one"), kim); !fault.Is(err, fault.CodeTooMany) {
		t.Errorf("one more: %v, want too many", err)
	}
	for _, token := range []string{"another", ""} {
		end, err := c.enter(by(token), kim)
		if err != nil {
			t.Errorf("by token %q: %v", token, err)
			continue
		}
		end()
	}
	leave()
	if _, err = c.enter(by("one"), kim); err != nil {
		t.Errorf("after one has ended: %v", err)
	}
	if len(c.open) != 1 {
		t.Errorf("what has ended is still known: %v", c.open)
	}
}
