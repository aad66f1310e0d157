package twilio_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/twilio"
	"github.com/watchroom/watchroom/internal/notify/twilio/twiliotest"
)

// listen is our side of the hooks: the fake reaches it under the public address.
func listen(t *testing.T, server *twiliotest.Server, handler http.HandlerFunc) {
	t.Helper()
	ours := httptest.NewServer(handler)
	t.Cleanup(ours.Close)
	server.Route(public, ours.URL)
}

func TestStatusOverTheHook(t *testing.T) {
	server, client := start(t, hooks)
	var got notify.Event
	listen(t, server, func(_ http.ResponseWriter, r *http.Request) {
		var err error
		if got, err = client.ParseStatus(r); err != nil {
			t.Error(err)
		}
	})
	message, err := client.SMS().Send(t.Context(), page())
	if err != nil {
		t.Fatal(err)
	}
	call, err := client.Voice().Send(t.Context(), page())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		sid, status string
		code        int
		state       notify.State
		says        string
	}{
		{message.RemoteID, "sending", 0, "", ""},
		{message.RemoteID, "delivered", 0, notify.Delivered, "phone"},
		{message.RemoteID, "undelivered", 30003, notify.Undelivered, "30003 the phone is off"},
		{message.RemoteID, "undelivered", 39999, notify.Undelivered, "39999"},
		{call.RemoteID, "in-progress", 0, notify.Delivered, "answered"},
		{call.RemoteID, "no-answer", 0, notify.Undelivered, "nobody"},
	} {
		if _, err := server.SendStatus(t.Context(), c.sid, c.status, c.code); err != nil {
			t.Fatal(err)
		}
		if got.RemoteID != c.sid || got.State != c.state || !strings.Contains(got.Detail, c.says) {
			t.Errorf("%s %d: %+v, want %q with %q", c.status, c.code, got, c.state, c.says)
		}
	}
}

func TestRepliesOverTheHook(t *testing.T) {
	server, client := start(t, hooks)
	var got notify.Event
	listen(t, server, func(w http.ResponseWriter, r *http.Request) {
		var err error
		if got, err = client.ParseReply(r); err != nil {
			t.Error(err)
		}
		_, _ = w.Write([]byte(twilio.TwiMLMessage(got.Detail)))
	})
	for _, c := range []struct {
		body string
		want *notify.Answer
		says string
	}{
		{"ack 123", &notify.Answer{Action: notify.Acknowledge, Incident: 123, From: kim}, ""},
		{"Res #5", &notify.Answer{Action: notify.Resolve, Incident: 5, From: kim}, ""},
		{"ACK", &notify.Answer{Action: notify.Acknowledge, From: kim}, ""},
		{"ack all", &notify.Answer{Action: notify.Acknowledge, All: true, From: kim}, ""},
		{"STOP", nil, ""},
		{"who is this", nil, "Reply ACK 123"},
	} {
		reply, err := server.SendReply(t.Context(), public+twilio.ReplyPath, kim, c.body)
		if err != nil {
			t.Fatal(err)
		}
		if (got.Answer == nil) != (c.want == nil) || got.Answer != nil && *got.Answer != *c.want || got.RemoteID != "" {
			t.Errorf("%q: %+v, want %+v", c.body, got.Answer, c.want)
		}
		if strings.Contains(reply.Body, "<Message>") != (c.says != "") || !strings.Contains(reply.Body, c.says) {
			t.Errorf("%q is answered with %s", c.body, reply.Body)
		}
	}
}

func request(ctx context.Context, address, body, signature string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", signature)
	return r
}

