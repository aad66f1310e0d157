package victorops

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

func TestParse(t *testing.T) {
	const body = `{"MESSAGE":"PING","TRANSACTION_ID":"478ab0d6"}`
	for _, tt := range []struct {
		intent, frame string
		err           error
	}{
		{"as Hubot writes it", "VO-MESSAGE:46\n" + body, nil},
		{"as the Lita adapter writes it, with a space", "VO-MESSAGE: 46\n" + body, nil},
		{"bare JSON, as displays and the Lita login write it", body, nil},
		{"the length is not looked at", "VO-MESSAGE:9999\n" + body, nil},
		{"nor whether it is there", "VO-MESSAGE:\n" + body, nil},
		{"a line of its own", "VO-MESSAGE:46\r\n" + body + "\r\n", nil},
		{"nothing", "", errNoHeader},
		{"a header alone", "VO-MESSAGE:2\n", errNoJSON},
		{"JSON far away", "VO-MESSAGE:2" + strings.Repeat(" ", 100) + body, errNoJSON},
		{"something else", "hello", errNoHeader},
		{"a list", "[" + body + "]", errNoHeader},
		{"JSON that ends early", body[:20], errNoJSON},
		{"two envelopes", "VO-MESSAGE:46\n" + body + "VO-MESSAGE:46\n" + body, errMore},
		{"two envelopes without a header", body + body, errMore},
		{"not UTF-8", "VO-MESSAGE:46\n" + strings.Replace(body, "PING", "\xff\xfe", 1), errNoText},
		{"no MESSAGE", `{"TRANSACTION_ID":"x"}`, errNoName},
		{"MESSAGE is a number", `{"MESSAGE":7}`, errNoJSON},
		{"TRANSACTION_ID is a list", `{"MESSAGE":"PING","TRANSACTION_ID":[]}`, errNoJSON},
	} {
		e, err := parse([]byte(tt.frame))
		if !errors.Is(err, tt.err) || err == nil && (e.Message != ping || e.Transaction != "478ab0d6") {
			t.Errorf("%s: parse(%q) = %+v, %v, want error %v", tt.intent, tt.frame, e, err, tt.err)
		}
	}
}

func TestFrameIsOneLineAndCountsAsJavaScriptDoes(t *testing.T) {
	for text, want := range map[string]int{ // measured with Hubot: 192 units for the first
		`héllo 🚀 "q" &amp; <b>`: 192, "PONG": 172, "one\ntwo": 176, "three 🚀": 176,
	} {
		var p said
		p.Chat.Text = text
		got, err := frame(outgoing{chatAction, "dc67d825-9deb-4c54-9a04-aaf1ddf3d33e", map[string]any{"CHAT": struct {
			OnCall bool   `json:"IS_ONCALL"`
			Robot  bool   `json:"IS_ROBOT"`
			Text   string `json:"TEXT"`
			Room   string `json:"ROOM_ID"`
		}{false, true, text, everywhere}}})
		if err != nil {
			t.Fatal(err)
		}
		n, body := split(t, string(got))
		if n != want || n != len(utf16.Encode([]rune(body))) {
			t.Errorf("frame of %q announces %d units, want %d: %s", text, n, want, body)
		}
	}
	if got, err := frame(outgoing{Message: pong, Transaction: "a<b"}); err != nil || string(got) != "VO-MESSAGE:41\n"+`{"MESSAGE":"PONG","TRANSACTION_ID":"a<b"}` {
		t.Errorf("frame(PONG) = %q, %v: the payload is left out, text is not escaped", got, err)
	}
}

// split takes a frame of ours apart as the strictest client does: at the first
// newline, of which there is one.
func split(t testing.TB, text string) (n int, body string) {
	t.Helper()
	head, body, ok := strings.Cut(text, "\n")
	length, header := strings.CutPrefix(head, "VO-MESSAGE:")
	n, err := strconv.Atoi(length)
	if !ok || !header || err != nil || strings.Contains(body, "\n") || !json.Valid([]byte(body)) || n != len(utf16.Encode([]rune(body))) {
		t.Errorf("a client cannot read %q", text)
	}
	return n, body
}

func TestParts(t *testing.T) {
	for _, tt := range []struct {
		intent, text string
		want         []string
	}{
		{"nothing", " \n ", nil},
		{"short", " a\nb ", []string{"a\nb"}},
		{"cut at a line end", "aaaa\nbbbb\ncccc", []string{"aaaa", "bbbb", "cccc"}},
		{"a long line is cut where it must be", "äöüßäöüßäö", []string{"äöüßäöü", "ßäö"}},
		{"there is an end", strings.Repeat("x", 7*maxParts+5), slicesRepeat("xxxxxxx", maxParts)},
	} {
		if got := parts(tt.text, 7); strings.Join(got, "|") != strings.Join(tt.want, "|") {
			t.Errorf("%s: parts(%q) = %q, want %q", tt.intent, tt.text, got, tt.want)
		}
	}
}

func slicesRepeat(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

func TestMemoryForgetsTheOldest(t *testing.T) {
	m := newMemory(2)
	for _, s := range []string{"a", "b", "b", "c"} {
		m.add(s)
	}
	if m.has("a") || !m.has("b") || !m.has("c") {
		t.Errorf("has a %t, b %t, c %t: want the last two", m.has("a"), m.has("b"), m.has("c"))
	}
}

func TestResume(t *testing.T) {
	for _, tt := range []struct {
		intent              string
		place, recent, head int
		want                int
	}{
		{"never here", 0, 90, 100, 100},
		{"away for a moment", 95, 90, 100, 95},
		{"away for long", 50, 90, 100, 90},
		{"nothing since", 100, 100, 100, 100},
		{"another history", 200, 90, 100, 100},
	} {
		if got := resume(seq(tt.place), seq(tt.recent), seq(tt.head)); got != seq(tt.want) {
			t.Errorf("%s: resume(%d, %d, %d) = %d, want %d", tt.intent, tt.place, tt.recent, tt.head, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"VO-MESSAGE:46\n{\"MESSAGE\":\"PING\",\"TRANSACTION_ID\":\"x\"}", "VO-MESSAGE: 1\n{}", "{}", "VO-MESSAGE:{", "{\"MESSAGE\":\"\\ud800\"}",
		"{\"MESSAGE\":\"CHAT_ACTION_MESSAGE\",\"PAYLOAD\":{\"CHAT\":{\"TEXT\":\"a\\u0000b\"}}}", "\xff", "VO-MESSAGE:1\nVO-MESSAGE:1\n{}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := parse(data)
		if err != nil {
			if e.Message != "" {
				t.Fatalf("parse(%q) = %+v beside %v", data, e, err)
			}
			return
		}
		text, err := frame(outgoing{e.Message, e.Transaction, e.Payload})
		if err != nil {
			t.Fatalf("frame of %+v: %v", e, err)
		}
		split(t, string(text))
		again, err := parse(text)
		if err != nil || again.Message != e.Message || again.Transaction != e.Transaction {
			t.Fatalf("parse(%q) = %+v, %v, was %+v", text, again, err, e)
		}
		for _, part := range parts(string(data), 10) {
			if part == "" || len([]rune(part)) > 10 {
				t.Fatalf("parts(%q) has %q", data, part)
			}
		}
	})
}
