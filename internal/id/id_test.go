package id

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNewSortsByTime(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	var ids []string
	for i := range 1000 {
		ids = append(ids, at(now.Add(time.Duration(i)*time.Millisecond)))
	}
	for range 20 { // far apart too
		now = now.AddDate(7, 1, 1)
		ids = append(ids, at(now))
	}
	if !slices.IsSorted(ids) {
		t.Error("ids made later do not sort after those made earlier")
	}
}

func TestNewIsUnique(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	seen := map[string]bool{}
	for range 10_000 {
		s := at(now) // within one millisecond chance alone tells them apart
		if seen[s] {
			t.Fatalf("at() gave %s twice", s)
		}
		seen[s] = true
	}
}

func TestNewIsReadable(t *testing.T) {
	s := New()
	if len(s) != 26 || strings.Trim(s, "0123456789abcdefghjkmnpqrstvwxyz") != "" {
		t.Errorf("New() = %q, want 26 characters without i, l, o and u", s)
	}
}

func TestSecret(t *testing.T) {
	a, b := Secret(20), Secret(20)
	if a == b || len(a) != 32 || strings.Trim(a, "0123456789abcdefghjkmnpqrstvwxyz") != "" {
		t.Errorf("Secret(20) = %q and %q, want two different texts of 32 characters", a, b)
	}
}

func TestSlug(t *testing.T) {
	tests := []struct{ name, want string }{
		{"Database", "database"},
		{"Data base, primary", "data-base-primary"},
		{"  --Data--  ", "data"},
		{"db01", "db01"},
		{"a_b.c", "a-b-c"},
		{"Zürich", "z-rich"},
		{"Ночь", ""},
		{"!!!", ""},
		{"", ""},
		{"24/7", "24-7"},
	}
	for _, tt := range tests {
		got := Slug(tt.name)
		if got != tt.want {
			t.Errorf("Slug(%q) = %q, want %q", tt.name, got, tt.want)
		}
		if again := Slug(got); again != got {
			t.Errorf("Slug(%q) = %q, want it unchanged", got, again)
		}
	}
}
