package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

func TestProviderForms(t *testing.T) {
	h := newWatch(t)
	_, page := h.send("/settings/providers", refuses, gatewayFields("http://127.0.0.1:9/")...)
	h.has(page, "cannot store secrets")
	h.carry()
	_, page = h.send("/settings/providers", refuses, "kind", "twilio", "name", "", "deadline", "1s", "set.account_sid", "nonsense")
	h.has(page, "This is needed.", "Between 10s and 24h.", `value="nonsense"`)
	_, page = h.send("/settings/providers", refuses, "kind", "vonage", "name", "Vonage", "set.api_key", "k", "set.from", "Watch")
	h.has(page, "API secret is missing.")
	h.send("/settings/providers", saved, "kind", "vonage", "name", "Vonage", "set.api_key", "abcd1234", "set.api_secret", "very-hidden", "set.from", "Watch")
	h.send("/settings/providers", saved, gatewayFields("http://127.0.0.1:9/?key=hidden-too")...)
	order := func() []string {
		var names []string
		for _, p := range providersInOrder(h.org()) {
			names = append(names, p.Name)
		}
		return names
	}
	if got := order(); !cmp.Equal(got, []string{"Vonage", "Our gateway"}) {
		t.Fatalf("providers are %v", got)
	}
	second := providersInOrder(h.org())[1]
	at := providersPath + "/" + string(second.ID)
	h.lacks(h.get("ada", at), "hidden-too", second.Secrets["url"])
	h.has(h.get("ada", at), "It is set. Leave this empty to keep it.", `value="45s"`)

	h.send(at, saved, "name", "Gateway", "set.method", "PUT", "set.format", "form")
	kept := h.org().Providers[second.ID]
	if kept.Name != "Gateway" || kept.Settings["method"] != "PUT" || kept.Deadline != 0 || kept.Secrets["url"] != second.Secrets["url"] {
		t.Errorf("the provider is %+v", kept)
	}
	h.send(at+"/up", saved)
	if got := order(); !cmp.Equal(got, []string{"Gateway", "Vonage"}) {
		t.Errorf("after moving up the order is %v", got)
	}
	h.send(at+"/down", saved)
	h.send(at+"/down", saved) // it is the last already
	if got := order(); !cmp.Equal(got, []string{"Vonage", "Gateway"}) {
		t.Errorf("after moving down the order is %v", got)
	}
	h.send(at+"/off", saved)
	if carried := h.org().ProvidersOf(people.SMS); len(carried) != 1 || carried[0].Name != "Vonage" {
		t.Errorf("text messages are carried by %+v", carried)
	}
	first := providersPath + "/" + string(providersInOrder(h.org())[0].ID)
	h.has(h.get("ada", first), "http://watch.example/hooks/p/")
	h.send(at+"/delete", saved)
	h.send(at+"/on", http.StatusNotFound)
	h.send("/settings/providers", http.StatusBadRequest, "kind", "webpush", "name", "mine")
}

// A change of places passes over providers that carry something else.
func TestMoved(t *testing.T) {
	all := []org.Provider{{ID: "a", Kind: org.Vonage}, {ID: "b", Kind: org.Pushover}, {ID: "c", Kind: org.Gateway}}
	ids := func(list []org.Provider) (s string) {
		for _, p := range list {
			s += string(p.ID)
		}
		return s
	}
	for _, tt := range []struct {
		which int
		where string
		want  string
	}{{0, "down", "bca"}, {2, "up", "cab"}, {1, "up", "abc"}, {1, "down", "abc"}, {0, "up", "abc"}} {
		list := append([]org.Provider{}, all...)
		if got := ids(moved(list, all[tt.which], tt.where)); got != tt.want {
			t.Errorf("moved(%s, %s) = %s, want %s", all[tt.which].ID, tt.where, got, tt.want)
		}
	}
}

// The test button sends through this very account, and says what it answered.
func TestProviderIsTried(t *testing.T) {
	h := newWatch(t)
	h.carry()
	took := make(chan string, 1)
	status := http.StatusOK
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(status)
		took <- string(body)
	}))
	defer gateway.Close()
	h.send("/settings/providers", saved, gatewayFields(gateway.URL)...)
	var at string
	for p := range h.org().Providers {
		at = providersPath + "/" + string(p)
	}
	h.has(h.get("ada", at), "You have no verified contact method")
	h.contactsOf("ada", people.Contact{ID: "c-sms", Method: people.SMS, Address: "+49301234567", VerifiedAt: proven},
		people.Contact{ID: "c-new", Method: people.SMS, Address: "+49309999999"})
	h.has(h.get("ada", at), `value="c-sms"`)
	h.lacks(h.get("ada", at), "+49309999999")
	answer, _ := h.send(at+"/test", saved, "contact", "c-sms")
	if body := <-took; !strings.Contains(body, "49301234567") || !strings.Contains(body, "test") {
		t.Errorf("the gateway got %q", body)
	}
	h.flashed(answer, "was taken")
	status = http.StatusForbidden
	answer, _ = h.send(at+"/test", saved, "contact", "c-sms")
	<-took
	h.flashed(answer, "It was not taken")
	h.send(at+"/test", http.StatusNotFound, "contact", "c-new")
	h.send(at+"/test", http.StatusNotFound, "contact", "c-kim")
	if waiting, err := h.store.Waiting(t.Context(), 10); err != nil || len(waiting) != 0 {
		t.Errorf("a test of an account is a delivery: %v, %v", waiting, err)
	}
}

// flashed reports whether an answer says something on the next page.
func (h *watch) flashed(answer reply, want string) {
	h.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	for _, c := range answer.cookies {
		r.AddCookie(c)
	}
	for _, f := range h.web.takeFlash(httptest.NewRecorder(), r) {
		if strings.Contains(f.Text, want) {
			return
		}
	}
	h.Errorf("nothing was said about %q", want)
}

func TestProvidersAreForAdministrators(t *testing.T) {
	h := newWatch(t)
	h.put(org.Put(org.Provider{ID: id.Provider("p1"), Kind: org.Pushover, Name: "Push"}))
	for _, who := range []string{"kim", "olga", ""} {
		for _, path := range []string{"/settings/providers", "/settings/providers/p1", "/settings/providers/new?kind=twilio"} {
			if answer, _ := h.ask(request{as: who, path: path}); !refused(answer) {
				t.Errorf("%s as %q: %s", path, who, answer.Status)
			}
		}
	}
}
