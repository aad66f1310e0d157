package people

import (
	"net/mail"
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
