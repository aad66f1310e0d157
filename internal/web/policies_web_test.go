package web

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

// Everything a policy can say can be said in the form, and comes back as it was.
func TestPolicyOptions(t *testing.T) {
	h := newWatch(t)
	h.put(org.Put(org.Provider{ID: "bridge", Kind: org.Webhook, Name: "bridge", Secrets: map[string]string{"url": "sealed"}}))
	h.has(h.get("ada", "/settings/policies/p-all"), "Webhooks, which are told", `value="webhook:bridge"`)
	fields := []string{
		"name", "Nights", "slug", "nights", "team", "t-db", "repeat", "1", "repeat_after", "10", "steps", "2",
		"0.after", "0", "0.target", "next:r-db", "0.target", "previous:r-db", "0.tell_kind", "email", "0.tell_to", "noc@example.org",
		"0.notify", "round_robin", "0.severity", "critical", "0.windows", "1", "0.w0.day", "sat", "0.w0.day", "sun", "0.zone", "Europe/Berlin",
		"1.after", "5m", "1.target", "webhook:bridge", "1.target", "room:#ops", "1.target", "policy:p-all", "1.severity", "critical", "1.severity", "warning", "1.low_waits", "on",
		"last.target", "policy:p-all", "last.add", "user:u-olga",
		"ack_by", "all", "repage_after", "2h", "urgency", "low", "low_waits", "on", "ignore", "on",
		"hours.windows", "1", "hours.w0.day", "mon", "hours.w0.from", "09:00", "hours.w0.to", "17:00", "hours.zone", "UTC",
	}
	h.send("/settings/policies", saved, fields...)
	made, _ := h.org().PolicyBySlug("nights")
	want := escalation.Policy{
		ID: made.ID, Slug: "nights", Name: "Nights", Team: "t-db", Repeat: 1, RepeatAfter: escalation.Duration(10 * time.Minute), Version: made.Version,
		Steps: []escalation.Step{
			{
				Targets: []escalation.Target{{Rotation: "r-db", Pick: escalation.PickNext}, {Rotation: "r-db", Pick: escalation.PickPrevious}, {Email: "noc@example.org"}},
				Notify:  escalation.RoundRobin,
				When: escalation.When{
					Severities: []alert.Type{alert.Critical},
					Hours:      escalation.Hours{Zone: "Europe/Berlin", Windows: []people.PagingWindow{{Days: []people.Day{"sat", "sun"}}}},
				},
			},
			{After: escalation.Duration(5 * time.Minute), Targets: []escalation.Target{{Webhook: "bridge"}, {Room: "#ops"}, {Policy: "p-all"}}, LowWaits: true},
		},
		AckBy: escalation.AckByAll, LastResort: []escalation.Target{{Policy: "p-all"}, {User: "u-olga"}}, RepageAfter: escalation.Duration(2 * time.Hour),
		IgnorePagingPolicies: true, Urgency: people.Low, LowWaits: true,
		Hours: escalation.Hours{Zone: "UTC", Windows: []people.PagingWindow{{Days: []people.Day{"mon"}, From: "09:00", To: "17:00"}}},
	}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Fatalf("policy (-want +got):\n%s", diff)
	}
	draft, errs := draftOfPolicy(made).policy()
	draft.Version = made.Version
	if diff := cmp.Diff(made, draft); diff != "" || len(errs) > 0 {
		t.Errorf("the draft of a policy says something else: %v\n%s", errs, diff)
	}
	page := h.get("ada", "/settings/policies/"+string(made.ID))
	h.has(page, "one of them, in turn · only Critical · only Sat, Sun", "noc@example.org", `value="webhook:bridge"`, "Last resort")
	h.has(h.get("kim", "/settings/policies/"+string(made.ID)), "one of them, in turn", "next on call")
}

func TestPolicyOptionsRefused(t *testing.T) {
	h := newWatch(t)
	_, unknown := h.send("/settings/policies", refuses, "name", "x", "repeat", "0", "repeat_after", "5m", "steps", "1", "0.after", "0m", "0.target", "webhook:bridge")
	h.has(unknown, `there is no webhook "bridge"`, "add it under Settings, Providers")
	_, page := h.send("/settings/policies", refuses, "name", "x", "repeat", "0", "repeat_after", "5m", "steps", "1", "0.after", "0m",
		"0.tell_kind", "email", "0.tell_to", "nobody", "low_waits", "on", "repage_after", "200h", "0.windows", "1", "0.w0.from", "9", "0.zone", "Mars/Base")
	h.has(page, "This is not an e-mail address.", "Give the working hours that are waited for.", "Between 1m and 168h.", "not a known time zone", "Give two different times")
	_, page = h.send("/settings/policies/p-all", refuses, "name", "Everything", "slug", "all", "repeat", "0", "repeat_after", "5m", "steps", "1", "0.after", "0m", "0.target", "policy:p-all")
	h.has(page, "leads back to itself")
}

// The buttons of what is folded away work without a script, too.
func TestPolicyOptionButtons(t *testing.T) {
	h := newWatch(t)
	for do, want := range map[string]string{
		"add-last": "user:u-kim", "drop-last:0": "", "add-hours": "user:u-olga", "drop-hours:0": "user:u-olga", "add-window:0": "user:u-olga",
	} {
		_, page := h.send("/settings/policies/p-db", http.StatusOK, policyFields("do", do, "last.target", "user:u-olga", "last.add", "user:u-kim")...)
		got := values(page, "last.target")
		if last := append([]string{""}, got...)[len(got)]; last != want {
			t.Errorf("%s: the last resort is %v, want %q at its end", do, got, want)
		}
		if n := values(page, "hours.windows")[0]; (n == "1") != (do == "add-hours") {
			t.Errorf("%s: %s working hours", do, n)
		}
		if n := values(page, "0.windows")[0]; (n == "1") != (do == "add-window:0") {
			t.Errorf("%s: %s times of the step", do, n)
		}
	}
}

func TestPolicyPreviewTellsAll(t *testing.T) {
	h := newWatch(t)
	h.put(org.Put(people.Team{ID: "t-all", Slug: "all", Name: "All", Members: nil}))
	_, page := h.send("/settings/policies/preview", http.StatusOK, "repeat", "0", "repeat_after", "5m", "steps", "1", "0.after", "0", "0.target", "email:noc@example.org",
		"0.severity", "warning", "last.target", "next:r-db")
	h.has(page, "Told: noc@example.org", "only Warning", "At the end", "Ada", "next on call in Storage days")
}
