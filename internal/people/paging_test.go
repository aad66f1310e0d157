package people

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
)

func nights() PagingRule {
	return PagingRule{
		Name: "Nights", Urgency: High, When: []PagingWindow{{From: "22:00", To: "06:00"}, {Days: []Day{"sat", "sun"}}},
		Steps: []PagingStep{{Methods: []Method{WebPush}}, {After: Duration(2 * time.Minute), Contacts: []id.Contact{"c1"}}},
		Again: Duration(10 * time.Minute),
	}
}

func TestPagingPolicyValidate(t *testing.T) {
	tests := []struct {
		intent string
		change func(*PagingRule)
		want   string
	}{
		{"as it should be", func(*PagingRule) {}, ""},
		{"both urgencies, always, once", func(r *PagingRule) { r.Urgency, r.When, r.Again = "", nil, 0 }, ""},
		{"no name", func(r *PagingRule) { r.Name = " " }, "rule 1: name"},
		{"an urgency we do not have", func(r *PagingRule) { r.Urgency = "medium" }, `urgency "medium": use high or low`},
		{"no steps", func(r *PagingRule) { r.Steps = nil }, "it has no steps"},
		{"too many steps", func(r *PagingRule) { r.Steps = slices.Repeat(r.Steps, 6) }, "12 steps are more than 10"},
		{"too many windows", func(r *PagingRule) { r.When = slices.Repeat(r.When, 11) }, "22 times of day"},
		{"again without a pause", func(r *PagingRule) { r.Again = Duration(time.Second) }, "again every 1s is not between 1m and 24h"},
		{"again backwards", func(r *PagingRule) { r.Again = -Duration(time.Hour) }, "again every"},
		{"again by fractions", func(r *PagingRule) { r.Again += 1 }, "finer than a second"},
		{"a step without a method", func(r *PagingRule) { r.Steps[1].Contacts = nil }, "step 2: it names no contact method"},
		{"a step in the past", func(r *PagingRule) { r.Steps[1].After = -1 }, "delay -1ns is not between 0 and 4h"},
		{"a step tomorrow", func(r *PagingRule) { r.Steps[1].After = Duration(5 * time.Hour) }, "delay 5h is not between"},
		{"a step between two seconds", func(r *PagingRule) { r.Steps[1].After = Duration(1500 * time.Millisecond) }, "delay 1.5s is finer than a second"},
		{"a contact twice", func(r *PagingRule) { r.Steps[1].Contacts = []id.Contact{"c1", "c1"} }, `"c1" is there twice`},
		{"a contact that is no id", func(r *PagingRule) { r.Steps[1].Contacts = []id.Contact{"c\n"} }, "is no id"},
		{"a method we do not have", func(r *PagingRule) { r.Steps[0].Methods = []Method{"fax"} }, `method "fax" is there twice or is not known`},
		{"a day we do not have", func(r *PagingRule) { r.When[1].Days = []Day{"Sat"} }, `time of day 2: day "Sat": use mon`},
		{"a day twice", func(r *PagingRule) { r.When[1].Days = []Day{"sat", "sat"} }, "day sat is there twice"},
		{"half a window", func(r *PagingRule) { r.When[0].To = "" }, `"" is not a time such as 09:00`},
		{"a time of no clock", func(r *PagingRule) { r.When[0].To = "24:00" }, `"24:00" is not a time`},
		{"a time of a short spelling", func(r *PagingRule) { r.When[0].To = "6:00" }, `"6:00" is not a time`},
		{"a window of no time", func(r *PagingRule) { r.When[0].To = "22:00" }, "is no time at all"},
	}
	for _, tt := range tests {
		r := nights()
		tt.change(&r)
		holds(t, tt.intent, PagingPolicy{Rules: []PagingRule{r}}.Validate(), tt.want)
	}
	holds(t, "the same name twice", PagingPolicy{Rules: []PagingRule{nights(), nights()}}.Validate(), `rule 2: the name "Nights" is there twice`)
	var many []PagingRule
	for i := range MaxPagingRules + 1 {
		r := nights()
		r.Name = fmt.Sprint(i)
		many = append(many, r)
	}
	holds(t, "too many rules", PagingPolicy{Rules: many}.Validate(), "21 rules are more than 20")
}

