package config

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzFile reads configuration files; every value that is taken belongs to a setting.
func FuzzFile(f *testing.F) {
	for _, s := range []string{
		"listen: 127.0.0.1:80\ntrusted-proxies: [10.0.0.0/8, ::1]\n", "max-alert-body: 1MiB\nmail-from:\n", "nothing: 1", "listen: {a: b}", "- x", "\x00",
	} {
		f.Add([]byte(s))
	}
	known, err := names()
	if err != nil {
		f.Fatal(err)
	}
	settings := map[string]bool{}
	for _, name := range known {
		settings[name] = true
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		found, err := parse("watchroom.yaml", text)
		if err != nil {
			if found != nil {
				t.Errorf("parse gives %v and %v", found, err)
			}
			return
		}
		for name := range found {
			if !settings[name] {
				t.Errorf("parse takes %q", name)
			}
		}
	})
}

// FuzzSize reads sizes; what a size says of itself is read as the same size.
func FuzzSize(f *testing.F) {
	for _, s := range []string{"0", "1MiB", " 25 mb ", "B", "-1", "99999999999999999999G", "1.5K"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s, again Size
		if s.UnmarshalText([]byte(text)) != nil {
			return
		}
		if err := again.UnmarshalText([]byte(s.String())); err != nil || again != s || s < 0 {
			t.Errorf("%q is %d, and %q is %d, %v", text, s, s.String(), again, err)
		}
	})
}

// FuzzSecretsStaySecret puts anything where a URL with a password is expected:
// neither a complaint nor the settings in a log repeat the password.
func FuzzSecretsStaySecret(f *testing.F) {
	f.Add("smtp://user:", "@mail.example.org")
	f.Add("postgres://u:", "@db/watchroom?sslmode=disable")
	f.Add("ftp:", "x")
	f.Add("smtps://%zz:", "@[::1")
	f.Fuzz(func(t *testing.T, before, after string) {
		const password = "Zj3q8hWv"
		if strings.Contains(before+after, password) {
			return
		}
		text := before + password + after
		if u, err := url.Parse(text); err == nil && (u.User == nil || strings.Contains(u.Host+u.Path+u.Scheme, password)) {
			return // it stands where no password does
		}
		c := Default()
		c.SMTPURL, c.Database = text, text
		if err := c.Validate(); err != nil && strings.Contains(err.Error(), password) {
			t.Errorf("Validate of %q: %v", text, err)
		}
		if shown := c.String(); strings.Contains(shown, password) {
			t.Errorf("String of %q: %s", text, shown)
		}
	})
}
