package explain

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

var lee = timeline.Actor{User: "lee", Name: "Lee", Origin: timeline.Browser}

func entry(seq id.Seq, by timeline.Actor, p timeline.Payload) timeline.Entry {
	return timeline.Entry{Seq: seq, At: night.Add(time.Duration(seq) * time.Minute), Kind: p.Kind(), Actor: by, Incident: 42, Payload: p}
}

func step(seq id.Seq, n int, users ...id.User) timeline.Entry {
	s := timeline.Step{Step: n, Round: 1, PolicyName: "Database"}
	for _, u := range users {
		s.Users, s.Names = append(s.Users, u), append(s.Names, strings.ToUpper(string(u[:1]))+string(u[1:]))
		s.Why = append(s.Why, "You are on call in Primary.")
	}
	return entry(seq, timeline.Self, s)
}

// unreached is a step that paged Lee and could not reach Kim.
func unreached(seq id.Seq) timeline.Entry {
	e := step(seq, 1, "lee")
	s := e.Payload.(timeline.Step)
	s.Why = append(s.Why, phrase.T("escalation.unreachable", "Kim"))
	e.Payload = s
	return e
}

func TestStory(t *testing.T) {
	open := entry(1, timeline.Actor{Name: "nagios", Origin: timeline.Monitoring}, timeline.Triggered{Title: "Disk full", PolicyName: "Database"})
	acked, resolved := entry(8, lee, timeline.Acknowledged{}), entry(9, lee, timeline.Resolved{})
	asked := entry(2, lee, timeline.Responder{Users: []id.User{"kim"}, Names: []string{"Kim"}})
	mail := func(state string) []Fate {
		return []Fate{{Entry: 2, Method: people.Email, Address: "kim@example.org", State: state, DueAt: night}}
	}
	kim := person("kim", "Kim")
	disabled := kim
	disabled.Disabled = true
	state := timeline.PageState{User: "kim", Name: "Kim", Method: "email"}
	tests := []struct {
		intent  string
		user    people.User
		entries []timeline.Entry
		fates   []Fate
		want    string // the verdict
		lines   string // the kinds of the lines, by first letters
	}{
		{"paged", kim, []timeline.Entry{open, step(2, 1, "kim")}, mail("sent"), "Kim was paged.", "vhpm"},
		{"paged twice", kim, []timeline.Entry{open, step(2, 1, "kim"), step(3, 2, "lee", "kim"), acked}, mail("delivered"), "Kim was paged 2 times.", "vhpmph"},
		{"on its way", kim, []timeline.Entry{open, step(2, 1, "kim")}, mail("pending"), "Kim is being paged: the message has not left yet.", "vhpm"},
		{"resolved while it waited, and still does", kim, []timeline.Entry{open, step(2, 1, "kim"), entry(3, timeline.Self, timeline.Held{User: "kim", Name: "Kim", Count: 2, Until: night}), resolved}, mail("pending"),
			"Kim was to be paged, but nothing more is sent, for it is over: Lee resolved #42.", "vhpmmh"},
		{"acknowledged, which the waiting message does not know yet", kim, []timeline.Entry{open, step(2, 1, "kim"), acked}, mail("pending"),
			"Kim was to be paged, but nothing more is sent, for it is over: Lee acknowledged #42.", "vhpmh"},
		{"some were sent before it was resolved", kim, []timeline.Entry{open, step(2, 1, "kim"), resolved}, append(mail("sent"), mail("pending")...), "Kim was paged.", "vhpmmh"},
		{"resolved and open again", kim, []timeline.Entry{open, step(2, 1, "kim"), resolved, entry(10, lee, timeline.Retriggered{})}, mail("pending"), "Kim is being paged: the message has not left yet.", "vhpmhh"},
		{"acknowledged, and a colleague asks all the same", kim, []timeline.Entry{open, asked, acked}, mail("pending"), "Kim is being paged: the message has not left yet.", "vhpmh"},
		{"resolved, and what a colleague asked waits", kim, []timeline.Entry{open, asked, acked, resolved}, mail("pending"),
			"Kim was to be paged, but nothing more is sent, for it is over: Lee resolved #42.", "vhpmhh"},
		{"everything failed", kim, []timeline.Entry{open, step(2, 1, "kim")}, mail("failed"), "Kim was to be paged, and every message failed.", "vhpm"},
		{"acknowledged while it waited", kim, []timeline.Entry{open, step(2, 1, "kim"), acked}, mail("cancelled"), "Kim was to be paged, but before the message left it was no longer wanted.", "vhpmh"},
		{"without fates the record tells", kim, []timeline.Entry{open, step(2, 1, "kim"), entry(3, timeline.Self, state)}, nil, "Kim was paged.", "vhpm"},
		{"the record of failures too", kim, []timeline.Entry{open, step(2, 1, "kim"), entry(3, timeline.Self, timeline.PageLost(state))}, nil, "Kim was to be paged, and every message failed.", "vhpm"},
		{"a page without any message", kim, []timeline.Entry{open, step(2, 1, "kim")}, nil, "Kim was to be paged, and there is no record of a message.", "vhp"},
		{"asked by a colleague", kim, []timeline.Entry{open, entry(2, lee, timeline.Responder{Users: []id.User{"kim"}, Names: []string{"Kim"}})}, mail("sent"), "Kim was paged.", "vhpm"},
		{"a colleague asked somebody else", kim, []timeline.Entry{open, entry(2, lee, timeline.Responder{Users: []id.User{"ada"}, Names: []string{"Ada"}})}, nil, "Kim was not paged: nobody has been so far.", "vh"},
		{"not on call, and Lee took it", kim, []timeline.Entry{open, step(2, 1, "lee"), acked}, nil, "Kim was not paged: the steps until then led to others. Then it was over: Lee acknowledged #42.", "vhph"},
		{"over before anybody was paged", kim, []timeline.Entry{open, acked}, nil, "Kim was not paged. Nobody was, for it was over first: Lee acknowledged #42.", "vhh"},
		{"an end that was taken back is none", kim, []timeline.Entry{open, acked, entry(9, lee, timeline.Unacknowledged{}), step(10, 1, "lee")}, nil, "Kim was not paged: no step has led there so far.", "vhhhp"},
		{"no way to reach", kim, []timeline.Entry{open, unreached(2), acked}, nil, "Kim was not paged: the turn came, and there was no contact method that is on and proven.", "vhph"},
		{"a step of nobody but the unreachable", kim, []timeline.Entry{open, entry(2, timeline.Self, timeline.Skipped{Step: 1, Round: 1, PolicyName: "Database", Why: phrase.T("escalation.unreachable", "Kim")})}, nil,
			"Kim was not paged: the turn came, and there was no contact method that is on and proven.", "vhh"},
		{"disabled", disabled, []timeline.Entry{open, step(2, 1, "lee")}, nil, "Kim was not paged: whoever may not sign in is not paged.", "vhp"},
		{"the policy ended", kim, []timeline.Entry{open, step(2, 1, "lee"), entry(3, timeline.Self, timeline.Exhausted{PolicyName: "Database", Why: "nobody_acknowledged"})}, nil, "Kim was not paged: no step of the policy led there.", "vhph"},
		{"it had nobody", kim, []timeline.Entry{open, entry(3, timeline.Self, timeline.Exhausted{PolicyName: "Database", Why: "no_steps"})}, nil, "Kim was not paged: the policy paged nobody.", "vhh"},
		{"it waits for the morning", kim, []timeline.Entry{open, entry(2, timeline.Self, timeline.Waits{Step: 1, Round: 1, Until: night.Add(6 * time.Hour)})}, nil,
			"Kim was not paged yet. The policy waits for working hours until 2027-03-28 08:58:00 +02:00.", "vhh"},
		{"a storm, an answer and a method that failed", kim, []timeline.Entry{
			open, step(2, 1, "kim"),
			entry(3, timeline.Self, timeline.Held{User: "kim", Name: "Kim", Count: 7, Until: night}),
			entry(4, timeline.Self, timeline.MovedOn{User: "kim", Method: "sms", NextMethod: "voice", Why: "not delivered"}),
			entry(5, lee, timeline.PageReply{User: "kim", Method: "sms", Answer: "acknowledge"}),
		}, mail("sent"), "Kim was paged.", "vhpmmmm"},
		{"what happens to others is not told", kim, []timeline.Entry{
			open, step(2, 1, "lee"),
			entry(3, timeline.Self, timeline.PageState{User: "lee", Method: "email"}),
			entry(4, timeline.Self, timeline.Held{User: "lee", Count: 7}),
			entry(5, timeline.Self, timeline.MovedOn{User: "lee", Method: "sms"}),
			entry(6, lee, timeline.PageReply{User: "lee", Method: "sms"}),
			entry(7, lee, timeline.Noted{Text: "hm"}),
		}, nil, "Kim was not paged: no step has led there so far.", "vhp"},
		{"nothing yet", kim, nil, nil, "Kim was not paged: nobody has been so far.", "v"},
	}
	for _, tt := range tests {
		lines := Story(tt.entries, tt.fates, tt.user)
		var kinds strings.Builder
		for _, l := range lines {
			kinds.WriteString(string(l.Kind[0]))
			if l.Text == "" || strings.Contains(l.Text, "explain.") || strings.Contains(l.Text, "%!") || l.At.IsZero() != (l.Kind == Verdict) {
				t.Errorf("%s: line %+v", tt.intent, l)
			}
		}
		if lines[0].Text != tt.want || kinds.String() != tt.lines {
			t.Errorf("%s: Story() = %q with lines %s, want %q with %s", tt.intent, lines[0].Text, kinds.String(), tt.want, tt.lines)
		}
	}
}

