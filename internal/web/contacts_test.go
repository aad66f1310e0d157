package web

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/carrier"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/outbound"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
)

// carry gives the server its box and its carriers, which may call this machine.
func (h *watch) carry() {
	h.Helper()
	box, err := secret.FromText(base64.StdEncoding.EncodeToString(make([]byte, secret.KeySize)))
	if err != nil {
		h.Fatal(err)
	}
	h.web.Box = box
	h.web.Carriers = carrier.New(carrier.Options{Box: box, Guard: outbound.Policy{AllowPrivate: true}, PublicURL: "http://watch.example"})
}

// put changes the organisation as the operator does.
func (h *watch) put(changes ...org.Change) {
	h.Helper()
	if _, err := h.dispatch.ChangeOrg(h.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) { return changes, nil }); err != nil {
		h.Fatal(err)
	}
}

// contactsOf puts contact methods, proven or not, beside the e-mail address of somebody.
func (h *watch) contactsOf(name string, more ...people.Contact) {
	h.Helper()
	u := h.org().Users[id.User("u-"+name)]
	u.Contacts = append(u.Contacts[:1:1], more...)
	h.put(org.Put(u))
}

func gatewayFields(url string) []string {
	return []string{"kind", "gateway", "name", "Our gateway", "set.url", url, "set.method", "POST", "set.format", "form", "set.template", "to={to}&text={text}", "deadline", "45s"}
}

var proven = time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

// A number is added, proven by the code that was sent there, switched off and
// taken away; nothing goes there before.
func TestContactIsProven(t *testing.T) {
	h := newWatch(t)
	h.carry()
	_, page := h.send("/settings/profile/contacts", refuses, "method", "sms", "address", "+49 30 1234567")
	h.has(page, "Nobody carries such messages", `href="/settings/providers"`)
	h.send("/settings/providers", saved, gatewayFields("http://127.0.0.1:9/")...)

	_, page = h.send("/settings/profile/contacts", refuses, "method", "sms", "address", "030 1234567")
	h.has(page, "international form", `value="030 1234567"`)
	h.send("/settings/profile/contacts", http.StatusBadRequest, "method", "pigeon", "address", "coop 4")
	answer, _ := h.send("/settings/profile/contacts", saved, "method", "sms", "address", "0049 (30) 123-4567", "label", "Phone")
	at := answer.Header.Get("Location")
	c := h.org().Users["u-ada"].Contacts[1]
	if c.Address != "+49301234567" || c.Verified() || at != "/settings/profile/contacts/"+string(c.ID) {
		t.Fatalf("the contact method is %+v at %s", c, at)
	}
	h.has(h.get("ada", "/settings/profile/contacts"), "Not verified", "Enter the code")
	h.has(h.get("ada", at), "Not verified", `name="code"`, at+"/code")
	h.send(at+"/test", saved) // refused in a message: it may be a stranger's
	code := h.code()
	_, page = h.send(at+"/verify", refuses, "code", "")
	h.has(page, "This is needed.")
	h.send(at+"/verify", refuses, "code", wrong(code))
	h.send(at+"/verify", saved, "code", code[:3]+" "+code[3:])
	if c := h.org().Users["u-ada"].Contacts[1]; !c.Usable() {
		t.Errorf("after the code the contact method is %+v", c)
	}
	h.has(h.get("ada", at), "Verified", "Verified on", at+"/test")
	h.send(at+"/off", saved)
	h.has(h.get("ada", at), "It is kept, and no page goes there.", at+"/on")
	h.send(at+"/remove", saved)
	if left := h.org().Users["u-ada"].Contacts; len(left) != 1 {
		t.Errorf("contacts are %+v", left)
	}
	answer, _ = h.ask(request{as: "ada", path: at})
	if answer.StatusCode != http.StatusNotFound {
		t.Errorf("the page of a contact method that is gone: %s", answer.Status)
	}
}

