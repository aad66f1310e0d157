package web

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
)

func pagingFields(more ...string) []string {
	return append([]string{
		"rules", "1", "0.name", "Nights", "0.urgency", "high", "0.windows", "1", "0.w0.day", "mon", "0.w0.day", "tue", "0.w0.day", "wed", "0.w0.from", "22:00", "0.w0.to", "06:00",
		"0.steps", "2", "0.s0.after", "0", "0.s0.by", "contact:c-ada", "0.s1.after", "2m", "0.s1.by", "method:sms", "0.again", "10",
	}, more...)
}

func TestPagingForms(t *testing.T) {
	h := newWatch(t)
	h.contactsOf("ada", people.Contact{ID: "c-sms", Method: people.SMS, Address: "+49301234567", VerifiedAt: proven})
	h.has(h.get("ada", "/settings/profile/paging"), "Every method at once", "Make my own rules")
	h.send("/settings/profile/paging", saved, pagingFields()...)
	want := &people.PagingPolicy{Rules: []people.PagingRule{{
		Name: "Nights", Urgency: people.High, When: []people.PagingWindow{{Days: []people.Day{"mon", "tue", "wed"}, From: "22:00", To: "06:00"}},
		Steps: []people.PagingStep{{Contacts: []id.Contact{"c-ada"}}, {After: people.Duration(2 * time.Minute), Methods: []people.Method{people.SMS}}},
		Again: people.Duration(10 * time.Minute),
	}}}
	if diff := cmp.Diff(want, h.org().Users["u-ada"].Paging); diff != "" {
		t.Errorf("paging (-want +got):\n%s", diff)
	}
	h.has(h.get("ada", "/settings/profile/paging"), "Urgent pages, Mon–Wed 22:00–06:00: e-mail at once; text message after 2 minutes. The last step again every 10 minutes until acknowledged.", "Back to the default")

	_, page := h.send("/settings/profile/paging", refuses, "rules", "2", "0.name", "", "0.windows", "1", "0.w0.from", "09:00", "0.w0.to", "09:00",
		"0.steps", "1", "0.s0.after", "soon", "0.again", "1s", "1.name", "x", "1.steps", "0")
	h.has(page, "This is needed.", "Give two different times", "Write a delay such as 5m", "Choose at least one method.", "Between 1m and 24h.", `value="soon"`)

	h.send("/settings/profile/paging/reset", saved)
	if p := h.org().Users["u-ada"].Paging; p != nil {
		t.Errorf("after the reset paging is %+v", p)
	}
	h.send("/settings/people/u-kim/paging", saved, "rules", "1", "0.name", "All", "0.steps", "1", "0.s0.after", "0m", "0.s0.by", "contact:c-kim")
	if p := h.org().Users["u-kim"].Paging; p == nil || len(p.Rules) != 1 {
		t.Errorf("kim's paging is %+v", p)
	}
	h.send("/settings/profile/reminders", saved, "reminder", "hand_over", "reminder", "shift_start", "reminder", "lunch")
	if got := h.org().Users["u-ada"].Reminders; !cmp.Equal(got, []people.Reminder{people.ShiftStart, people.HandOver}) {
		t.Errorf("reminders are %v", got)
	}
}

// Every button works without a script, and saves nothing.
func TestPagingEditor(t *testing.T) {
	h := newWatch(t)
	h.contactsOf("ada", people.Contact{ID: "c-sms", Method: people.SMS, Address: "+49301234567", VerifiedAt: proven})
	_, page := h.send("/settings/profile/paging", http.StatusOK, "do", "start", "rules", "0")
	h.has(page, "Urgent pages: e-mail at once; text message after 2 minutes. The last step again every 10 minutes until acknowledged.", "Pages that can wait: e-mail at once.")
	for do, want := range map[string][3]string{ // rules, windows and steps of the first
		"add-rule": {"2", "1", "2"}, "add-window:0": {"1", "2", "2"}, "drop-window:0:0": {"1", "0", "2"}, "add-step:0": {"1", "1", "3"},
		"drop-step:0:1": {"1", "1", "1"}, "drop-step:0:9": {"1", "1", "2"}, "nonsense": {"1", "1", "2"}, "add-step:7": {"1", "1", "2"},
	} {
		_, page := h.send("/settings/profile/paging", http.StatusOK, pagingFields("do", do)...)
		if got := [3]string{values(page, "rules")[0], values(page, "0.windows")[0], values(page, "0.steps")[0]}; got != want {
			t.Errorf("%s: rules, windows, steps are %v, want %v", do, got, want)
		}
	}
	if p := h.org().Users["u-ada"].Paging; p != nil {
		t.Error("a button of the editor has saved")
	}
}

// What can wait waits for the morning; what is urgent cannot be told to.
func TestPagingWaits(t *testing.T) {
	h := newWatch(t)
	fields := func(urgency string, more ...string) []string {
		return append([]string{"rules", "1", "0.name", "Calm", "0.urgency", urgency, "0.steps", "1", "0.s0.after", "0", "0.s0.by", "contact:c-ada"}, more...)
	}
	workdays := []string{"0.wait", "08:00", "0.waitday", "mon", "0.waitday", "tue", "0.waitday", "wed", "0.waitday", "thu", "0.waitday", "fri"}
	h.send("/settings/profile/paging", saved, fields("low", workdays...)...)
	want := people.PagingWait{At: "08:00", Days: []people.Day{"mon", "tue", "wed", "thu", "fri"}}
	if got := h.org().Users["u-ada"].Paging.Rules[0].Wait; !cmp.Equal(got, want) {
		t.Errorf("wait is %+v, want %+v", got, want)
	}
	h.has(h.get("ada", "/settings/profile/paging"), "Pages that can wait, not before 08:00 on Mon–Fri: e-mail at once.", `name="0.wait" value="08:00"`)
	_, page := h.send("/settings/profile/paging/preview", http.StatusOK, fields("low", append(workdays, "at", "2026-11-20T21:00", "urgency", "low")...)...)
	h.has(page, "It waits until Mon 23 Nov 08:00.", "On Mon 23 Nov", "08:00")
	_, page = h.send("/settings/profile/paging", refuses, fields("high", "0.wait", "08:00")...)
	h.has(page, "Only pages that can wait do")
	h.send("/settings/profile/paging", saved, fields("low", "0.wait", "", "0.waitday", "mon")...)
	if got := h.org().Users["u-ada"].Paging.Rules[0].Wait; !got.IsZero() {
		t.Errorf("without a time wait is %+v", got)
	}
}

// What would happen is foreseen with the rules as they are typed.
func TestPagingPreview(t *testing.T) {
	h := newWatch(t)
	h.contactsOf("ada", people.Contact{ID: "c-sms", Method: people.SMS, Label: "Phone", Address: "+49301234567", VerifiedAt: proven},
		people.Contact{ID: "c-call", Method: people.Voice, Address: "+49301234567"})
	_, page := h.send("/settings/profile/paging/preview", http.StatusOK, pagingFields("at", "2026-11-23T23:00", "urgency", "high", "0.s1.by", "contact:c-call")...)
	h.has(page, "The rule “Nights” fits", "At once", "After 2 minutes", "Phone", "The last step again every 10 minutes", "Not used: +49301234567", "23:02")
	_, page = h.send("/settings/profile/paging/preview", http.StatusOK, pagingFields("at", "2026-11-23T12:00")...)
	h.has(page, "No rule fits")
	_, page = h.send("/settings/profile/paging/preview", http.StatusOK, pagingFields("at", "tomorrow")...)
	h.has(page, "Give a day and a time.")
}
