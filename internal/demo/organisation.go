// Package demo makes up an organisation at work: people, rotas, an eventful
// past, and alerts and colleagues that keep coming at a human pace. It goes
// through the same use cases as everybody else and knows no short cuts.
package demo

import (
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
)

// Password signs in everybody in the demo; it guards nothing.
const Password = "watchroom-demo"

// Name is the organisation's.
const Name = "Harbour Lights"

// person is a made-up colleague.
type person struct {
	username, name, zone string
	role                 people.Role
}

var staff = []person{
	{"ada", "Ada Winter", "Europe/Berlin", people.Admin},
	{"kim", "Kim Okafor", "Europe/London", people.Member},
	{"noor", "Noor Haddad", "Europe/Lisbon", people.Member},
	{"jonas", "Jonas Lindqvist", "Europe/Stockholm", people.Member},
	{"mei", "Mei Tanaka", "Asia/Tokyo", people.Member},
	{"rafael", "Rafael Souza", "America/Sao_Paulo", people.Member},
	{"priya", "Priya Raman", "Asia/Kolkata", people.Member},
	{"olga", "Olga Petrova", "Europe/Helsinki", people.Observer},
}

func userID(username string) id.User { return id.User("demo-" + username) }

func contact(username string) id.Contact { return id.Contact("demo-mail-" + username) }

// Address is where the demo mails a person.
func Address(username string) string { return username + "@harbour-lights.example" }

func users(names ...string) []id.User {
	var all []id.User
	for _, n := range names {
		all = append(all, userID(n))
	}
	return all
}

// organisation is what an administrator of this house would have set up.
func organisation(now time.Time, door routing.Integration) []org.Change {
	var all []org.Change
	for _, p := range staff {
		all = append(all, org.Put(people.User{
			ID: userID(p.username), Username: p.username, Name: p.name, Email: Address(p.username), Role: p.role, Zone: p.zone,
			Contacts: contacts(p.username, now), Paging: paging(p.username),
			Reminders: []people.Reminder{people.ShiftStart, people.HandOver},
			Chat:      people.ChatSettings{Greeted: now.AddDate(0, 0, -19)},
		}))
	}
	for _, t := range []people.Team{
		{ID: "demo-platform", Slug: "platform", Name: "Platform", Members: users("ada", "kim", "jonas", "mei")},
		{ID: "demo-payments", Slug: "payments", Name: "Payments", Members: users("noor", "rafael", "priya")},
		{ID: "demo-search", Slug: "search", Name: "Search", Members: users("mei", "priya", "jonas", "rafael")},
	} {
		all = append(all, org.Put(t))
	}
	for _, r := range rotations(now) {
		all = append(all, org.Put(r))
	}
	for _, p := range policies() {
		all = append(all, org.Put(p))
	}
	for key, p := range map[string]id.Policy{
		"database": "demo-policy-platform", "web": "demo-policy-platform", "payments": "demo-policy-payments", "search": "demo-policy-search",
	} {
		all = append(all, org.Put(routing.Key{ID: id.RoutingKey("demo-key-" + key), Name: key, Policy: p}))
	}
	return append(all, org.Put(door), org.Put(org.Settings{
		Name: Name, DefaultPolicy: "demo-policy-platform", WarningsOpen: true, SnoozeMorningAt: "09:00", Rules: rules,
	}))
}
