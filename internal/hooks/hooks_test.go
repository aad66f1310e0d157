package hooks_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/carrier"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/hooks"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/pushover/pushovertest"
	"github.com/watchroom/watchroom/internal/notify/twilio/twiliotest"
	"github.com/watchroom/watchroom/internal/notify/vonage/vonagetest"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/outbound"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
)

const (
	public = "https://oncall.example"
	kim    = "+4915112345678"
	base   = "/hooks/p/"
)

// taken is one event that was handed over.
type taken struct {
	Method   people.Method
	Provider id.Provider
	Event    notify.Event
}

// world is the hooks behind a server, with the vendors they are for.
type world struct {
	org  *org.Org
	set  *carrier.Set
	url  string
	took []taken
	err  error // what taking the next events comes to

	twilio   *twiliotest.Server
	vonage   *vonagetest.Server
	pushover *pushovertest.Server
}

func (w *world) Org(context.Context) (*org.Org, error) { return w.org, nil }

func (w *world) TakeEvent(_ context.Context, m people.Method, p id.Provider, ev notify.Event) (string, error) {
	w.took = append(w.took, taken{m, p, ev})
	return "Incident #42 is yours & done.", w.err
}

func newWorld(t *testing.T) *world {
	t.Helper()
	box := secrettest.Box(t)
	w := &world{twilio: twiliotest.New(t), vonage: vonagetest.New(t), pushover: pushovertest.New(t), org: &org.Org{Providers: map[id.Provider]org.Provider{}}}
	add := func(n id.Provider, kind org.ProviderKind, settings, secrets map[string]string) {
		p, err := carrier.Sealed(box, org.Provider{}, org.Provider{ID: n, Kind: kind, Name: string(n), Settings: settings}, secrets)
		if err != nil {
			t.Fatal(err)
		}
		w.org.Providers[n] = p
	}
	add("tw", org.Twilio, map[string]string{"account_sid": twiliotest.AccountSID, "from": twiliotest.Number, "base_url": w.twilio.URL}, map[string]string{"auth_token": twiliotest.AuthToken})
	add("tw2", org.Twilio, map[string]string{"account_sid": twiliotest.AccountSID, "from": twiliotest.Number, "base_url": w.twilio.URL}, map[string]string{"auth_token": "another-auth-token"})
	add("vo", org.Vonage, map[string]string{"api_key": vonagetest.APIKey, "from": vonagetest.Number, "base_url": w.vonage.URL},
		map[string]string{"api_secret": vonagetest.APISecret, "signature_secret": vonagetest.SignatureSecret})
	add("po", org.Pushover, map[string]string{"base_url": w.pushover.URL}, map[string]string{"token": pushovertest.Token})
	w.set = carrier.New(carrier.Options{Box: box, Guard: outbound.Policy{AllowPrivate: true}, PublicURL: public, Callbacks: true})
	mux := http.NewServeMux()
	log := slog.New(slog.DiscardHandler)
	hooks.Register(mux, hooks.Deps{Orgs: w, Carriers: w.set, Events: w, Log: log})
	at, err := url.Parse(public)
	if err != nil {
		t.Fatal(err)
	}
	shell, err := httpd.Handler(mux, httpd.Options{Log: log, PublicURL: at, Render: httpd.WriteProblem, CrossSiteExempt: hooks.CrossSiteExempt()})
	if err != nil {
		t.Fatal(err)
	}
	ours := httptest.NewServer(shell)
	t.Cleanup(ours.Close)
	w.url = ours.URL
	w.twilio.Route(public, ours.URL)
	return w
}

