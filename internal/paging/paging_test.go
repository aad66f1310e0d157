package paging

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
)

const minute = people.Duration(time.Minute)

// noon is a Friday in November; in Berlin it is 13:00.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func contact(c id.Contact, m people.Method) people.Contact {
	return people.Contact{ID: c, Method: m, Label: string(c), VerifiedAt: noon}
}

func kim(rules ...people.PagingRule) people.User {
	return people.User{
		ID: "kim", Name: "Kim", Zone: "Europe/Berlin", Paging: &people.PagingPolicy{Rules: rules},
		Contacts: []people.Contact{contact("mail", people.Email), contact("push", people.WebPush), contact("tablet", people.WebPush), contact("sms", people.SMS), contact("call", people.Voice)},
	}
}

func ladder() people.PagingRule {
	return people.PagingRule{
		Name: "Ladder",
		Steps: []people.PagingStep{
			{Methods: []people.Method{people.WebPush}},
			{After: 2 * minute, Contacts: []id.Contact{"sms"}},
			{After: 3 * minute, Contacts: []id.Contact{"call"}},
		},
		Again: 10 * minute,
	}
}

// told is a chain in short: "push@0s tablet@0s sms@2m0s".
func told(attempts []Attempt) string {
	var b []string
	for _, a := range attempts {
		b = append(b, fmt.Sprintf("%s@%s", a.Contact.ID, a.After))
	}
	return strings.Join(b, " ")
}

func TestPlan(t *testing.T) {
	change := func(u people.User, c id.Contact, edit func(*people.Contact)) people.User {
		u.Contacts = slices.Clone(u.Contacts)
		edit(&u.Contacts[slices.IndexFunc(u.Contacts, func(x people.Contact) bool { return x.ID == c })])
		return u
	}
	off := func(c *people.Contact) { c.Off = true }
	fresh := func(c *people.Contact) { c.VerifiedAt = time.Time{} }
	without := func(u people.User, gone ...id.Contact) people.User {
		u.Contacts = slices.DeleteFunc(slices.Clone(u.Contacts), func(c people.Contact) bool { return slices.Contains(gone, c.ID) })
		return u
	}
	low := people.PagingRule{Name: "Low", Urgency: people.Low, Steps: []people.PagingStep{{Contacts: []id.Contact{"mail"}}}}
	night := people.PagingRule{Name: "Night", When: []people.PagingWindow{{From: "22:00", To: "07:00"}}, Steps: []people.PagingStep{{Contacts: []id.Contact{"call"}}}}
	all := "mail@0s push@0s tablet@0s sms@0s call@0s"
	none := kim()
	none.Paging = nil
	disabled := kim(ladder())
	disabled.Disabled = true
	twice := people.PagingRule{Name: "Twice", Steps: []people.PagingStep{
		{Contacts: []id.Contact{"push"}, Methods: []people.Method{people.WebPush}}, {After: minute, Contacts: []id.Contact{"push"}}}}
	tests := []struct {
		intent  string
		user    people.User
		urgency people.Urgency
		at      time.Time
		ignore  bool
		want    string
		rule    string
		reason  string // part of it
		skipped []string
	}{
		{"without a policy as always: everything at once", none, people.High, noon, false, all, "", "No personal rules", nil},
		{"an empty policy is the same", kim(), people.High, noon, false, all, "", "No personal rules", nil},
		{"a ladder", kim(ladder()), people.High, noon, false, "push@0s tablet@0s sms@2m0s call@5m0s", "Ladder", "“Ladder” fits high urgency at 13:00 (Europe/Berlin)", nil},
		{"ignored when the escalation policy says so", kim(ladder()), people.High, noon, true, all, "", "ignores", nil},
		{"the first that fits", kim(low, ladder()), people.Low, noon, false, "mail@0s", "Low", "low urgency", nil},
		{"another urgency passes it over", kim(low, ladder()), people.High, noon, false, "push@0s tablet@0s sms@2m0s call@5m0s", "Ladder", "", nil},
		{"by the person's own clock: 22:00 in Berlin", kim(night, ladder()), people.High, noon.Add(9 * time.Hour), false, "call@0s", "Night", "at 22:00", nil},
		{"a minute before", kim(night, low), people.High, noon.Add(9*time.Hour - time.Minute), false, all, "", "No rule fits high urgency at 21:59", nil},
		{"what is off is passed over", change(kim(ladder()), "tablet", off), people.High, noon, false, "push@0s sms@2m0s call@5m0s", "Ladder", "", []string{"1 tablet: it is switched off"}},
		{"what is not proven too", change(kim(ladder()), "sms", fresh), people.High, noon, false, "push@0s tablet@0s call@2m0s", "Ladder", "", []string{"2 sms: it was never proven to reach the person"}},
		{"and what is gone; the next step takes the turn", without(kim(ladder()), "sms"), people.High, noon, false, "push@0s tablet@0s call@2m0s", "Ladder", "", []string{"2 a former contact method: it is no longer there"}},
		{"an empty first step does not make anybody wait", without(kim(ladder()), "push", "tablet"), people.High, noon, false, "sms@0s call@3m0s", "Ladder", "", []string{"1 push to the web app: there is no such contact method"}},
		{"an empty last step ends the chain before", change(kim(ladder()), "call", off), people.High, noon, false, "push@0s tablet@0s sms@2m0s", "Ladder", "", []string{"3 call: it is switched off"}},
		{"nothing left of a rule: everything", without(kim(night), "call"), people.High, noon.Add(10 * time.Hour), false, "mail@0s push@0s tablet@0s sms@0s", "", "Nothing that the rule “Night” names", []string{"1 a former contact method: it is no longer there"}},
		{"without a rule what cannot be used is told too", change(kim(), "call", fresh), people.High, noon, false, "mail@0s push@0s tablet@0s sms@0s", "", "", []string{"0 call: it was never proven to reach the person"}},
		{"a step uses a contact method once, a later step again", kim(twice), people.High, noon, false, "push@0s tablet@0s push@1m0s", "Twice", "", nil},
		{"nobody there", without(kim(), "mail", "push", "tablet", "sms", "call"), people.High, noon, false, "", "", "Kim cannot be reached", nil},
		{"a disabled person", disabled, people.High, noon, false, "", "", "Kim may not sign in", nil},
	}
	for _, tt := range tests {
		c := Plan(tt.user, tt.urgency, tt.at, tt.ignore)
		if got := told(c.Attempts); got != tt.want {
			t.Errorf("%s: Plan() = %s, want %s", tt.intent, got, tt.want)
		}
		if c.Rule != tt.rule || !strings.Contains(c.Reason, tt.reason) || c.Reason == "" || c.Empty() != (tt.want == "") {
			t.Errorf("%s: rule %q, reason %q, want %q, … %s …", tt.intent, c.Rule, c.Reason, tt.rule, tt.reason)
		}
		var skipped []string
		for _, s := range c.Skipped {
			skipped = append(skipped, fmt.Sprintf("%d %s: %s", s.Step, s.Shown, s.Why))
		}
		if diff := cmp.Diff(tt.skipped, skipped); diff != "" {
			t.Errorf("%s: skipped (-want +got):\n%s", tt.intent, diff)
		}
	}
}