func TestSignatures(t *testing.T) {
	form := url.Values{"MessageSid": {"SM1"}, "MessageStatus": {"delivered", "failed"}, "A b": {"ü&="}}
	at := func(base string) string { return twiliotest.Sign(base+twilio.StatusPath, form) }
	cases := []struct {
		what      string
		callback  string
		address   string
		body      string
		signature string
		ok        bool
	}{
		{"as configured", public, "/hooks/twilio/status", form.Encode(), at(public), true},
		{"another Host is not looked at", public, "http://evil.example/hooks/twilio/status", form.Encode(), at(public), true},
		{"signed for the Host of the request", public, "http://evil.example/hooks/twilio/status", form.Encode(), at("http://evil.example"), false},
		{"a prefix that the proxy cut off", public + "/watch", "/hooks/twilio/status", form.Encode(), at(public + "/watch"), true},
		{"called with the default port", public, "/hooks/twilio/status", form.Encode(), at(public + ":443"), true},
		{"configured with the default port", public + ":443", "/hooks/twilio/status", form.Encode(), at(public), true},
		{"default port of http", "http://oncall.example", "/hooks/twilio/status", form.Encode(), at("http://oncall.example:80"), true},
		{"another port", public + ":8443", "/hooks/twilio/status", form.Encode(), at(public + ":8443"), true},
		{"another port than configured", public + ":8443", "/hooks/twilio/status", form.Encode(), at(public + ":9443"), false},
		{"a query is signed", public, "/hooks/twilio/status?x=1", form.Encode(), twiliotest.Sign(public+twilio.StatusPath+"?x=1", form), true},
		{"a query that is not signed", public, "/hooks/twilio/status?x=1", form.Encode(), at(public), false},
		{"a changed parameter", public, "/hooks/twilio/status", strings.Replace(form.Encode(), "SM1", "SM2", 1), at(public), false},
		{"one parameter more", public, "/hooks/twilio/status", form.Encode() + "&z=1", at(public), false},
		{"no signature", public, "/hooks/twilio/status", form.Encode(), "", false},
		{"not base64", public, "/hooks/twilio/status", form.Encode(), "!!", false},
		{"no hooks configured", "", "/hooks/twilio/status", form.Encode(), twiliotest.Sign(twilio.StatusPath, form), false},
		{"a signature for another hook", public, "/hooks/twilio/status", form.Encode(), twiliotest.Sign(public+twilio.ReplyPath, form), false},
	}
	for _, c := range cases {
		client := twilio.New(twilio.Config{AccountSID: twiliotest.AccountSID, AuthToken: twiliotest.AuthToken, CallbackURL: c.callback}, nil)
		ev, err := client.ParseStatus(request(t.Context(), c.address, c.body, c.signature))
		if c.ok {
			if err != nil || ev.RemoteID != "SM1" || ev.State != notify.Delivered { // the first value of a repeated parameter
				t.Errorf("%s: %+v, %v", c.what, ev, err)
			}
			continue
		}
		if f, ok := err.(*fault.Error); !ok || f.Code != fault.CodeForbidden || ev != (notify.Event{}) { //nolint:errorlint // the parser itself returns it
			t.Errorf("%s: %+v, %v; want forbidden", c.what, ev, err)
		}
	}
}

func TestSignatureOfJSON(t *testing.T) {
	body := []byte(`{"MessageSid":"SM1"}`)
	sum := sha256.Sum256(body)
	path := twilio.StatusPath + "?bodySHA256=" + hex.EncodeToString(sum[:])
	client := twilio.New(twilio.Config{AuthToken: twiliotest.AuthToken, CallbackURL: public}, nil)
	signature := twiliotest.Sign(public+path, nil)
	if _, err := client.ParseStatus(request(t.Context(), path, string(body), signature)); err != nil {
		t.Error(err)
	}
	if _, err := client.ParseStatus(request(t.Context(), path, string(bytes.ToLower(body)), signature)); err == nil {
		t.Error("another body passes")
	}
	if _, err := client.ParseStatus(request(t.Context(), path, string(body), twiliotest.Sign(public+twilio.StatusPath, nil))); err == nil {
		t.Error("another signature passes")
	}
}

func TestAHugeRequestIsRefused(t *testing.T) {
	client := twilio.New(twilio.Config{AuthToken: twiliotest.AuthToken, CallbackURL: public}, nil)
	_, err := client.ParseStatus(request(t.Context(), twilio.StatusPath, "a="+strings.Repeat("x", 1<<20), ""))
	if f, ok := err.(*fault.Error); !ok || f.Code != fault.CodeInvalid { //nolint:errorlint // the parser itself returns it
		t.Errorf("ParseStatus() = %v, want invalid", err)
	}
}

func FuzzHooks(f *testing.F) {
	f.Add("t=abc&k=46", "Digits=4&CallSid=CA1", true)
	f.Add("", "From=%2B491&Body=ack+1", true)
	f.Add("bodySHA256=00", "{}", false)
	f.Add("a;b", "MessageSid=SM1&MessageStatus=failed&ErrorCode=x", true)
	f.Fuzz(func(t *testing.T, query, body string, signed bool) {
		client := twilio.New(twilio.Config{AuthToken: twiliotest.AuthToken, CallbackURL: public}, nil)
		form, err := url.ParseQuery(body)
		for path, parse := range map[string]func(*http.Request) (notify.Event, error){
			twilio.StatusPath: client.ParseStatus, twilio.ReplyPath: client.ParseReply, twilio.VoicePath: client.ParseKey,
		} {
			address := public + path
			if query != "" {
				address += "?" + query
			}
			signature := "AAAA"
			if signed {
				signature = twiliotest.Sign(address, form)
			}
			r := request(t.Context(), "/", body, signature)
			r.URL.RawQuery = query
			ev, parseErr := parse(r)
			if !signed && parseErr == nil {
				t.Fatalf("%s?%s %q passes without a signature: %+v", path, query, body, ev)
			}
			if signed && err == nil && parseErr != nil && !strings.Contains(query, "bodySHA256") {
				t.Fatalf("%s?%s %q is refused with a signature: %v", path, query, body, parseErr)
			}
			if a := ev.Answer; a != nil && a.Action != notify.Acknowledge && a.Action != notify.Resolve {
				t.Fatalf("answer %+v", a)
			}
			_ = client.TwiMLAsk(r)
		}
	})
}
