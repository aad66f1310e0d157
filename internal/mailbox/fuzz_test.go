package mailbox

import (
	"strings"
	"testing"
)

// FuzzParse takes mails as anybody on this machine may hand them to a demo.
func FuzzParse(f *testing.F) {
	f.Add([]byte("From: a@example.org\r\nSubject: x\r\nContent-Type: text/html\r\n\r\n<a href=\"https://example.org/?a=1&amp;b\">x</a>\r\n"))
	f.Add([]byte("Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nhttp://x\r\n--b--\r\n"))
	f.Add([]byte("Subject: =?utf-8?q?"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		msg, err := parse(raw)
		if err != nil {
			return
		}
		for _, link := range msg.Links {
			if !strings.HasPrefix(link, "http://") && !strings.HasPrefix(link, "https://") {
				t.Errorf("a link of %q is %q", raw, link)
			}
		}
	})
}
