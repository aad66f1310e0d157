package ical_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/watchroom/watchroom/internal/ical"
)

// numbers draws a list within a part's own limits.
func numbers(t *rapid.T, name string, low, high int) string {
	list := rapid.SliceOfN(rapid.IntRange(low, high).Filter(func(n int) bool { return n != 0 || low == 0 }), 1, 4).Draw(t, name)
	return name + "=" + strings.Join(strings.Fields(strings.Trim(fmt.Sprint(list), "[]")), ",")
}

// TestAnyRuleEnds: whatever is combined, the answer comes soon, and is either
// a sentence or instances in order that keep the hour the rule says.
func TestAnyRuleEnds(t *testing.T) {
	zone := location(t, "America/Sao_Paulo")
	from, to := at(t, "2026-01-01T00:00:00Z"), at(t, "2028-01-01T00:00:00Z")
	rapid.Check(t, func(t *rapid.T) {
		frequency := rapid.SampledFrom([]string{"YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"}).Draw(t, "FREQ")
		parts := []string{"FREQ=" + frequency}
		for name, limit := range map[string][2]int{
			"BYMONTH": {1, 12}, "BYMONTHDAY": {-31, 31}, "BYYEARDAY": {-366, 366}, "BYWEEKNO": {-53, 53}, "BYSETPOS": {-366, 366},
		} {
			if rapid.IntRange(0, 3).Draw(t, "with "+name) == 0 {
				parts = append(parts, numbers(t, name, limit[0], limit[1]))
			}
		}
		if rapid.Bool().Draw(t, "with BYDAY") {
			parts = append(parts, "BYDAY="+rapid.StringMatching(`([1-5]|-[1-5])?(MO|TU|WE|TH|FR|SA|SU)(,(MO|TU|WE|TH|FR|SA|SU))?`).Draw(t, "BYDAY"))
		}
		if rapid.Bool().Draw(t, "with INTERVAL") {
			parts = append(parts, fmt.Sprintf("INTERVAL=%d", rapid.IntRange(1, 1000).Draw(t, "INTERVAL")))
		}
		parts = append(parts, rapid.SampledFrom([]string{"WKST=MO", "WKST=SU", "COUNT=3", "UNTIL=20270601T000000Z"}).Draw(t, "end"))
		rule := strings.Join(parts, ";")
		began := time.Now()
		data := vevent("DTSTART;TZID=America/Sao_Paulo:20160229T203000", "DTEND;TZID=America/Sao_Paulo:20160301T083000", "RRULE:"+rule)
		got, err := ical.Parse(t.Context(), []byte(data), from, to, time.UTC)
		if _, ok := errors.AsType[*ical.Error](err); err != nil && !ok {
			t.Fatalf("%s: %v, want a sentence", rule, err)
		}
		for i, o := range got {
			if i > 0 && !got[i-1].Start.Before(o.Start) {
				t.Fatalf("%s: instance %d is not in order", rule, i)
			}
			if start := o.Start.In(zone); frequency != "HOURLY" && (start.Hour() != 20 || start.Minute() != 30 || o.End.In(zone).Hour() != 8) {
				t.Fatalf("%s: instance %d at %v", rule, i, start)
			}
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("%s took %v", rule, took)
		}
	})
}
