package hook

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/hook/hooktest"
)

// The vectors of the protocol page, computed with OpenSSL.
func TestSignForm(t *testing.T) {
	const address, key = "https://hooks.example.test/victorops/", "k9Qd2Zr7Vb4N"
	for body, want := range map[string]string{
		"incident=4711&summary=disk+full+on+db-3&message=CRITICAL%3A+%2Fvar+at+97+%25": "XM7WAGVzHXzy92cOHDt20h99AVM=",
		"incident=31&summary=&message=&entity_id=%22db-3%2Fdisk%22&entity_display_name=%22Disk+full+on+db-3%22&message_type=%22CRITICAL%22&alert_type=%22CRITICAL%22&entity_state=%22CRITICAL%22&state_message=%22%2Fvar+at+97+%25+%E2%80%93+caf%C3%A9%22&monitor_name=%22rest%22&monitoring_tool=%22API%22&routing_key=%22database%22&vo_alert_rcv_time=%221700000000123%22&vo_uuid=%227f0e9a52-2c1b-4c57-9d0e-0a4a2b7f1c11%22&vo_organization_id=%22acme%22&vo_monitor_type=%228%22": "8mXe0/avT1Yh+Q16CeMM4AbxqH0=",
	} {
		f, err := url.ParseQuery(body)
		if err != nil {
			t.Fatal(err)
		}
		if got := SignForm(key, address, f); got != want {
			t.Errorf("SignForm = %s, want %s", got, want)
		}
		if SignForm(key, "https://hooks.example.test/victorops", f) == want {
			t.Error("the slash at the end of the address does not count")
		}
	}
}

func page() notify.Page {
	return notify.Page{Key: "told:1", Incidents: []notify.PageIncident{{
		Number: 42, Title: `Disk "full" <db>`, Message: "97 % – café\nline", Severity: "critical", EntityID: "disk/db", RoutingKey: "database",
	}}}
}

func TestSend(t *testing.T) {
	r := hooktest.New(t, "s3cret")
	c := New(Config{URL: r.URL, Secret: "s3cret"}, http.DefaultClient)
	if _, err := c.Send(t.Context(), page()); err != nil {
		t.Fatal(err)
	}
	forms := r.Forms()
	if len(forms) != 1 {
		t.Fatalf("%d requests were accepted, want 1", len(forms))
	}
	for name, want := range map[string]string{
		"incident": "42", "summary": `Disk "full" <db>`, "message_type": `"CRITICAL"`, "entity_display_name": `"Disk \"full\" <db>"`, "state_message": `"97 % – café\nline"`,
	} {
		if got := forms[0].Get(name); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
}

func TestVerdicts(t *testing.T) {
	r := hooktest.New(t, "s3cret")
	if _, err := New(Config{URL: r.URL, Secret: "another"}, http.DefaultClient).Send(t.Context(), page()); err == nil {
		t.Error("a wrong signature was accepted")
	}
	c := New(Config{URL: r.URL, Secret: "s3cret"}, http.DefaultClient)
	for status, permanent := range map[int]bool{500: false, 429: false, 404: false, 410: true} {
		r.Answer(status)
		if _, err := c.Send(t.Context(), page()); err == nil || notify.Permanent(err) != permanent {
			t.Errorf("status %d: %v, permanent %v, want %v", status, err, notify.Permanent(err), permanent)
		}
	}
}

func TestValidate(t *testing.T) {
	for address, ok := range map[string]bool{"https://a.example/x": true, "http://a.example": true, "": false, "a.example": false, "ftp://a": false} {
		if err := (Config{URL: address}).Validate(); (err == nil) != ok {
			t.Errorf("Validate(%q) = %v", address, err)
		}
	}
}
