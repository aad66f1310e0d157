package dispatch

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Two people at once: one wins, the other is told who did.
func TestTwoAcknowledgeAtOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		for round := range 5 {
			inc := h.open(t, "disk/"+string(rune('a'+round)))
			who := []people.Actor{kim(), lee()}
			errs := make([]error, len(who))
			var wg sync.WaitGroup
			for i, d := range []*Dispatcher{h.Dispatcher, h.other} {
				wg.Go(func() { _, errs[i] = d.Acknowledge(t.Context(), who[i], inc.ID) })
			}
			wg.Wait()
			won := 0
			if errs[0] != nil {
				won = 1
			}
			if errs[won] != nil || !fault.Is(errs[1-won], fault.CodeConflict) {
				t.Fatalf("Acknowledge() = %v and %v, want one conflict", errs[0], errs[1])
			}
			want := phrase.T("dispatch.already_acknowledged", inc.ID, who[won].Name)
			if got := fault.MessageOf(errs[1-won]); got != want {
				t.Errorf("the other was told %q, want %q", got, want)
			}
			if got := h.incident(t, inc.ID); got.AckedBy != who[won].Who() || got.State != incident.Acknowledged {
				t.Errorf("the incident is %s by %+v, want acknowledged by %s", got.State, got.AckedBy, who[won].Name)
			}
			told := 0
			for _, e := range h.entries(t, store.EntryFilter{Incident: inc.ID}) {
				if e.Kind == timeline.IncidentAcknowledged {
					told++
				}
			}
			if told != 1 {
				t.Errorf("%d acknowledgements are told, want 1", told)
			}
		}
	})
}

// What is refused because of what happened before, and what is simply done already.
func TestTooLate(t *testing.T) {
	type act func(*house, context.Context, people.Actor, id.Incident) error
	acknowledge := func(h *house, ctx context.Context, who people.Actor, n id.Incident) error {
		_, err := h.Acknowledge(ctx, who, n)
		return err
	}
	resolve := func(h *house, ctx context.Context, who people.Actor, n id.Incident) error {
		_, err := h.Resolve(ctx, who, n)
		return err
	}
	tests := []struct {
		intent string
		first  act
		then   act
		same   bool // both by Kim, else the second by Lee
		want   string
	}{
		{"acknowledging twice oneself is fine", acknowledge, acknowledge, true, ""},
		{"resolving twice oneself is fine", resolve, resolve, true, ""},
		{"somebody else resolved it", resolve, resolve, false, "Incident #1 was already resolved by Kim."},
		{"there is nothing left to acknowledge", resolve, acknowledge, true, "Incident #1 was already resolved by Kim."},
		{"a snooze is an acknowledgement", func(h *house, ctx context.Context, who people.Actor, n id.Incident) error {
			_, err := h.Snooze(ctx, who, n, h.clock.read().Add(time.Hour))
			return err
		}, acknowledge, false, "Incident #1 was already acknowledged by Kim."},
		{"nobody has it who could give it back", func(*house, context.Context, people.Actor, id.Incident) error { return nil },
			func(h *house, ctx context.Context, who people.Actor, n id.Incident) error {
				_, err := h.Unacknowledge(ctx, who, n)
				return err
			}, true, "Incident #1 is not acknowledged."},
		{"one's own resolved incident is not quietly left as it is when help is asked for", resolve,
			func(h *house, ctx context.Context, who people.Actor, n id.Incident) error {
				_, err := h.AddResponders(ctx, who, n, "lee")
				return err
			}, true, "Incident #1 was already resolved by Kim."},
		{"nor when it is to be snoozed", resolve,
			func(h *house, ctx context.Context, who people.Actor, n id.Incident) error {
				_, err := h.Snooze(ctx, who, n, h.clock.read().Add(time.Hour))
				return err
			}, true, "Incident #1 was already resolved by Kim."},
		{"nor when it is handed over", resolve,
			func(h *house, ctx context.Context, who people.Actor, n id.Incident) error {
				_, err := h.RerouteToPolicy(ctx, who, n, "p2")
				return err
			}, true, "Incident #1 was already resolved by Kim."},
		{"nor when it is given back", resolve,
			func(h *house, ctx context.Context, who people.Actor, n id.Incident) error {
				_, err := h.Unacknowledge(ctx, who, n)
				return err
			}, true, "Incident #1 was already resolved by Kim."},
		{"a note may always be added", resolve, func(h *house, ctx context.Context, who people.Actor, n id.Incident) error {
			_, err := h.AddNote(ctx, who, n, "it was the log")
			return err
		}, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.intent, func(t *testing.T) {
			h := newHouse(t, "sqlite")
			n := h.open(t, "disk").ID
			if err := tt.first(h, t.Context(), kim(), n); err != nil {
				t.Fatal(err)
			}
			second := lee()
			if tt.same {
				second = kim()
			}
			before := h.head(t).Seq
			err := tt.then(h, t.Context(), second, n)
			if got := fault.MessageOf(err); got != tt.want || tt.want != "" && !fault.Is(err, fault.CodeConflict) {
				t.Errorf("the second got %v, want %q", err, tt.want)
			}
			if err != nil && h.head(t).Seq != before {
				t.Errorf("a refused request left %v", h.kinds(t, before))
			}
			h.audit(t)
		})
	}
}

