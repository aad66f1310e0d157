package outbox

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func contact(c id.Contact, address string) people.Contact {
	return people.Contact{ID: c, Method: people.Email, Address: address}
}

func organisation() *org.Org {
	silent := contact("c3", "kim@old.example.org")
	silent.Off = true
	return &org.Org{Users: map[id.User]people.User{
		"kim": {ID: "kim", Name: "Kim", Contacts: []people.Contact{contact("c1", "kim@example.org"), contact("c2", "kim@example.net"), silent}},
		"lee": {ID: "lee", Name: "Lee", Contacts: []people.Contact{contact("c4", "lee@example.org")}},
		"max": {ID: "max", Name: "Max", Disabled: true, Contacts: []people.Contact{contact("c5", "max@example.org")}},
		"ann": {ID: "ann", Name: "Ann"},
	}}
}

func page(key string, kind store.DeliveryKind, u id.User, c id.Contact, address, why string) store.Delivery {
	return store.Delivery{
		Key: key, Kind: kind, DueAt: now, ExpiresAt: now.Add(10 * time.Minute), Incident: 42, Entry: 7, Person: u, Contact: c,
		Body: store.DeliveryBody{Method: "email", Address: address, Why: why},
	}
}

func TestPlan(t *testing.T) {
	tests := []struct {
		intent  string
		payload timeline.Payload
		want    []store.Delivery
	}{
		{"each contact method that is on, with the reason of its person",
			timeline.Step{Users: []id.User{"kim", "lee"}, Why: []string{"You are on call.", "You are in the team."}}, []store.Delivery{
				page("page:42:7:c1", store.StepPage, "kim", "c1", "kim@example.org", "You are on call."),
				page("page:42:7:c2", store.StepPage, "kim", "c2", "kim@example.net", "You are on call."),
				page("page:42:7:c4", store.StepPage, "lee", "c4", "lee@example.org", "You are in the team."),
			}},
		{"what is said about others is nobody's reason",
			timeline.Step{Users: []id.User{"lee"}, Why: []string{"You are on call.", "Ann cannot be reached"}}, []store.Delivery{
				page("page:42:7:c4", store.StepPage, "lee", "c4", "lee@example.org", "You are on call."),
			}},
		{"a responder is asked as long as the incident is open", timeline.Responder{Users: []id.User{"lee"}, Names: []string{"Lee"}}, []store.Delivery{
			page("page:42:7:c4", store.ResponderPage, "lee", "c4", "lee@example.org", ""),
		}},
		{"who was disabled, left or has nothing gets nothing", timeline.Step{Users: []id.User{"max", "gone", "ann"}}, nil},
		{"who is named twice gets one page", timeline.Responder{Users: []id.User{"lee", "lee"}, Names: []string{"Lee", "Lee"}}, []store.Delivery{
			page("page:42:7:c4", store.ResponderPage, "lee", "c4", "lee@example.org", ""),
		}},
		{"a skipped step asks nobody", timeline.Skipped{Step: 1}, nil},
		{"an opened incident asks nobody by itself", timeline.Triggered{Title: "Disk"}, nil},
		{"the fate of a page asks nobody", timeline.PageLost{User: "lee"}, nil},
	}
	for _, tt := range tests {
		e := timeline.Entry{Seq: 7, Incident: 42, Kind: tt.payload.Kind(), Payload: tt.payload}
		got := Plan(e, organisation(), now)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: Plan() (-want +got):\n%s", tt.intent, diff)
		}
		if again := Plan(e, organisation(), now); !cmp.Equal(got, again) {
			t.Errorf("%s: a second plan of the same entry is another", tt.intent)
		}
	}
}

func TestPlanKeysDifferByEntry(t *testing.T) {
	keys := map[string]bool{}
	for seq := range id.Seq(3) {
		for inc := range id.Incident(3) {
			e := timeline.Entry{Seq: seq, Incident: inc, Kind: timeline.StepStarted, Payload: timeline.Step{Users: []id.User{"kim", "lee"}}}
			for _, d := range Plan(e, organisation(), now) {
				if keys[d.Key] {
					t.Errorf("key %s is there twice", d.Key)
				}
				keys[d.Key] = true
			}
		}
	}
}