// An own e-mail address needs its code; one that an administrator has written
// counts, says so, and can be proven all the same.
func TestEmailIsProven(t *testing.T) {
	h := newWatch(t)
	h.web.MailConfigured = true
	answer, _ := h.send("/settings/profile/contacts", saved, "method", "email", "address", "night@example.org")
	at := answer.Header.Get("Location")
	h.has(h.get("ada", at), "Not verified", `name="code"`)
	h.has(h.get("ada", "/settings/profile/contacts/new?method=email"), "Add and send a code")
	if c := h.org().Users["u-ada"].Contacts[1]; c.Usable() {
		t.Fatalf("an own address counts at once: %+v", c)
	}
	h.send(at+"/verify", saved, "code", h.code())
	h.has(h.get("ada", at), "Verified on")

	h.send("/settings/people/u-kim/contacts", saved, "method", "email", "address", "desk@example.org")
	c := h.org().Users["u-kim"].Contacts[1]
	theirs := "/settings/people/u-kim/contacts/" + string(c.ID)
	page := h.get("ada", theirs)
	h.has(page, "Confirmed by an administrator", "Confirmed by Ada on", "Send a code")
	h.lacks(page, `name="code"`)
	h.has(h.get("ada", "/settings/people/u-kim/contacts"), "Confirmed by an administrator")
	answer, _ = h.send(theirs+"/code", saved)
	h.has(h.get("ada", answer.Header.Get("Location")), `name="code"`)
	h.send(theirs+"/verify", saved, "code", h.code())
	h.lacks(h.get("ada", theirs), "Confirmed by", "Send a code")
	h.has(h.get("ada", "/settings/profile/contacts/c-ada"), "It was in use before addresses had to be verified.", "Send a code")
}

// code is the last code that was sent.
func (h *watch) code() string {
	h.Helper()
	code := ""
	for _, n := range h.notices() {
		if found := sixDigits.FindString(n.Subject); found != "" {
			code = found
		}
	}
	if code == "" {
		h.Fatal("no code was sent")
	}
	return code
}

// wrong is another code.
func wrong(code string) string {
	if code[0] == '0' {
		return "1" + code[1:]
	}
	return "0" + code[1:]
}

// An administrator may do for others what they may do for themselves; others
// may not, and see no address that is a secret.
func TestContactsOfOthers(t *testing.T) {
	h := newWatch(t)
	h.send("/settings/people/u-kim/contacts", saved, "method", "email", "address", "night@example.org")
	kim := h.org().Users["u-kim"]
	if len(kim.Contacts) != 2 || kim.Contacts[1].Address != "night@example.org" {
		t.Fatalf("kim's contacts are %+v", kim.Contacts)
	}
	h.contactsOf("kim", people.Contact{ID: "c-topic", Method: people.Ntfy, Address: "https://ntfy.example.org/hidden-topic"})
	h.has(h.get("ada", "/settings/people/u-kim/contacts"), "ntfy.example.org", "/settings/people/u-kim/contacts/c-topic")
	for _, who := range []string{"ada", "kim", "olga"} {
		h.lacks(h.get(who, "/settings/people/u-kim"), "hidden-topic")
	}
	h.lacks(h.get("ada", "/settings/people/u-kim/contacts"), "hidden-topic")
	for _, who := range []string{"kim", "olga", ""} {
		for _, path := range []string{"/contacts", "/contacts/c-topic/off", "/contacts/c-topic/remove", "/paging", "/paging/reset", "/reminders"} {
			if answer, _ := h.ask(request{as: who, method: http.MethodPost, path: "/settings/people/u-kim" + path, plain: true}); !refused(answer) {
				t.Errorf("%s as %q: %s, want it refused", path, who, answer.Status)
			}
		}
	}
	h.send("/settings/people/u-kim/contacts/c-topic/off", saved)
	if !h.org().Users["u-kim"].Contacts[1].Off {
		t.Error("the topic is still on")
	}
	h.send("/settings/people/u-nobody/contacts", http.StatusNotFound, "method", "email", "address", "x@example.org")
}

