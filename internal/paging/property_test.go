package paging

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
)

// genUser draws a person with any contact methods and any valid policy.
func genUser(t *rapid.T) people.User {
	u := people.User{Name: "Kim", Zone: rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "Australia/Lord_Howe"}).Draw(t, "zone")}
	for i := range rapid.IntRange(0, 6).Draw(t, "contacts") {
		c := people.Contact{ID: id.Contact(fmt.Sprint("c", i)), Method: rapid.SampledFrom(people.Methods).Draw(t, "method"), Off: rapid.Bool().Draw(t, "off")}
		if rapid.Bool().Draw(t, "proven") {
			c.VerifiedAt = noon
		}
		u.Contacts = append(u.Contacts, c)
	}
	p := &people.PagingPolicy{}
	for i := range rapid.IntRange(0, 3).Draw(t, "rules") {
		r := people.PagingRule{Name: fmt.Sprint("r", i), Urgency: rapid.SampledFrom([]people.Urgency{"", people.High, people.Low}).Draw(t, "urgency")}
		r.Again = minute * people.Duration(rapid.IntRange(0, 30).Draw(t, "again"))
		if r.Urgency == people.Low && rapid.Bool().Draw(t, "waits") {
			r.Wait = people.PagingWait{At: "12:30"} // half an hour after noon, where the zone is UTC
		}
		if rapid.Bool().Draw(t, "windowed") {
			r.When = []people.PagingWindow{{From: "22:00", To: "07:30"}}
		}
		for range rapid.IntRange(1, 4).Draw(t, "steps") {
			s := people.PagingStep{After: minute * people.Duration(rapid.IntRange(0, 10).Draw(t, "after")), Methods: []people.Method{rapid.SampledFrom(people.Methods).Draw(t, "of")}}
			if rapid.Bool().Draw(t, "named") {
				s.Contacts = []id.Contact{id.Contact(fmt.Sprint("c", rapid.IntRange(0, 7).Draw(t, "which")))}
			}
			r.Steps = append(r.Steps, s)
		}
		p.Rules = append(p.Rules, r)
	}
	u.Paging = p
	if err := p.Validate(); err != nil {
		t.Fatalf("drew a policy that cannot be: %v", err)
	}
	return u
}

func TestChainProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := genUser(t)
		at := noon.Add(time.Duration(rapid.IntRange(0, 48).Draw(t, "hours")) * time.Hour)
		c := Plan(u, rapid.SampledFrom([]people.Urgency{people.High, people.Low}).Draw(t, "page"), at, rapid.Bool().Draw(t, "ignore"))
		if u.Reachable() == c.Empty() {
			t.Fatalf("reachable %t, and the chain has %d attempts", u.Reachable(), len(c.Attempts))
		}
		used := map[id.Contact]bool{}
		for i, a := range append(slices.Clone(c.Attempts), c.Reserve...) {
			if a.Seq != i+1 || !a.Contact.Usable() || a.Why == "" {
				t.Fatalf("attempt %d is %+v", i+1, a)
			}
			used[a.Contact.ID] = true
		}
		if len(used) != len(u.Usable()) && c.Rule != "" {
			t.Fatalf("%d of %d usable contact methods are in the chain or its reserve", len(used), len(u.Usable()))
		}
		planned := c.Within(6*time.Hour, 300)
		if !slices.IsSortedFunc(planned, func(a, b Attempt) int { return int(a.After - b.After) }) {
			t.Fatalf("instants decrease: %s", told(planned))
		}
		if len(planned) == 0 && !c.Empty() && c.Attempts[0].After < 6*time.Hour {
			t.Fatalf("nothing is planned, and the first attempt is after %s", c.Attempts[0].After)
		}
		if c.Again > 0 && len(planned) > 0 && len(planned) < 300 && planned[len(planned)-1].After < 6*time.Hour-c.Again {
			t.Fatalf("it falls silent after %s", planned[len(planned)-1].After)
		}
		// Whatever fails, following Next ends, and with it the last contact method was tried.
		if c.Empty() {
			return
		}
		seq, tried := 1, 0
		for a, ok := c.Next(seq); ok; a, ok = c.Next(seq) {
			if a.Seq <= seq || tried > len(c.Attempts)+len(c.Reserve) {
				t.Fatalf("Next(%d) = %d goes round in circles", seq, a.Seq)
			}
			seq, tried = a.Seq, tried+1
		}
		if len(c.Reserve) > 0 && seq != len(c.Attempts)+len(c.Reserve) {
			t.Fatalf("Next ended at %d with a reserve up to %d", seq, len(c.Attempts)+len(c.Reserve))
		}
	})
}
