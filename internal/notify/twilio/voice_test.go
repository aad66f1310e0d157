package twilio_test

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/twilio"
	"github.com/watchroom/watchroom/internal/notify/twilio/twiliotest"
)

// read makes a call and returns what is read aloud.
func read(t *testing.T, p notify.Page, change ...func(*twilio.Config)) twiliotest.Call {
	t.Helper()
	server, client := start(t, change...)
	if _, err := client.Voice().Send(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return server.Calls()[0]
}

func TestCallWithKeys(t *testing.T) {
	call := read(t, page(), hooks)
	const want = `<Response><Pause length="1"/>` +
		`<Gather input="dtmf" numDigits="1" timeout="10" method="POST" action="https://oncall.example/hooks/twilio/voice?k=46&amp;t=tok_-1">` +
		`<Say language="en-US" loop="3">critical incident 42. db 7 prod: disk 93 percent full, see. Press 4 to acknowledge, 6 to resolve.</Say></Gather>` +
		`<Say language="en-US">No key was pressed. Goodbye.</Say></Response>`
	if call.Twiml != want {
		t.Errorf("TwiML\n%s, want\n%s", call.Twiml, want)
	}
	if call.To != kim || call.From != twiliotest.Number || call.Timeout != 30 || call.StatusCallback != public+"/hooks/twilio/status" ||
		strings.Join(call.StatusCallbackEvents, " ") != "answered completed" {
		t.Errorf("call %+v", call)
	}
}

func TestCallWithoutHooksAsksForNoKey(t *testing.T) {
	call := read(t, page())
	const want = `<Response><Pause length="1"/><Say language="en-US" loop="3">critical incident 42. db 7 prod: disk 93 percent full, see.</Say></Response>`
	if call.Twiml != want || call.StatusCallback != "" {
		t.Errorf("TwiML\n%s, want\n%s", call.Twiml, want)
	}
}

func TestCallAboutSeveral(t *testing.T) {
	p := page()
	p.Drill = true
	for n := range 6 {
		p.Incidents = append(p.Incidents, notify.PageIncident{Number: id.Incident(50 + n), Title: "<host> & \"friends\""})
	}
	call := read(t, p, hooks)
	for _, want := range []string{"This is a drill. 7 new incidents. db 7 prod", "host friends. host friends. And 4 more. Press 4 to acknowledge all of them.</Say>", "k=4&amp;t="} {
		if !strings.Contains(call.Twiml, want) {
			t.Errorf("%q is not in %s", want, call.Twiml)
		}
	}
	if strings.Contains(call.Twiml, "resolve") {
		t.Errorf("one key would resolve seven incidents: %s", call.Twiml)
	}
}

func TestCallReadsACodeDigitByDigitTwice(t *testing.T) {
	call := read(t, notify.Page{To: kim, Notice: &notify.Notice{
		Subject: "Your code for Watchroom", Lines: []string{"The code is 4829.", "It is good for 10 minutes."}, URL: "https://oncall.example/me",
	}}, hooks)
	const want = `<Say language="en-US" loop="2">Your code for Watchroom. The code is 4, 8, 2, 9. It is good for 10 minutes.</Say>`
	if !strings.Contains(call.Twiml, want) || strings.Contains(call.Twiml, "Gather") {
		t.Errorf("TwiML\n%s, want\n%s", call.Twiml, want)
	}
}

func TestKeysOfACall(t *testing.T) {
	server, client := start(t, hooks)
	var events []notify.Event
	listen(t, server, func(w http.ResponseWriter, r *http.Request) {
		ev, err := client.ParseKey(r)
		if err != nil {
			t.Error(err)
		}
		events = append(events, ev)
		w.Header().Set("Content-Type", twilio.ContentType)
		answer := client.TwiMLAsk(r)
		if ev.Answer != nil {
			answer = twilio.TwiMLSay("Thank you & good night.")
		}
		_, _ = w.Write([]byte(answer))
	})
	receipt, err := client.Voice().Send(t.Context(), page())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"9", "6"} { // the wrong key is asked again
		if _, err := server.PressKey(t.Context(), receipt.RemoteID, key); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := server.PressKey(t.Context(), receipt.RemoteID, "4"); err == nil {
		t.Error("a key is waited for after the answer")
	}
	if len(events) != 2 || events[0].Answer != nil || events[1].Answer == nil {
		t.Fatalf("events %+v", events)
	}
	if got, want := *events[1].Answer, (notify.Answer{Action: notify.Resolve, Token: "tok_-1", From: kim}); got != want {
		t.Errorf("answer %+v, want %+v", got, want)
	}
	if events[1].RemoteID != receipt.RemoteID || events[1].State != notify.Delivered {
		t.Errorf("event %+v", events[1])
	}

	// What was not offered is not taken, though the signature is good.
	p := page()
	p.Incidents = append(p.Incidents, p.Incidents[0])
	receipt, err = client.Voice().Send(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"6", "46", "", "4"} {
		if _, err := server.PressKey(t.Context(), receipt.RemoteID, key); err != nil {
			t.Fatal(err)
		}
	}
	for i, ev := range events[2:] {
		if acknowledged := i == 3; acknowledged != (ev.Answer != nil) {
			t.Errorf("key %d of a bundle: %+v", i, ev.Answer)
		}
	}
}

func TestEveryCallIsTwiML(t *testing.T) {
	server, client := start(t, hooks)
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.RuneFrom([]rune("ab1 &<>'\"\x00\x1f\u2028Жя中🔥./_-\n")), 0, 3000, -1))
		p := notify.Page{To: kim, Token: "t", Drill: rapid.Bool().Draw(rt, "drill")}
		for range rapid.IntRange(0, 5).Draw(rt, "incidents") {
			p.Incidents = append(p.Incidents, notify.PageIncident{Number: 1, Title: text.Draw(rt, "title"), Severity: text.Draw(rt, "severity")})
		}
		if len(p.Incidents) == 0 {
			p.Notice = &notify.Notice{Subject: text.Draw(rt, "subject"), Lines: []string{text.Draw(rt, "line"), text.Draw(rt, "line")}}
		}
		if _, err := client.Voice().Send(t.Context(), p); err != nil { // the fake parses it
			rt.Fatal(err)
		}
		calls := server.Calls()
		twiml := calls[len(calls)-1].Twiml
		if len(twiml) > 4000 || !utf8.ValidString(twiml) || strings.Count(twiml, "://") > 1 { // only our own
			rt.Fatalf("%d bytes: %s", len(twiml), twiml)
		}
		if p.Notice == nil && !strings.Contains(twiml, "Press 4") {
			rt.Fatalf("no keys in %s", twiml)
		}
	})
}

func TestTwiML(t *testing.T) {
	if got, want := twilio.TwiMLMessage(""), `<?xml version="1.0" encoding="UTF-8"?><Response/>`; got != want {
		t.Errorf("TwiMLMessage(\"\") = %s, want %s", got, want)
	}
	if got, want := twilio.TwiMLMessage("a<b"), `<?xml version="1.0" encoding="UTF-8"?><Response><Message>a&lt;b</Message></Response>`; got != want {
		t.Errorf("TwiMLMessage() = %s, want %s", got, want)
	}
}
