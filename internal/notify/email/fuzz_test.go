package email

import (
	"net"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzURL reads --smtp-url. What is taken can be dialled, and no complaint
// repeats a password.
func FuzzURL(f *testing.F) {
	for _, s := range []string{
		"smtp://mail.example.org", "smtps://u:p%40ss@[::1]:465/", "smtp://u:secret@x:0", "smtp://h?insecure=true&insecure=0", "smtp://:25", "http://x", "smtp://a:b@h:99999#f", "smtp://]0",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Config{URL: text, From: "pager@example.org"}.server()
		if err == nil {
			if host, port, err := net.SplitHostPort(s.addr); err != nil || host == "" || port == "" {
				t.Errorf("%q leads to %q: %v", text, s.addr, err)
			}
			if s.user != "" && s.password == "" {
				t.Errorf("%q has a user and no password", text)
			}
			return
		}
		if u, bad := url.Parse(text); bad == nil && u.User != nil {
			if p, _ := u.User.Password(); len(p) > 8 && strings.Contains(err.Error(), p) {
				t.Errorf("the complaint about %q repeats the password: %v", text, err)
			}
		}
	})
}

// FuzzClean takes the texts of alerts into headers and bodies: none ends a
// header, and a link is a piece of its line.
func FuzzClean(f *testing.F) {
	for _, s := range []string{
		"disk full\r\nBcc: x@example.org", "a=?utf-8?q?b?=", "\u202eabc\ufeff", "see (http://x/y) and https://é.example/a_(b).", "\xff\xfe", "hTTp://", strings.Repeat("ü", 300),
	} {
		f.Add(s, uint8(80))
	}
	f.Fuzz(func(t *testing.T, text string, limit uint8) {
		most := int(limit) + 1
		line := oneLine(text, most)
		if strings.ContainsFunc(line, unicode.IsControl) || strings.Contains(line, "=?") || !utf8.ValidString(line) || utf8.RuneCountInString(line) > most {
			t.Errorf("oneLine(%q, %d) = %q", text, most, line)
		}
		for _, l := range lines(text, most) {
			if strings.ContainsFunc(l, unicode.IsControl) || !utf8.ValidString(l) {
				t.Errorf("lines(%q, %d) has %q", text, most, l)
			}
			var b strings.Builder
			for _, s := range spans(l) {
				b.WriteString(s.Text)
				if s.URL != "" && !strings.HasPrefix(strings.ToLower(s.URL), "http") {
					t.Errorf("%q has a link to %q", l, s.URL)
				}
			}
			if b.String() != l {
				t.Errorf("the pieces of %q are %q", l, b.String())
			}
		}
	})
}
