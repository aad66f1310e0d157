package email_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/notify/email"
)

func TestConfigSentences(t *testing.T) {
	const from = "Watchroom <pager@example.org>"
	cases := map[string]struct{ url, from, want string }{
		"nothing":               {"", from, "--smtp-url is needed"},
		"no scheme":             {"mail.example.org:587", from, "--smtp-url"},
		"another scheme":        {"https://u:hunter2@mail.example.org", from, "smtp://"},
		"no host":               {"smtp://u:hunter2@", from, "names no mail server"},
		"slash in the password": {"smtp://u:hunter2/x@mail.example.org", from, "%XX"},
		"space in the password": {"smtp://u:hunter2 x@mail.example.org", from, "%XX"},
		"no password":           {"smtp://u@mail.example.org", from, "both a user name and a password"},
		"no user":               {"smtp://:hunter2@mail.example.org", from, "both a user name and a password"},
		"path":                  {"smtp://u:hunter2@mail.example.org/inbox", from, "must end after the host"},
		"port too large":        {"smtp://u:hunter2@mail.example.org:70000", from, "from 1 to 65535"},
		"port 0":                {"smtp://u:hunter2@mail.example.org:0", from, "from 1 to 65535"},
		"unknown setting":       {"smtp://u:hunter2@mail.example.org?tls=no", from, `"tls"`},
		"insecure maybe":        {"smtp://u:hunter2@mail.example.org?insecure=maybe", from, `"insecure"`},
		"no sender":             {"smtp://mail.example.org", " ", "--mail-from is needed"},
		"sender not an address": {"smtp://mail.example.org", "Watchroom", `--mail-from "Watchroom"`},
		"sender not ASCII":      {"smtp://mail.example.org", "a@bücher.example", "plain ASCII"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cfg := email.Config{URL: tc.url, From: tc.from}
			err := cfg.Validate()
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("Validate: %v, want something about %q", err, tc.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is in %q", err)
			}
			if _, newErr := email.New(cfg); newErr == nil || newErr.Error() != err.Error() {
				t.Errorf("New: %v, want what Validate says", newErr)
			}
		})
	}
}

func TestDefaultPorts(t *testing.T) {
	for url, want := range map[string]string{
		"smtp://mail.example.org":           "mail.example.org:25",
		"smtp://u:p%40ss@mail.example.org":  "mail.example.org:587",
		"smtps://mail.example.org/":         "mail.example.org:465",
		"smtps://u:p@mail.example.org:2465": "mail.example.org:2465",
		"smtp://[::1]?insecure=true":        "[::1]:25",
	} {
		var dialled string
		sender, err := email.New(email.Config{
			URL: url, From: "pager@example.org",
			Dial: func(_ context.Context, _, addr string) (net.Conn, error) {
				dialled = addr
				return nil, errors.New("not today")
			},
		})
		if err != nil {
			t.Errorf("New(%s): %v", url, err)
			continue
		}
		if _, err := sender.Send(t.Context(), page("k")); err == nil || dialled != want {
			t.Errorf("%s dials %s, want %s (%v)", url, dialled, want, err)
		}
	}
}
