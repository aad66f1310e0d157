package twilio_test

import (
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/notify/twilio"
	"github.com/watchroom/watchroom/internal/notify/twilio/twiliotest"
)

func TestConfigSentences(t *testing.T) {
	good := twilio.Config{AccountSID: twiliotest.AccountSID, AuthToken: "hunter2", From: twiliotest.Number}
	cases := []struct {
		what   string
		change func(*twilio.Config)
		want   string // "" means valid
	}{
		{"the least", func(*twilio.Config) {}, ""},
		{"a key instead of the token", func(c *twilio.Config) {
			c.AuthToken, c.KeySID, c.KeySecret = "", twiliotest.KeySID, "hunter2"
		}, ""},
		{"a service instead of a number", func(c *twilio.Config) { c.From, c.MessagingServiceSID = "", twiliotest.ServiceSID }, ""},
		{"a short code", func(c *twilio.Config) { c.From = "12345" }, ""},
		{"a name", func(c *twilio.Config) { c.From = "Watchroom" }, ""},
		{"hooks", func(c *twilio.Config) { c.CallbackURL = "https://oncall.example" }, ""},
		{"no account", func(c *twilio.Config) { c.AccountSID = "" }, "account SID"},
		{"a path in the account", func(c *twilio.Config) { c.AccountSID = "AC/../x" }, "account SID"},
		{"not a key", func(c *twilio.Config) { c.KeySID, c.KeySecret = "hunter2", "x" }, "API key"},
		{"half a key", func(c *twilio.Config) { c.KeySID = twiliotest.KeySID }, "both"},
		{"no secret", func(c *twilio.Config) { c.AuthToken = "" }, "auth token"},
		{"hooks without the token", func(c *twilio.Config) {
			c.AuthToken, c.KeySID, c.KeySecret, c.CallbackURL = "", twiliotest.KeySID, "hunter2", "https://oncall.example"
		}, "signed"},
		{"hooks nowhere", func(c *twilio.Config) { c.CallbackURL = "oncall.example" }, "reaches this server"},
		{"nobody sends", func(c *twilio.Config) { c.From = "" }, "sender"},
		{"a number with spaces", func(c *twilio.Config) { c.From = "+49 30 1234567" }, "sender"},
		{"not a service", func(c *twilio.Config) { c.MessagingServiceSID = "x" }, "messaging service"},
		{"validity too long", func(c *twilio.Config) { c.Validity = 11 * time.Hour }, "10 hours"},
		{"rings for ever", func(c *twilio.Config) { c.RingFor = time.Hour }, "rings"},
		{"polls backwards", func(c *twilio.Config) { c.PollEvery = -1 }, "negative"},
		{"another API", func(c *twilio.Config) { c.BaseURL = "api.example" }, "URL"},
	}
	for _, c := range cases {
		cfg := good
		c.change(&cfg)
		err := cfg.Validate()
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.what, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: Validate() = %v, want … %s …", c.what, err, c.want)
		case err != nil && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("%s: %v tells a secret", c.what, err)
		}
	}
	if !good.CanCall() || (twilio.Config{From: "Watchroom"}).CanCall() {
		t.Error("CanCall() is wrong")
	}
}
