package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestHolidays(t *testing.T) {
	h := newHouse(t)
	made := h.want(h.do("ada", http.MethodPost, "/api/v1/holidays", `{"name":"Bavaria","team":"ops","days":[{"date":"2027-01-06","name":"Epiphany"},{"date":"2026-12-25","name":"Christmas"}]}`), http.StatusCreated)
	if made.at("days", 0, "date") != "2026-12-25" || made.at("days", 1, "name") != "Epiphany" || made.at("team") != "t-ops" {
		t.Errorf("made: %s", made.Text)
	}
	if shown := h.want(h.do("olga", http.MethodGet, "/api/v1/holidays/Bavaria", ""), http.StatusOK); shown.at("id") != made.at("id") {
		t.Errorf("by its name: %s", shown.Text)
	}
	h.want(h.do("max", http.MethodPost, "/api/v1/holidays", `{"name":"Hesse","days":[{"date":"2026-12-25","name":"Christmas"}]}`), http.StatusForbidden)
	calendar := "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Founding day\r\nDTSTART;VALUE=DATE:20200101\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	body, err := json.Marshal(map[string]any{"name": "Bavaria", "days": []string{}, "calendar": calendar})
	if err != nil {
		t.Fatal(err)
	}
	renewed := h.want(h.do("ada", http.MethodPut, "/api/v1/holidays/Bavaria", string(body)), http.StatusOK)
	if days, _ := renewed.at("days").([]any); len(days) != 3 || renewed.at("days", 0, "name") != "Founding day" {
		t.Errorf("from a calendar: %s, want the three years ahead", renewed.Text)
	}
	for body, want := range map[string]string{
		`{"name":"X","days":[]}`: "either days or a calendar",
		`{"name":"X","calendar":"a","days":[{"date":"2026-12-25","name":"y"}]}`:    "either days or a calendar",
		`{"name":"X","days":[],"calendar":"nonsense"}`:                             "calendar",
		`{"name":"X","days":[],"calendar":"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"}`: "no whole days",
		`{"name":"X","days":[{"date":"2026-02-30","name":"y"}]}`:                   "date",
		`{"name":"X","team":"nobody","days":[{"date":"2026-12-25","name":"y"}]}`:   "nobody",
		`{"name":"Bavaria","days":[{"date":"2026-12-25","name":"y"}]}`:             "taken already",
	} {
		if got := h.do("ada", http.MethodPost, "/api/v1/holidays", body); got.Status != http.StatusBadRequest || !strings.Contains(got.Text, want) {
			t.Errorf("%s: %d %s, want %q", body, got.Status, got.Text, want)
		}
	}
	h.want(h.do("ada", http.MethodDelete, "/api/v1/holidays/Bavaria", ""), http.StatusNoContent)
	h.want(h.do("ada", http.MethodGet, "/api/v1/holidays/Bavaria", ""), http.StatusNotFound)
}