// Who may do what: every use case by role and by the scope of a token.
func TestPermissions(t *testing.T) {
	h := newHouse(t, "sqlite")
	integration := h.NewIntegration("rest", "Nagios", "")
	h.change(t, org.Put(integration))
	actors := map[string]people.Actor{
		"admin": actor("ada", "Ada", people.Admin), "member": kim(), "observer": actor("obi", "Obi", people.Observer),
		"nobody": {}, "operator": people.Operator(),
	}
	for _, scope := range people.Permissions {
		token := actors["admin"]
		token.Scopes = []people.Permission{scope}
		actors["admin's token: "+string(scope)] = token
		token = kim()
		token.Scopes = []people.Permission{scope}
		actors["member's token: "+string(scope)] = token
	}
	responds := "admin|member|operator|admin's token: respond|member's token: respond"
	usecases := []struct {
		name string
		do   func(context.Context, people.Actor, id.Incident) error
		may  string
	}{
		{"acknowledge", func(ctx context.Context, a people.Actor, n id.Incident) error {
			_, err := h.Acknowledge(ctx, a, n)
			return err
		}, responds},
		{"un-acknowledge", func(ctx context.Context, a people.Actor, n id.Incident) error {
			_, err := h.Unacknowledge(ctx, a, n)
			return err
		}, responds},
		{"resolve", func(ctx context.Context, a people.Actor, n id.Incident) error {
			_, err := h.Resolve(ctx, a, n)
			return err
		}, responds},
		{"snooze", func(ctx context.Context, a people.Actor, n id.Incident) error {
			_, err := h.Snooze(ctx, a, n, h.clock.read().Add(time.Hour))
			return err
		}, responds},
		{"reroute", func(ctx context.Context, a people.Actor, n id.Incident) error {
			_, err := h.RerouteToPolicy(ctx, a, n, "p2")
			return err
		}, responds},
		{"reroute to person", func(ctx context.Context, a people.Actor, n id.Incident) error {
			_, err := h.RerouteToUser(ctx, a, n, "lee")
			return err
		}, responds},
		{"add responder", func(ctx context.Context, a people.Actor, n id.Incident) error {
			_, err := h.AddResponders(ctx, a, n, "lee")
			return err
		}, responds},
		{"note", func(ctx context.Context, a people.Actor, n id.Incident) error {
			_, err := h.AddNote(ctx, a, n, "hello")
			return err
		}, responds},
		{"post", func(ctx context.Context, a people.Actor, n id.Incident) error { return h.Post(ctx, a, n, "hello") },
			"admin|member|operator|admin's token: talk|member's token: talk"},
		{"change the organisation", func(ctx context.Context, a people.Actor, _ id.Incident) error {
			_, err := h.ChangeOrg(ctx, a, func(*org.Org) ([]org.Change, error) { return nil, nil })
			return err
		}, "admin|operator|admin's token: manage"},
		{"read an integration key", func(_ context.Context, a people.Actor, _ id.Incident) error {
			_, err := h.IntegrationKey(a, integration)
			return err
		}, "admin|operator|admin's token: integrate"},
		{"edit oneself", func(ctx context.Context, a people.Actor, _ id.Incident) error {
			return h.EditSelf(ctx, a, func(u people.User) people.User { return u })
		}, "admin|member|observer|admin's token: own_self|member's token: own_self"},
	}
	for _, u := range usecases {
		for name, who := range actors {
			n := h.open(t, "disk/"+u.name+"/"+name).ID
			before := h.head(t).Seq
			err := u.do(t.Context(), who, n)
			may := false
			for allowed := range strings.SplitSeq(u.may, "|") {
				may = may || allowed == name
			}
			if forbidden := fault.Is(err, fault.CodeForbidden); forbidden == may {
				t.Errorf("%s by %s = %v, want allowed: %t", u.name, name, err, may)
			}
			if !may && h.head(t).Seq != before {
				t.Errorf("%s by %s was forbidden and left %v", u.name, name, h.kinds(t, before))
			}
		}
	}
	h.audit(t)
}

