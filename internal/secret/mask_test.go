package secret

import (
	"strings"
	"testing"
)

func TestMask(t *testing.T) {
	for _, c := range []struct {
		secrets  []string
		in, want string
	}{
		{nil, "plain", "plain"},
		{[]string{""}, "plain", "plain"},
		{[]string{"abc"}, "xabcx", "x***x"},
		{[]string{"abc"}, "abcabc", "******"},
		{[]string{"abc"}, "ababcab", "ab***ab"},
		{[]string{"abc", "abcdef"}, "abcdefg abcdx", "***g ***dx"},
		{[]string{"abc", "bcd"}, "abcd", "***"},
		{[]string{"aa"}, "aaa", "***"},
		{[]string{"a", "abc"}, "xab", "x***b"}, // the end may have been the beginning of more
		{[]string{" padded \n"}, "is padded here", "is *** here"},
		{[]string{`p"w\x/<ü😀`}, `{"json":"p\"w\\x/<ü😀"}`, `{"json":"***"}`},
		{[]string{`p"w\x/<ü😀`}, `{"go":"p\"w\\x/\u003cü😀","php":"p\"w\\x\/<ü😀"}`, `{"go":"***","php":"***"}`},
		{[]string{`p"w\x/<ü😀`}, `{"python":"p\"w\\x/<\u00fc\ud83d\ude00"}`, `{"python":"***"}`},
		{[]string{"a b/c&d'!é"}, "curl h?go=a+b%2Fc%26d%27%21%C3%A9 js=a%20b%2Fc%26d'!%C3%A9 py=a%20b/c%26d%27%21%C3%A9", "curl h?go=*** js=*** py=***"},
		{[]string{"BEGIN\nlong-enough\n}\nEND"}, "a long-enough } b", "a *** } b"},
	} {
		if got := NewMasker(c.secrets).Text(c.in); got != c.want {
			t.Errorf("masking %q in %q = %q, want %q", c.secrets, c.in, got, c.want)
		}
	}
}

// FuzzMask cuts a text into pieces: no secret comes through, and the result is
// that of the whole.
func FuzzMask(f *testing.F) {
	f.Add("secret", "other", "a secret and other s", 3)
	f.Add("aab", "ab", "aaaab", 1)
	f.Fuzz(func(t *testing.T, one, two, text string, step int) {
		m := NewMasker([]string{one, two})
		var got strings.Builder
		s := m.Stream(func(p []byte) { got.Write(p) })
		step = max(1, step%64)
		for i := 0; i < len(text); i += step {
			s.Write([]byte(text[i:min(i+step, len(text))]))
		}
		s.Close()
		if whole := m.Text(text); got.String() != whole {
			t.Errorf("in pieces of %d: %q, whole: %q", step, got.String(), whole)
		}
		for _, secret := range m.secrets {
			if s := string(secret); !strings.Contains(s, "*") && len(s) > 0 && strings.Contains(strings.ReplaceAll(got.String(), Mask, "\x00"), s) && !strings.Contains(s, "\x00") {
				t.Errorf("%q came through: %q", s, got.String())
			}
		}
	})
}
