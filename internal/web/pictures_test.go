package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/alert"
)

// TestPicturesOfOthersAreAskedFor: the page loads nothing from another host
// until its reader says so, and then from that one alone.
func TestPicturesOfOthersAreAskedFor(t *testing.T) {
	h := newWatch(t)
	a, err := h.dispatch.Accept(h.Context(), alert.Alert{
		Type: alert.Critical, EntityID: "db01", Title: "db01", RoutingKey: "database", Raw: `{}`,
		Annotations: []alert.Annotation{
			{Kind: alert.Image, Title: "Load", Value: "https://grafana.example/load.png"},
			{Kind: alert.Image, Title: "Else", Value: "http://evil.test/p.png"},
			{Kind: alert.Image, Title: "Odd", Value: "https://a;b.test/p.png"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprint("/incidents/", a.Incident)
	answer, page := h.ask(request{as: "kim", path: path})
	h.has(page, "Show the picture from grafana.example", "Show the picture from evil.test", path+"?picture=grafana.example")
	h.lacks(page, "<img src=\"http")
	if policy := answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "img-src 'self' data:;") {
		t.Errorf("the policy is %s", policy)
	}
	answer, page = h.ask(request{as: "kim", path: path + "?picture=grafana.example&picture=a%3Bb.test&picture=nowhere.example"})
	h.has(page, `<img src="https://grafana.example/load.png"`, "Show the picture from evil.test")
	h.lacks(page, `<img src="http://evil.test`, `<img src="https://a;b.test`)
	if policy := answer.Header.Get("Content-Security-Policy"); answer.StatusCode != http.StatusOK || !strings.Contains(policy, "img-src 'self' data: https://grafana.example;") {
		t.Errorf("%s with the policy %s", answer.Status, policy)
	}
}
