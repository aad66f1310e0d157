package alert

import (
	"testing"
	"unicode/utf8"
)

func TestCut(t *testing.T) {
	tests := []struct {
		intent, s string
		n         int
		want      string
	}{
		{"short enough", "disk", 4, "disk"},
		{"one too many", "disks", 4, "disk"},
		{"characters count, not bytes", "äöüß", 4, "äöüß"},
		{"a character is never split", "äöüß", 3, "äöü"},
		{"wide characters", "火災警報", 2, "火災"},
		{"nothing is wanted", "disk", 0, ""},
		{"nothing is there", "", 3, ""},
	}
	for _, tt := range tests {
		if got := Cut(tt.s, tt.n); got != tt.want {
			t.Errorf("%s: Cut(%q, %d) = %q, want %q", tt.intent, tt.s, tt.n, got, tt.want)
		}
	}
}

func FuzzCut(f *testing.F) {
	f.Add("äöü", 2)
	f.Add("\xff\xfe", 1)
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = min(max(n, 0), 100)
		got := Cut(s, n)
		if utf8.RuneCountInString(got) > n || s[:len(got)] != got {
			t.Fatalf("Cut(%q, %d) = %q", s, n, got)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Fatalf("Cut(%q, %d) = %q splits a character", s, n, got)
		}
	})
}