// Wrong input gets a precise answer and changes nothing.
func TestActionsRefuse(t *testing.T) {
	h := newHouse(t, "sqlite")
	n := h.open(t, "disk").ID
	ctx, now := t.Context(), h.clock.read()
	tests := []struct {
		intent string
		do     func() error
		code   fault.Code
		field  string
	}{
		{"no such incident", func() error { _, err := h.Acknowledge(ctx, kim(), 99); return err }, fault.CodeNotFound, ""},
		{"a line about no incident there is", func() error { return h.Post(ctx, kim(), 99, "hello") }, fault.CodeNotFound, ""},
		{"a snooze into the past", func() error { _, err := h.Snooze(ctx, kim(), n, now.Add(-time.Hour)); return err }, fault.CodeInvalid, "until"},
		{"a snooze that ends at once", func() error { _, err := h.Snooze(ctx, kim(), n, now.Add(59*time.Second)); return err }, fault.CodeInvalid, "until"},
		{"a snooze for weeks", func() error { _, err := h.Snooze(ctx, kim(), n, now.Add(7*24*time.Hour+2*time.Minute)); return err }, fault.CodeInvalid, "until"},
		{"no such policy", func() error { _, err := h.RerouteToPolicy(ctx, kim(), n, "p9"); return err }, fault.CodeInvalid, "policy"},
		{"no such person", func() error { _, err := h.RerouteToUser(ctx, kim(), n, "zoe"); return err }, fault.CodeInvalid, "user"},
		{"a disabled person", func() error { _, err := h.RerouteToUser(ctx, kim(), n, "max"); return err }, fault.CodeInvalid, "user"},
		{"no responders", func() error { _, err := h.AddResponders(ctx, kim(), n); return err }, fault.CodeInvalid, "users"},
		{"a responder who cannot be reached", func() error { _, err := h.AddResponders(ctx, kim(), n, "lee", "ann"); return err }, fault.CodeInvalid, "users"},
		{"a disabled responder", func() error { _, err := h.AddResponders(ctx, kim(), n, "max"); return err }, fault.CodeInvalid, "user"},
		{"an empty note", func() error { _, err := h.AddNote(ctx, kim(), n, " \n\x00"); return err }, fault.CodeInvalid, "text"},
		{"an endless note", func() error { _, err := h.AddNote(ctx, kim(), n, strings.Repeat("ä", MaxText+1)); return err }, fault.CodeInvalid, "text"},
		{"an empty line", func() error { return h.Post(ctx, kim(), 0, "") }, fault.CodeInvalid, "text"},
	}
	before := h.head(t)
	for _, tt := range tests {
		err := tt.do()
		var field string
		if f, ok := asFault(err); ok {
			field = f.Field
		}
		if !fault.Is(err, tt.code) || field != tt.field || fault.MessageOf(err) == "" {
			t.Errorf("%s: %v, want %s in %q with a sentence", tt.intent, err, tt.code, tt.field)
		}
	}
	if diff := cmp.Diff(before, h.head(t)); diff != "" {
		t.Errorf("refused requests changed something:\n%s", diff)
	}
}

// What people type is kept on both engines: any script, and without the bytes
// that PostgreSQL cannot keep.
func TestTextIsKept(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		n := h.open(t, "disk").ID
		if err := h.Post(t.Context(), kim(), n, "  火災 \x00ä\xff\n"); err != nil {
			t.Fatal(err)
		}
		all := h.entries(t, store.EntryFilter{Incident: n, Kinds: []timeline.Kind{timeline.MessagePosted}})
		if len(all) != 1 || !cmp.Equal(all[0].Payload, timeline.Message{Text: "火災 ä\uFFFD"}) || all[0].Team != "dba" || all[0].Person != "kim" {
			t.Errorf("the line is kept as %+v", all)
		}
	})
}

// Asking the same person twice at once is asking once: the planner makes one
// page for each contact method of each person that the entry names.
func TestResponderTwice(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		n := h.open(t, "disk").ID
		seq := h.head(t).Seq
		inc, err := h.AddResponders(t.Context(), kim(), n, "lee", "lee")
		if err != nil || len(inc.Responders) != 1 {
			t.Fatalf("AddResponders() = %v, %v, want Lee", inc.Responders, err)
		}
		want := timeline.Responder{Users: []id.User{"lee"}, Names: []string{"Lee"}}
		if got := h.entries(t, store.EntryFilter{After: seq}); len(got) != 1 || !cmp.Equal(got[0].Payload, timeline.Payload(want)) {
			t.Errorf("the timeline tells %+v, want %+v", got, want)
		}
	})
}