func TestRepeat(t *testing.T) {
	c := Plan(kim(ladder()), people.High, noon, false)
	if diff := cmp.Diff([]int{4}, c.Repeat); diff != "" || c.Again != 10*time.Minute {
		t.Errorf("the last step repeats every %s (-want +got):\n%s", c.Again, diff)
	}
	if got, want := told(c.Within(30*time.Minute, 100)), "push@0s tablet@0s sms@2m0s call@5m0s call@15m0s call@25m0s"; got != want {
		t.Errorf("Within(30m) = %s, want %s", got, want)
	}
	if got := len(c.Within(1000*time.Hour, 7)); got != 7 {
		t.Errorf("Within() returned %d, want the 7 asked for", got)
	}
	once := ladder()
	once.Again = 0
	c = Plan(kim(once), people.High, noon, false)
	if got, want := told(c.Within(time.Hour, 100)), "push@0s tablet@0s sms@2m0s call@5m0s"; got != want || len(c.Repeat) > 0 {
		t.Errorf("without again: Within() = %s, want %s", got, want)
	}
	// A last step of several contact methods repeats all of them together.
	both := people.PagingRule{Name: "Both", Steps: []people.PagingStep{{Contacts: []id.Contact{"mail"}}, {After: minute, Methods: []people.Method{people.WebPush}}}, Again: 5 * minute}
	c = Plan(kim(both), people.High, noon, false)
	if got, want := told(c.Within(6*time.Minute, 100)), "mail@0s push@1m0s tablet@1m0s push@6m0s tablet@6m0s"; got != want {
		t.Errorf("Within() = %s, want %s", got, want)
	}
}

func TestNext(t *testing.T) {
	c := Plan(kim(ladder()), people.High, noon, false) // 1 push, 2 tablet, 3 sms, 4 call; reserve 5 mail; 6… call again
	again := ladder()
	again.Steps[1] = people.PagingStep{After: minute, Contacts: []id.Contact{"push"}}
	same := Plan(kim(again), people.High, noon, false) // 1 push, 2 tablet, 3 push, 4 call
	tests := []struct {
		intent string
		chain  Chain
		failed int
		want   int // 0: none
	}{
		{"the next step", c, 1, 3},
		{"whichever of the step failed", c, 2, 3},
		{"then the one after", c, 3, 4},
		{"after the last the reserve", c, 4, 5},
		{"and after that nothing", c, 5, 0},
		{"a repetition that fails has the reserve too", c, 6, 5},
		{"the same contact method would fail again", same, 1, 4},
		{"but another of its step may try it", same, 2, 3},
		{"a number that means nothing", c, 0, 0},
		{"everything at once has nothing to bring forward", Plan(kim(), people.High, noon, false), 1, 0},
	}
	for _, tt := range tests {
		got, ok := tt.chain.Next(tt.failed)
		if got.Seq != tt.want || ok != (tt.want != 0) {
			t.Errorf("%s: Next(%d) = %d (%s), %t, want %d", tt.intent, tt.failed, got.Seq, got.Contact.ID, ok, tt.want)
		}
	}
}

func TestAttempt(t *testing.T) {
	c := Plan(kim(ladder()), people.High, noon, false)
	for seq, want := range map[int]string{1: "push@0s", 4: "call@5m0s", 5: "mail@0s", 6: "call@15m0s", 8: "call@35m0s"} {
		if a, ok := c.Attempt(seq); !ok || told([]Attempt{a}) != want || a.Seq != seq {
			t.Errorf("Attempt(%d) = %s number %d, %t, want %s", seq, told([]Attempt{a}), a.Seq, ok, want)
		}
	}
	if _, ok := (Chain{}).Attempt(1); ok {
		t.Error("an empty chain has an attempt")
	}
}

func TestDeadline(t *testing.T) {
	for _, m := range append(slices.Clone(people.Methods), "new") {
		if d := Deadline(m); d < 15*time.Second || d > 5*time.Minute {
			t.Errorf("Deadline(%s) = %s", m, d)
		}
	}
	if Deadline(people.WebPush) >= Deadline(people.SMS) || Deadline(people.SMS) >= Deadline(people.Email) {
		t.Error("push is known to arrive before a text message, that before a mail")
	}
}