func TestStoryLines(t *testing.T) {
	fates := []Fate{
		{Entry: 2, Method: people.SMS, Address: "+49301234567", State: "failed", DueAt: night.Add(2 * time.Minute), DoneAt: night.Add(3 * time.Minute), Detail: "unknown number"},
		{Entry: 2, Method: people.WebPush, Address: "phone", State: "seen", DueAt: night, DoneAt: night.Add(time.Minute)},
	}
	var got []string
	for _, l := range Story([]timeline.Entry{step(2, 1, "kim"), unreached(3)}, fates, people.User{ID: "kim", Name: "Kim", Zone: "UTC"}) {
		got = append(got, l.Text)
	}
	want := []string{
		"Kim was paged.",
		"Step 1 of the policy Database paged Kim: “You are on call in Primary.”",
		"push to the web app to phone: it was seen",
		"text message to +49301234567: it failed (unknown number)",
		"Step 1 paged Lee. " + phrase.T("escalation.unreachable", "Kim") + ".",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Story() (-want +got):\n%s", diff)
	}
	// A state the catalogue has no text for is still said.
	lines := Story([]timeline.Entry{step(2, 1, "kim")}, []Fate{{Entry: 2, Method: people.SMS, State: "held_back", DueAt: night}}, people.User{ID: "kim", Name: "Kim"})
	if last := lines[len(lines)-1].Text; !strings.HasSuffix(last, "held back") {
		t.Errorf("an unknown state reads %q", last)
	}
}
