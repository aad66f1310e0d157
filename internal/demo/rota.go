package demo

import (
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/people"
)

// The rotations.
const (
	platformRota = id.Rotation("demo-rota-platform")
	paymentsRota = id.Rotation("demo-rota-payments")
	searchRota   = id.Rotation("demo-rota-search")
)

var workdays = []oncall.Weekday{oncall.Monday, oncall.Tuesday, oncall.Wednesday, oncall.Thursday, oncall.Friday}

// rotations are three kinds of rotas: office hours beside nights and weekends,
// one line round the clock, and two halves of the day on two sides of the world.
// They begin on a Monday four weeks ago, so that the same people are on duty
// whichever day of the week it is.
func rotations(now time.Time) []oncall.Rotation {
	monday := now.AddDate(0, 0, -28-(int(now.Weekday())+6)%7).Format(time.DateOnly)
	weekly := func(name, at string, hours []oncall.Restriction, names ...string) oncall.Layer {
		return oncall.Layer{Name: name, Members: users(names...), Every: 1, Unit: oncall.Weeks, HandoffAt: at, Start: monday, Restrictions: hours}
	}
	return []oncall.Rotation{
		{ID: platformRota, Name: "Platform primary", Team: "demo-platform", Zone: "Europe/Berlin", Layers: []oncall.Layer{
			weekly("Working hours", "08:00", []oncall.Restriction{{Days: workdays, From: "08:00", To: "18:00"}}, "kim", "jonas", "ada"),
			weekly("Nights and weekends", "08:00", []oncall.Restriction{
				{Days: workdays[:4], From: "18:00", To: "08:00"},
				{Days: workdays[4:], From: "18:00", Until: oncall.Monday, To: "08:00"},
			}, "jonas", "ada", "kim"),
		}},
		{ID: paymentsRota, Name: "Payments primary", Team: "demo-payments", Zone: "America/Sao_Paulo", Layers: []oncall.Layer{
			{Name: "Primary", Members: users("noor", "rafael", "priya"), Every: 2, Unit: oncall.Days, HandoffAt: "09:00", Start: monday},
		}},
		{ID: searchRota, Name: "Search follow-the-sun", Team: "demo-search", Zone: "Asia/Tokyo", Layers: []oncall.Layer{
			weekly("Tokyo day", "09:00", []oncall.Restriction{{From: "09:00", To: "21:00"}}, "mei", "priya"),
			weekly("Tokyo night", "21:00", []oncall.Restriction{{From: "21:00", To: "09:00"}}, "jonas", "rafael"),
		}},
	}
}

func policies() []escalation.Policy {
	minutes := func(n int) escalation.Duration { return escalation.Duration(time.Duration(n) * time.Minute) }
	onCall := func(r id.Rotation) escalation.Target { return escalation.Target{Rotation: r} }
	return []escalation.Policy{
		{
			ID: "demo-policy-platform", Slug: "platform", Name: "Platform", Team: "demo-platform", Repeat: 2, RepeatAfter: minutes(5),
			Steps: []escalation.Step{
				{Targets: []escalation.Target{onCall(platformRota)}},
				{After: minutes(5), Targets: []escalation.Target{{Rotation: platformRota, Pick: escalation.PickNext}}},
				{After: minutes(5), Targets: []escalation.Target{{Team: "demo-platform"}}},
			},
			LastResort: []escalation.Target{{User: userID(Admin)}}, RepageAfter: minutes(4 * 60),
		},
		{
			ID: "demo-policy-payments", Slug: "payments", Name: "Payments", Team: "demo-payments", Repeat: 2, RepeatAfter: minutes(5),
			Steps: []escalation.Step{
				{Targets: []escalation.Target{onCall(paymentsRota)}},
				{After: minutes(5), Targets: []escalation.Target{{User: userID("noor")}, onCall(platformRota)}},
			},
		},
		{
			ID: "demo-policy-search", Slug: "search", Name: "Search", Team: "demo-search", Repeat: 1, RepeatAfter: minutes(15),
			Steps: []escalation.Step{
				{Targets: []escalation.Target{onCall(searchRota)}},
				{After: minutes(10), Targets: []escalation.Target{{Team: "demo-search"}}, Notify: escalation.RoundRobin, LowWaits: true},
			},
			Hours: escalation.Hours{Zone: "Asia/Tokyo", Windows: []people.PagingWindow{
				{Days: []people.Day{"mon", "tue", "wed", "thu", "fri"}, From: "09:00", To: "18:00"},
			}},
		},
	}
}

// contacts are a person's. Of all there is only the mail is used: the demo has
// a mail server of its own, and reaches nobody outside.
func contacts(username string, now time.Time) []people.Contact {
	proven := now.AddDate(0, 0, -19).UTC().Truncate(time.Second)
	work := people.Contact{ID: contact(username), Method: people.Email, Label: "Work", Address: Address(username)}
	if username == "olga" { // has not used the invitation's link yet
		work.VerifiedAt, work.Proof, work.VouchedBy = proven, people.ByAdmin, userID(Admin)
		return []people.Contact{work}
	}
	all := []people.Contact{work.Proven(people.ByLink, proven)}
	if username != Admin {
		return all
	}
	return append(all,
		people.Contact{ID: "demo-sms-ada", Method: people.SMS, Label: "Phone (switched off in the demo)", Address: "+447700900123", Off: true, VerifiedAt: proven},
		people.Contact{
			ID: "demo-ntfy-ada", Method: people.Ntfy, Label: "Tablet (switched off in the demo)",
			Address: "https://ntfy.harbour-lights.example/ada-7c1fe2", Off: true, VerifiedAt: proven.Add(2 * time.Minute),
		},
	)
}

// paging is how a person wants to be reached; nil: by everything at once.
func paging(username string) *people.PagingPolicy {
	if username != Admin {
		return nil
	}
	mail := []id.Contact{contact(username)}
	return &people.PagingPolicy{Rules: []people.PagingRule{
		{
			Name: "Urgent", Urgency: people.High, Again: people.Duration(10 * time.Minute),
			Steps: []people.PagingStep{{Contacts: mail}, {After: people.Duration(2 * time.Minute), Contacts: mail}},
		},
		{Name: "Can wait", Urgency: people.Low, Steps: []people.PagingStep{{Contacts: mail}}},
	}}
}