func TestWaitValidate(t *testing.T) {
	rule := func(u Urgency, w PagingWait) error {
		r := nights()
		r.Urgency, r.Wait = u, w
		return PagingPolicy{Rules: []PagingRule{r}}.Validate()
	}
	holds(t, "what can wait waits for the morning", rule(Low, PagingWait{At: "08:00", Days: []Day{"mon", "fri"}}), "")
	holds(t, "what is urgent does not", rule(High, PagingWait{At: "08:00"}), "what is urgent does not wait")
	holds(t, "nor a rule for both", rule("", PagingWait{At: "08:00"}), "what is urgent does not wait")
	holds(t, "a time that is none", rule(Low, PagingWait{At: "8"}), `"8" is not a time such as 08:00`)
	holds(t, "days without a time", rule(Low, PagingWait{Days: []Day{"mon"}}), `"" is not a time`)
	holds(t, "a day that is none", rule(Low, PagingWait{At: "08:00", Days: []Day{"monday"}}), "use mon, tue")
	holds(t, "a day twice", rule(Low, PagingWait{At: "08:00", Days: []Day{"mon", "mon"}}), "is there twice")
}

func TestWindow(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	night := PagingWindow{From: "22:00", To: "06:00"}
	weekend := PagingWindow{Days: []Day{"sat", "sun"}}
	friday := PagingWindow{Days: []Day{"fri"}, From: "22:00", To: "06:00"}
	work := PagingWindow{Days: []Day{"mon", "tue", "wed", "thu", "fri"}, From: "09:00", To: "17:00"}
	early := PagingWindow{From: "02:00", To: "03:00"}
	tests := []struct {
		intent string
		window PagingWindow
		local  string // RFC 3339; shown in Berlin
		want   bool
	}{
		{"it begins", night, "2026-11-20T22:00:00+01:00", true},
		{"a moment before", night, "2026-11-20T21:59:59+01:00", false},
		{"midnight is inside", night, "2026-11-21T00:00:00+01:00", true},
		{"it ends", night, "2026-11-21T06:00:00+01:00", false},
		{"a whole day", weekend, "2026-11-21T00:00:00+01:00", true},
		{"until its end", weekend, "2026-11-22T23:59:59+01:00", true},
		{"not the next", weekend, "2026-11-23T00:00:00+01:00", false},
		{"a night belongs to the day it began on", friday, "2026-11-21T05:00:00+01:00", true},
		{"not to the one it ends on", friday, "2026-11-20T05:00:00+01:00", false},
		{"nor to the next", friday, "2026-11-21T23:00:00+01:00", false},
		{"work", work, "2026-11-20T09:00:00+01:00", true},
		{"after work", work, "2026-11-20T17:00:00+01:00", false},
		{"Saturday", work, "2026-11-21T10:00:00+01:00", false},
		{"no days and no times is always", PagingWindow{}, "2026-11-21T10:00:00+01:00", true},
		{"the doubled hour, first pass", early, "2026-10-25T02:30:00+02:00", true},
		{"the doubled hour, second pass", early, "2026-10-25T02:30:00+01:00", true},
		{"the hour that is left out: just before", early, "2027-03-28T01:59:59+01:00", false},
		{"the hour that is left out: just after", early, "2027-03-28T03:00:00+02:00", false},
	}
	for _, tt := range tests {
		at, err := time.Parse(time.RFC3339, tt.local)
		if err != nil {
			t.Fatal(err)
		}
		if got := tt.window.Contains(at.In(berlin)); got != tt.want {
			t.Errorf("%s: Contains(%s) = %t, want %t", tt.intent, tt.local, got, tt.want)
		}
	}
}

func TestFits(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	always := PagingRule{}
	low := PagingRule{Urgency: Low}
	if !always.Fits(High, at) || !always.Fits(Low, at) || !low.Fits(Low, at) || low.Fits(High, at) {
		t.Error("a rule without urgency is for both, one with is for its own")
	}
	if nights().Fits(High, at) {
		t.Error("a rule for nights and weekends fits on a Friday at noon")
	}
}

func TestPagingPolicyJSON(t *testing.T) {
	want := PagingPolicy{Rules: []PagingRule{nights()}}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), `"after":"2m"`) || !strings.Contains(string(data), `"again":"10m"`) {
		t.Errorf("durations are not written for people: %s", data)
	}
	var got PagingPolicy
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
	var d Duration
	if err := d.UnmarshalText([]byte("soon")); err == nil {
		t.Error(`UnmarshalText("soon") = nil`)
	}
	for d, want := range map[time.Duration]string{0: "0s", time.Hour: "1h", 90 * time.Second: "1m30s", -time.Second: "-1s", 25*time.Hour + time.Minute: "25h1m"} {
		if got := Duration(d).String(); got != want {
			t.Errorf("Duration(%d) = %s, want %s", d, got, want)
		}
	}
}
