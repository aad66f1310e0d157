package script

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
		{[]string{"BEGIN\nlong-enough\n}\nEND"}, "a long-enough } b", "a *** } b"},
	} {
		if got := newMasker(c.secrets).text(c.in); got != c.want {
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
		m := newMasker([]string{one, two})
		var got strings.Builder
		s := m.stream(func(p []byte) { got.Write(p) })
		step = max(1, step%64)
		for i := 0; i < len(text); i += step {
			s.write([]byte(text[i:min(i+step, len(text))]))
		}
		s.close()
		if whole := m.text(text); got.String() != whole {
			t.Errorf("in pieces of %d: %q, whole: %q", step, got.String(), whole)
		}
		for _, secret := range m.secrets {
			if s := string(secret); !strings.Contains(s, "*") && len(s) > 0 && strings.Contains(strings.ReplaceAll(got.String(), mask, "\x00"), s) && !strings.Contains(s, "\x00") {
				t.Errorf("%q came through: %q", s, got.String())
			}
		}
	})
}

// FuzzLines feeds what a hostile script could print as JSON lines.
func FuzzLines(f *testing.F) {
	f.Add([]byte(`{"type":"document","document":{"blocks":[{"table":{"head":["a"],"rows":[[]]}}],"progress":-4}}` + "\n"))
	f.Add([]byte(`{"type":"progress","percent":1e308}` + "\n{}\nnull\n"))
	f.Add([]byte(`{"type":"file","name":"../..","base64":"%%"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		out := newRecorder()
		out.heard = make(chan struct{}, len(text)+1)
		l := newTalk(newMasker([]string{"hunter2"}), out, nil)
		if strings.Contains(string(text), "path") {
			return // reading files is tried elsewhere
		}
		l.write(text)
		a := l.close()
		if all := a.text + words(a.doc) + out.everything(); strings.Contains(all, "hunter2") {
			t.Errorf("the secret came through: %q", all)
		}
		for _, d := range append(out.docs, a.doc) {
			if d == nil {
				continue
			}
			for _, b := range d.Blocks {
				if b.File != nil || b.Table != nil && len(b.Table.Rows) > 0 && len(b.Table.Rows[0]) != len(b.Table.Head) {
					t.Errorf("block %+v", b)
				}
			}
		}
	})
}
