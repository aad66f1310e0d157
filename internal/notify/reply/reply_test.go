package reply_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/reply"
)

func TestParse(t *testing.T) {
	const ack, res = notify.Acknowledge, notify.Resolve
	cases := []struct {
		text   string
		action notify.Action // "" means not understood
		inc    id.Incident
		all    bool
	}{
		{"ack 123", ack, 123, false},
		{"ACK 123", ack, 123, false},
		{"  Ack #123. ", ack, 123, false},
		{"ack123", ack, 123, false},
		{"Ack: 123!", ack, 123, false},
		{"acknowledge 7", ack, 7, false},
		{"a 123", ack, 123, false},
		{"A123", ack, 123, false},
		{"res 123", res, 123, false},
		{"resolve 123", res, 123, false},
		{"Resolved #9", res, 9, false},
		{"r 5", res, 5, false},
		{"ack", ack, 0, false},
		{"Ack.", ack, 0, false},
		{"resolve", res, 0, false},
		{"ACK ALL", ack, 0, true},
		{"a all", ack, 0, true},
		{"res all.", res, 0, true},
		{"ack 123 on it", ack, 123, false},
		{"ack 123, looking", ack, 123, false},
		{"\n\nack 12\n\nSent from my phone 9", ack, 12, false},

		{"", "", 0, false},
		{"a", "", 0, false},
		{"r", "", 0, false},
		{"a cat sat on it", "", 0, false},
		{"resolve this please", "", 0, false},
		{"ack all good", "", 0, false},
		{"ack 12 13", "", 0, false},
		{"ack 12, 13", "", 0, false},
		{"ack 0", "", 0, false},
		{"ack -1", "", 0, false},
		{"ack 99999999999999999999", "", 0, false},
		{"ack 12abc", "", 0, false},
		{"ack 2026-01-02", "", 0, false},
		{"ack ١٢", "", 0, false},
		{"nack 12", "", 0, false},
		{"ackl 12", "", 0, false},
		{"123", "", 0, false},
		{"please ack 12", "", 0, false},
		{"stop", "", 0, false},
	}
	for _, c := range cases {
		action, inc, all, ok := reply.Parse(c.text)
		if ok != (c.action != "") || action != c.action || inc != c.inc || all != c.all {
			t.Errorf("Parse(%q) = %q, %d, %v, %v; want %q, %d, %v", c.text, action, inc, all, ok, c.action, c.inc, c.all)
		}
	}
}

func TestSubscription(t *testing.T) {
	for _, text := range []string{"STOP", " stop. ", "Start", "HELP", "unsubscribe"} {
		if !reply.Subscription(text) {
			t.Errorf("Subscription(%q) = false, want true", text)
		}
		if _, _, _, ok := reply.Parse(text); ok {
			t.Errorf("Parse(%q) understood a word for the carrier", text)
		}
	}
	for _, text := range []string{"", "stop the database", "ack 1", "started"} {
		if reply.Subscription(text) {
			t.Errorf("Subscription(%q) = true, want false", text)
		}
	}
}

// FuzzParse holds that what is understood says one thing, and that saying it
// in the plainest form means the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"ack 123", "a 1", "res all", "ack", "r#5!", "ack 12 x", "\xff ack 1", "ack 1\n2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		action, inc, all, ok := reply.Parse(text)
		if !ok {
			if action != "" || inc != 0 || all {
				t.Fatalf("Parse(%q) understood nothing and returned %q, %d, %v", text, action, inc, all)
			}
			return
		}
		if inc < 0 || all && inc != 0 {
			t.Fatalf("Parse(%q) = %d, all %v", text, inc, all)
		}
		plain := string(action)
		switch {
		case all:
			plain += " all"
		case inc != 0:
			plain = fmt.Sprintf("%s %d", plain, inc)
		}
		a, i, l, again := reply.Parse(strings.ToUpper(plain))
		if !again || a != action || i != inc || l != all {
			t.Fatalf("Parse(%q) = %q, %d, %v but Parse(%q) = %q, %d, %v", text, action, inc, all, plain, a, i, l)
		}
	})
}
