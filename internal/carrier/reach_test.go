package carrier_test

import (
	"testing"

	"github.com/watchroom/watchroom/internal/carrier"
)

func TestReachable(t *testing.T) {
	for at, want := range map[string]bool{
		"https://oncall.example.org":      true,
		"https://oncall.example.org:8443": true,
		"https://8.8.8.8":                 true,
		"http://oncall.example.org":       false,
		"https://localhost:8080":          false,
		"https://watch":                   false,
		"https://watch.local.":            false,
		"https://watch.internal":          false,
		"https://10.0.0.7":                false,
		"https://[::1]:8080":              false,
		"":                                false,
		"https://%":                       false,
	} {
		if got := carrier.Reachable(at); got != want {
			t.Errorf("Reachable(%q) = %t, want %t", at, got, want)
		}
	}
}
