package jsontext

import (
	"strings"
	"testing"
)

func TestReplace(t *testing.T) {
	for _, tt := range []struct{ intent, value, want string }{
		{"texts, however deep", `{"a": "x", "b": ["x", {"c": "x"}]}`, `{"a":"X","b":["X",{"c":"X"}]}`},
		{"names stay", `{"x": 1}`, `{"x":1}`},
		{"numbers keep their digits", `[12345678901234567890.10, 1e3]`, `[12345678901234567890.10,1e3]`},
		{"nothing else changes", `[true, null, ""]`, `[true,null,""]`},
		{"letters stay letters", `"<x & é>"`, `"<X & É>"`},
		{"a value may be a text", `"x"`, `"X"`},
	} {
		got, err := Replace([]byte(tt.value), strings.ToUpper)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: Replace(%s) = %s, %v; want %s", tt.intent, tt.value, got, err, tt.want)
		}
	}
	for _, wrong := range []string{``, `{`, `{"a":1} x`, `1 2`, `x`} {
		if got, err := Replace([]byte(wrong), strings.ToUpper); err == nil {
			t.Errorf("Replace(%q) = %s, want an error", wrong, got)
		}
	}
}
