package people

import (
	"net/mail"
	"net/url"
	"strings"
	"testing"
	"unicode"
)

// FuzzEmail takes addresses that people type: what is taken is one address and
// nothing else, fit for a header and an envelope.
func FuzzEmail(f *testing.F) {
	for _, s := range []string{"kim@example.org", "Kim <kim@example.org>", "a@b, c@d", "\"a b\"@c", "kim@[127.0.0.1]", "k@x\r\nBcc: y@z", "@", "ü@ü.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if validEmail(text) != nil {
			return
		}
		if strings.ContainsFunc(text, unicode.IsControl) || strings.ContainsAny(text, "<>\r\n") || !strings.Contains(text, "@") {
			t.Errorf("validEmail takes %q", text)
		}
		if list, err := mail.ParseAddressList(text); err != nil || len(list) != 1 {
			t.Errorf("%q is %d addresses: %v", text, len(list), err)
		}
	})
}

// FuzzContact takes addresses of every method: what is taken is fit for a
// header, a form and a log, and a URL leads out over a closed line.
func FuzzContact(f *testing.F) {
	for i, s := range []string{"kim@example.org", "+49301234567", "https://push.example/x", "https://ntfy.example/kim", "http://localhost", "uQ3", "-1", "https://a@b"} {
		f.Add(uint8(i), s) //nolint:gosec // eight seeds
	}
	f.Fuzz(func(t *testing.T, method uint8, address string) {
		c := Contact{ID: "c", Method: Methods[int(method)%len(Methods)], Address: address}
		if c.Validate() != nil {
			return
		}
		if strings.ContainsFunc(address, unicode.IsControl) || len(address) > 2048 {
			t.Errorf("%s takes %q", c.Method, address)
		}
		if strings.Contains(address, "://") && c.Method != Email {
			u, err := url.Parse(address)
			if err != nil || u.User != nil || u.Scheme != "https" && !loopback(u.Hostname()) {
				t.Errorf("%s takes %q", c.Method, address)
			}
		}
		if c.Shown() == "" {
			t.Errorf("%s %q is shown as nothing", c.Method, address)
		}
	})
}