// Everything that was sent to a contact method is there with its life, in the
// zone of whoever looks, and what failed says why.
func TestWhatWasSent(t *testing.T) {
	h := newWatch(t)
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	n := h.alert("db01/disk")
	err := h.store.Do(t.Context(), func(tx *store.Tx) error {
		tx.AddDelivery(store.Delivery{Key: "x1", Kind: store.StepPage, DueAt: at, Incident: n, Person: "u-ada", Contact: "c-ada", Body: store.DeliveryBody{Method: "email", Address: "ada@example.org"}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = h.store.Do(t.Context(), func(tx *store.Tx) error {
		all, err := tx.DeliveriesTo("c-ada", 1)
		if err != nil {
			return err
		}
		d := all[0]
		d.State, d.Attempt, d.Body.Detail = store.Failed, 3, "550 no such user"
		d.Body.Life = []store.Moment{
			{State: store.Pending, At: at.Add(time.Minute)}, {State: store.Pending, At: at.Add(2 * time.Minute)}, {State: store.Failed, At: at.Add(3 * time.Minute)},
		}
		tx.PutDelivery(d)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	page := h.get("ada", "/settings/profile/contacts/c-ada")
	h.has(page, "What was sent", "#1 db01/disk", `href="/incidents/1"`, "Planned", "Trying again", "Failed", "3 tries.", "550 no such user", "13:03") // 12:03 UTC is 13:03 in Berlin
	if strings.Count(page, "Trying again") != 1 {
		t.Error("every failed try is a point of its own")
	}
	h.has(h.get("kim", "/incidents/1"), "550 no such user", "Ada", "Why was I paged, why was I not?", "Kim was to be paged")
}

func TestServiceWorker(t *testing.T) {
	h := newWatch(t)
	answer, body := h.ask(request{path: "/sw.js"})
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Service-Worker-Allowed") != "/" || answer.Header.Get("Cache-Control") != "no-cache" ||
		!strings.HasPrefix(answer.Header.Get("Content-Type"), "text/javascript") {
		t.Errorf("/sw.js: %s, %v", answer.Status, answer.Header)
	}
	h.has(body, `const words = {`, `"acknowledge":"Acknowledge"`, "/hooks/push/answer")
}

// A browser that subscribes: its keys are kept, encrypted, and shown to nobody.
func TestPushSubscription(t *testing.T) {
	h := newWatch(t)
	h.carry()
	h.put(org.Put(org.Provider{ID: "wp", Kind: org.WebPush, Name: "Web push", Settings: map[string]string{"public": "BPublicKey"}, Secrets: map[string]string{}}))
	h.has(h.get("ada", "/settings/profile/contacts/new?method=push"), `data-push-key="BPublicKey"`)
	_, page := h.send("/settings/profile/contacts", refuses, "method", "push", "subscription", "{}")
	h.has(page, "The browser has sent no subscription")
	h.send("/settings/profile/contacts", saved, "method", "push", "label", "Firefox", "subscription",
		`{"endpoint":"https://push.example.org/send/abc","keys":{"p256dh":"cHVibGlj","auth":"c2VjcmV0"}}`)
	c := h.org().Users["u-ada"].Contacts[1]
	if c.Address != "https://push.example.org/send/abc" || c.Secret == "" || strings.Contains(c.Secret, "c2VjcmV0") {
		t.Errorf("the contact method is %+v", c)
	}
	h.lacks(h.get("ada", "/settings/profile/contacts"), "send/abc", c.Secret)
}

// Telegram is linked by a code that the bot is handed.
func TestTelegramLink(t *testing.T) {
	h := newWatch(t)
	h.carry()
	h.send("/settings/profile/contacts", refuses, "method", "telegram")
	h.send("/settings/providers", saved, "kind", "telegram", "name", "Bot", "set.token", "123456789:AAEabcdefghijklmnopqrstuvwxyz0123456", "set.username", "harbour_bot")
	_, page := h.send("/settings/profile/contacts", http.StatusOK, "method", "telegram")
	h.has(page, "https://t.me/harbour_bot?start=")
	h.lacks(page, "AAEabcdefghij")
}