// send sends a page by the only carrier of a method with an id.
func (w *world) send(t *testing.T, p id.Provider, m people.Method, to string) notify.Receipt {
	t.Helper()
	c, ok := w.set.Carrying(w.org, p, m)
	if !ok {
		t.Fatalf("nobody carries %s", m)
	}
	r, err := c.Provider.Send(t.Context(), notify.Page{Key: "d-1", To: to, Token: "7-abc", Incidents: []notify.PageIncident{{Number: 42, Title: "Disk full", Severity: "critical", AckURL: public + "/a/x"}}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// post posts as a vendor or a phone does; it returns the status and the body.
func (w *world) post(t *testing.T, path, contentType, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Origin", "https://elsewhere.example") // no cookie counts, so anybody may
	rec := do(t, req)
	return rec.code, rec.body
}

type response struct {
	code int
	body string
	kind string
}

func do(t *testing.T, req *http.Request) response {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	if err := resp.Write(&b); err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(b.String(), "\r\n\r\n")
	return response{resp.StatusCode, body, resp.Header.Get("Content-Type")}
}

// last is what was handed over last.
func (w *world) last(t *testing.T) taken {
	t.Helper()
	if len(w.took) == 0 {
		t.Fatal("nothing was taken")
	}
	return w.took[len(w.took)-1]
}

func TestTwilioTellsFates(t *testing.T) {
	w := newWorld(t)
	for m, status := range map[people.Method]string{people.SMS: "delivered", people.Voice: "completed"} {
		sent := w.send(t, "tw", m, kim)
		reply, err := w.twilio.SendStatus(t.Context(), sent.RemoteID, status, 0)
		if err != nil || reply.Status != http.StatusNoContent {
			t.Fatalf("%s: Twilio got %+v, %v", m, reply, err)
		}
		got := w.last(t)
		if got.Method != m || got.Provider != "tw" || got.Event.RemoteID != sent.RemoteID || got.Event.State != notify.Delivered {
			t.Errorf("%s: taken was %+v", m, got)
		}
	}
	before := len(w.took)
	sent := w.send(t, "tw", people.SMS, kim)
	if _, err := w.twilio.SendStatus(t.Context(), sent.RemoteID, "sending", 0); err != nil || len(w.took) != before {
		t.Errorf("that it is on its way was taken as news: %v", err)
	}
	w.err = fault.NotFound("nothing of ours")
	if reply, err := w.twilio.SendStatus(t.Context(), sent.RemoteID, "delivered", 0); err != nil || reply.Status != http.StatusNotFound {
		t.Errorf("an unknown message: Twilio got %+v, %v, want 404", reply, err)
	}
}

func TestTwilioTellsReplies(t *testing.T) {
	w := newWorld(t)
	address := public + base + "tw/hooks/twilio/sms"
	for _, tt := range []struct {
		body string
		err  error
		says string
		took *notify.Answer
	}{
		{"ack 42", nil, "<Message>Incident #42 is yours &amp; done.</Message>", &notify.Answer{Action: notify.Acknowledge, Incident: 42, From: kim}},
		{"resolve 42", fault.Conflict("Lee was first."), "<Message>Lee was first.</Message>", &notify.Answer{Action: notify.Resolve, Incident: 42, From: kim}},
		{"ack", errors.New("disk full"), "was not taken", &notify.Answer{Action: notify.Acknowledge, From: kim}},
		{"what?", nil, "<Message>", nil},
		{"STOP", nil, "<Response/>", nil},
	} {
		w.took, w.err = nil, tt.err
		reply, err := w.twilio.SendReply(t.Context(), address, kim, tt.body)
		if err != nil || reply.Status != http.StatusOK || !strings.HasPrefix(reply.ContentType, "text/xml") || !strings.Contains(reply.Body, tt.says) || strings.Contains(reply.Body, "disk full") {
			t.Errorf("%q: answered %+v, %v, want %q", tt.body, reply, err, tt.says)
		}
		var got *notify.Answer
		if len(w.took) > 0 {
			got = w.took[0].Event.Answer
		}
		if diff := cmp.Diff(tt.took, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.body, diff)
		}
	}
}

func TestTwilioTellsKeys(t *testing.T) {
	w := newWorld(t)
	call := w.send(t, "tw", people.Voice, kim)
	reply, err := w.twilio.PressKey(t.Context(), call.RemoteID, "9")
	if err != nil || !strings.Contains(reply.Body, "<Gather") || w.last(t).Event.Answer != nil || w.last(t).Event.State != notify.Delivered {
		t.Fatalf("a wrong key: answered %+v, %v, and took %+v", reply, err, w.last(t))
	}
	reply, err = w.twilio.PressKey(t.Context(), call.RemoteID, "4")
	want := notify.Answer{Action: notify.Acknowledge, Token: "7-abc", From: kim}
	if err != nil || !strings.Contains(reply.Body, "yours &amp; done") || !strings.Contains(reply.Body, "<Hangup") || !cmp.Equal(w.last(t).Event.Answer, &want) || w.last(t).Method != people.Voice {
		t.Errorf("key 4: answered %+v, %v, and took %+v", reply, err, w.last(t))
	}
}

func TestForgedCallbacksAreRefused(t *testing.T) {
	w := newWorld(t)
	form := url.Values{"From": {kim}, "Body": {"ack 42"}, "MessageSid": {"SM1"}, "MessageStatus": {"delivered"}}.Encode()
	const formType = "application/x-www-form-urlencoded"
	for _, path := range []string{"tw/hooks/twilio/status", "tw/hooks/twilio/sms", "tw/hooks/twilio/voice?t=7-abc&k=46", "vo/hooks/vonage/status", "vo/hooks/vonage/sms"} {
		if code, body := w.post(t, base+path, formType, form); code != http.StatusForbidden {
			t.Errorf("%s without a signature = %d %s, want 403", path, code, body)
		}
	}
	// What is signed for one account does not count for another.
	reply, err := w.twilio.SendReply(t.Context(), public+base+"tw2/hooks/twilio/sms", kim, "ack 42")
	if err != nil || reply.Status != http.StatusForbidden {
		t.Errorf("the signature of another account: %+v, %v, want 403", reply, err)
	}
	for _, path := range []string{"no/hooks/twilio/status", "vo/hooks/twilio/status", "tw/hooks/vonage/sms", "tw/hooks/pushover", "no/hooks/pushover"} {
		if code, body := w.post(t, base+path, formType, form); code != http.StatusNotFound {
			t.Errorf("%s = %d %s, want 404", path, code, body)
		}
	}
	if len(w.took) != 0 {
		t.Errorf("taken was %+v, want nothing", w.took)
	}
}

func TestVonageTells(t *testing.T) {
	w := newWorld(t)
	call := func(path string, given map[string]string, shape string) response {
		r := vonagetest.Callback(t.Context(), base+"vo"+path, "sha256", shape, given)
		req, err := http.NewRequestWithContext(t.Context(), r.Method, w.url+r.URL.RequestURI(), r.Body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = r.Header
		return do(t, req)
	}
	status := map[string]string{"messageId": "0A", "status": "delivered", "err-code": "0"}
	for _, shape := range []string{"get", "form", "json"} {
		if got := call("/hooks/vonage/status", status, shape); got.code != http.StatusNoContent || w.last(t).Event.State != notify.Delivered || w.last(t).Event.RemoteID != "0A" {
			t.Errorf("status by %s = %+v, took %+v", shape, got, w.last(t))
		}
	}
	w.err = fault.NotFound("not yet")
	if got := call("/hooks/vonage/status", status, "form"); got.code != http.StatusNotFound {
		t.Errorf("a message that is not in our records yet = %d, want 404, so that it is told again", got.code)
	}
	inbound := map[string]string{"msisdn": strings.TrimPrefix(kim, "+"), "to": "15005550006", "messageId": "0B", "text": "ack 42"}
	for _, tt := range []struct {
		err  error
		code int
		sent string // the reply by message; "" for none
	}{
		{nil, http.StatusNoContent, "yours & done"},
		{fault.Conflict("Lee was first."), http.StatusNoContent, "Lee was first."},
		{fault.NotFound("who are you?"), http.StatusNoContent, ""},
		{errors.New("disk full"), http.StatusInternalServerError, ""},
	} {
		w.err = tt.err
		before := len(w.vonage.Sent())
		got := call("/hooks/vonage/sms", inbound, "form")
		if got.code != tt.code || w.last(t).Event.Answer == nil || w.last(t).Event.Answer.From != kim {
			t.Errorf("with %v: %+v, took %+v", tt.err, got, w.last(t))
		}
		sent := w.vonage.Sent()[before:]
		if (tt.sent != "") != (len(sent) == 1) || tt.sent != "" && !strings.Contains(sent[0].Get("text"), tt.sent) {
			t.Errorf("with %v the person was told %v, want %q", tt.err, sent, tt.sent)
		}
	}
}

// Pushover signs nothing, so it is asked whether it is true.
func TestPushoverIsAskedBack(t *testing.T) {
	w := newWorld(t)
	sent := w.send(t, "po", people.Pushover, pushovertest.User)
	w.pushover.Deliver(sent.RemoteID)
	forged := url.Values{"receipt": {sent.RemoteID}, "acknowledged": {"1"}, "acknowledged_by": {pushovertest.User}, "acknowledged_by_device": {"evil"}}.Encode()
	const formType = "application/x-www-form-urlencoded"
	if code, body := w.post(t, base+"po/hooks/pushover", formType, forged); code != http.StatusNoContent || w.last(t).Event.Answer != nil {
		t.Errorf("a forged acknowledgement = %d %s, took %+v, want no answer", code, body, w.last(t))
	}
	w.pushover.Acknowledge(sent.RemoteID, pushovertest.User, "iphone")
	if code, body := w.post(t, base+"po/hooks/pushover", formType, w.pushover.Callback(sent.RemoteID).Encode()); code != http.StatusNoContent {
		t.Errorf("an acknowledgement = %d %s", code, body)
	}
	if got := w.last(t); got.Event.Answer == nil || got.Event.Answer.Action != notify.Acknowledge || got.Event.RemoteID != sent.RemoteID || got.Provider != "po" {
		t.Errorf("taken was %+v", got)
	}
	if code, _ := w.post(t, base+"po/hooks/pushover", formType, "receipt=x"); code != http.StatusBadRequest {
		t.Errorf("nonsense = %d, want 400", code)
	}
}

func TestButtonsAnswer(t *testing.T) {
	w := newWorld(t)
	code, body := w.post(t, "/hooks/answer/7-abc/acknowledge", "", "")
	want := taken{people.Ntfy, "", notify.Event{State: notify.Seen, Answer: &notify.Answer{Action: notify.Acknowledge, Token: "7-abc"}}}
	if code != http.StatusOK || !strings.Contains(body, "#42") || !cmp.Equal(w.last(t), want) {
		t.Errorf("acknowledge = %d %q, took %+v", code, body, w.last(t))
	}
	for path, want := range map[string]int{
		"/hooks/answer/7-abc/delete":                            http.StatusNotFound,
		"/hooks/answer/7%2Fabc/resolve":                         http.StatusNotFound,
		"/hooks/answer/" + strings.Repeat("a", 41) + "/resolve": http.StatusNotFound,
	} {
		if code, body := w.post(t, path, "", ""); code != want {
			t.Errorf("%s = %d %s, want %d", path, code, body, want)
		}
	}
	w.err = fault.Conflict("Lee was first.")
	if code, body := w.post(t, "/hooks/answer/7-abc/resolve", "", ""); code != http.StatusConflict || !strings.Contains(body, "Lee was first.") {
		t.Errorf("a conflict = %d %s", code, body)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/hooks/answer/7-abc/acknowledge", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if got := do(t, req); got.code != http.StatusMethodNotAllowed { // a preview of a link answers nothing
		t.Errorf("GET = %+v, want 405", got)
	}
}

func TestServiceWorkerAnswers(t *testing.T) {
	w := newWorld(t)
	for action, want := range map[string]notify.Event{
		"acknowledge": {State: notify.Seen, Answer: &notify.Answer{Action: notify.Acknowledge, Token: "7-abc"}},
		"resolve":     {State: notify.Seen, Answer: &notify.Answer{Action: notify.Resolve, Token: "7-abc"}},
		"delivered":   {State: notify.Delivered, Answer: &notify.Answer{Token: "7-abc"}},
	} {
		code, body := w.post(t, hooks.PushPath, "application/json", `{"token":"7-abc","action":"`+action+`"}`)
		if code != http.StatusOK || !strings.Contains(body, `"message":"Incident #42`) || !cmp.Equal(w.last(t), taken{people.WebPush, "", want}) {
			t.Errorf("%s = %d %s, took %+v", action, code, body, w.last(t))
		}
	}
	before := len(w.took)
	for _, body := range []string{``, `{`, `{"token":"","action":"resolve"}`, `{"token":"7-abc"}`, `{"token":"7-abc","action":"snooze"}`, `{"token":"a b","action":"resolve"}`} {
		if code, answer := w.post(t, hooks.PushPath, "application/json", body); code != http.StatusBadRequest {
			t.Errorf("%s = %d %s, want 400", body, code, answer)
		}
	}
	if code, _ := w.post(t, hooks.PushPath, "application/json", strings.Repeat(" ", 5<<10)); code != http.StatusRequestEntityTooLarge {
		t.Errorf("a long body = %d, want 413", code)
	}
	if len(w.took) != before {
		t.Errorf("taken was %+v", w.took[before:])
	}
}

func FuzzServiceWorker(f *testing.F) {
	f.Add(`{"token":"7-abc","action":"acknowledge"}`)
	f.Add(`{"token":7}`)
	w := &world{org: &org.Org{}}
	mux := http.NewServeMux()
	hooks.Register(mux, hooks.Deps{Orgs: w, Carriers: carrier.New(carrier.Options{}), Events: w, Log: slog.New(slog.DiscardHandler)})
	f.Fuzz(func(t *testing.T, body string) {
		w.took = nil
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodPost, hooks.PushPath, strings.NewReader(body)))
		if (rec.Code == http.StatusOK) != (len(w.took) == 1) || rec.Code >= 500 {
			t.Errorf("%q = %d, took %d", body, rec.Code, len(w.took))
		}
		for _, ev := range w.took {
			if a := ev.Event.Answer; a == nil || a.Token == "" || len(a.Token) > 40 {
				t.Errorf("%q was taken as %+v", body, ev)
			}
		}
	})
}
