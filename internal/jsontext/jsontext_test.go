package jsontext

import (
	"bytes"
	"encoding/json"
	"reflect"
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

func FuzzReplace(f *testing.F) {
	for _, s := range []string{`{"a": ["x", 1e3, null]}`, `"<&>"`, `12345678901234567890.10`, `{"a":1,"a":"b"}`, `{`, `1 2`, "\"\xff\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		same, err := Replace(value, func(text string) string { return text })
		if (err == nil) != json.Valid(value) {
			t.Fatalf("Replace(%q) = %v, and the value is valid: %t", value, err, json.Valid(value))
		}
		if err == nil && !reflect.DeepEqual(read(t, value), read(t, same)) {
			t.Errorf("Replace(%q) = %q", value, same)
		}
	})
}

func read(t *testing.T, value []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
