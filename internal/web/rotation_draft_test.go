package web

import (
	"testing"
	"time"
)

// A new rotation has somebody on call at once, whatever the hour.
func TestNewLayerHasBegun(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ now, want string }{
		{"2026-11-22 23:59", "2026-11-16"}, // a Sunday
		{"2026-11-23 00:10", "2026-11-16"}, // a Monday before nine: it began a week ago
		{"2026-11-23 09:00", "2026-11-23"},
		{"2026-11-25 12:00", "2026-11-23"},
	} {
		now, err := time.ParseInLocation("2006-01-02 15:04", tt.now, berlin)
		if err != nil {
			t.Fatal(err)
		}
		if got := newLayer(now.UTC(), "Europe/Berlin").Start; got != tt.want {
			t.Errorf("at %s a new layer begins on %s, want %s", tt.now, got, tt.want)
		}
	}
}
