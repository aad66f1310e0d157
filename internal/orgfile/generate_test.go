package orgfile

import (
	"slices"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/heartbeat"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/maintenance"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
)

var someHours = escalation.Hours{Zone: "Europe/Berlin", Windows: []people.PagingWindow{
	{Days: []people.Day{"mon", "fri"}, From: "09:00", To: "17:00"}, {Days: []people.Day{"sat"}}, {From: "22:00", To: "06:00"},
}}

func anyPaging(t *rapid.T, contacts []people.Contact) *people.PagingPolicy {
	p := &people.PagingPolicy{}
	for i := range rapid.IntRange(1, 2).Draw(t, "rules") {
		r := people.PagingRule{
			Name: anyName(t, "rule") + strconv.Itoa(i), Urgency: rapid.SampledFrom([]people.Urgency{"", people.High, people.Low}).Draw(t, "urgency"),
			When:  maybe(t, [][]people.PagingWindow{someHours.Windows}, "when"),
			Again: people.Duration(rapid.SampledFrom([]time.Duration{0, 10 * time.Minute}).Draw(t, "again")),
		}
		if r.Urgency == people.Low {
			r.Wait = maybe(t, []people.PagingWait{{At: "08:00"}, {At: "00:30", Days: []people.Day{"mon", "fri"}}}, "wait")
		}
		first := people.PagingStep{Methods: []people.Method{people.WebPush, people.SMS}}
		second := people.PagingStep{After: people.Duration(2 * time.Minute), Contacts: []id.Contact{"01kay8zq4tfs60r2m9c7b5x3hd"}}
		for _, c := range contacts {
			second.Contacts = append(second.Contacts, c.ID)
		}
		r.Steps = []people.PagingStep{first, second}
		p.Rules = append(p.Rules, r)
	}
	return p
}

func anyStep(t *rapid.T, s *escalation.Step, rotations []id.Rotation, policies []id.Policy) {
	for _, r := range pick(t, rotations, "neighbour") {
		s.Targets = append(s.Targets, escalation.Target{Rotation: r, Pick: rapid.SampledFrom([]escalation.Pick{escalation.PickNext, escalation.PickPrevious}).Draw(t, "pick")})
	}
	for _, p := range pick(t, policies, "inner policy") {
		s.Targets = append(s.Targets, escalation.Target{Policy: p}, escalation.Target{Email: "noc@example.org"})
	}
	if rapid.Bool().Draw(t, "told") {
		s.Targets = append(s.Targets, escalation.Target{Webhook: "to: chat"}, escalation.Target{Room: "#ops"})
	}
	s.Notify = rapid.SampledFrom([]escalation.Notify{"", escalation.RoundRobin}).Draw(t, "notify")
	if rapid.Bool().Draw(t, "when") {
		s.When = escalation.When{Severities: []alert.Type{alert.Critical}, Hours: maybe(t, []escalation.Hours{someHours}, "hours")}
	}
}

func anyOptions(t *rapid.T, p *escalation.Policy, users []id.User) {
	p.AckBy = rapid.SampledFrom([]escalation.AckBy{"", escalation.AckByAll}).Draw(t, "ack by")
	p.Urgency = rapid.SampledFrom([]people.Urgency{"", people.High, people.Low}).Draw(t, "urgency")
	p.RepageAfter = escalation.Duration(rapid.SampledFrom([]time.Duration{0, 4 * time.Hour}).Draw(t, "repage"))
	p.IgnorePagingPolicies = rapid.Bool().Draw(t, "every method")
	for _, u := range pick(t, users, "last resort") {
		p.LastResort = append(p.LastResort, escalation.Target{User: u})
	}
	if rapid.Bool().Draw(t, "waits") {
		p.LowWaits, p.Hours = true, someHours
		for i := range p.Steps {
			p.Steps[i].LowWaits = rapid.Bool().Draw(t, "step waits")
		}
	}
	// A last step of one policy would hand over, and then no round may follow.
	if n := len(p.Steps); n > 0 && len(p.Steps[n-1].Targets) == 1 && p.Steps[n-1].Targets[0].Policy != "" {
		p.Repeat = 0
	}
}

func anyQuiet(t *rapid.T, teams []id.Team) []org.Change {
	var changes []org.Change
	for i := range rapid.IntRange(0, 2).Draw(t, "heartbeats") {
		n := strconv.Itoa(i)
		h := heartbeat.Heartbeat{ID: heartbeat.ID("beat" + n), Slug: "no-" + n, Name: "x" + anyName(t, "name"), Team: maybe(t, teams, "team"), RoutingKey: "db", KeyHash: "hash" + n, Paused: rapid.Bool().Draw(t, "paused")}
		if rapid.Bool().Draw(t, "cron") {
			h.Cron, h.Zone = "*/5 3 * * mon", "Europe/Berlin"
		} else {
			h.Every, h.Grace = escalation.Duration(time.Hour), escalation.Duration(90*time.Second)
		}
		changes = append(changes, org.Put(h))
	}
	start := time.Date(2036, 1, 5, 22, 0, 0, 0, time.UTC)
	for i := range rapid.IntRange(0, 3).Draw(t, "windows") {
		w := maintenance.Window{
			ID: maintenance.ID("0window" + strconv.Itoa(i)), Name: rapid.SampledFrom([]string{"Patches", "a: b"}).Draw(t, "window"), Entities: []string{"*", "disk/?"},
			Teams: pick(t, teams, "team"), Start: start, End: start.Add(time.Hour), Note: rapid.SampledFrom([]string{"", " x\ny"}).Draw(t, "note"),
		}
		changes = append(changes, org.Put(w))
	}
	changes = append(changes, org.Put(org.Provider{ID: "hook", Kind: org.Webhook, Name: "to: chat", Secrets: map[string]string{"url": "sealed"}}))
	for i := range rapid.IntRange(0, 2).Draw(t, "providers") {
		changes = append(changes, org.Put(org.Provider{
			ID: id.Provider("provider" + strconv.Itoa(i)), Kind: rapid.SampledFrom([]org.ProviderKind{org.Twilio, org.Gateway}).Draw(t, "kind"), Name: anyName(t, "name") + strconv.Itoa(i),
			Order: i, Settings: map[string]string{"from": "+15005550006", "x": anyName(t, "setting")}, Secrets: map[string]string{"auth_token": "sealed"}, Off: rapid.Bool().Draw(t, "off"),
		}))
	}
	return changes
}

func anyTalk(t *rapid.T, users []id.User) []org.Change {
	var changes []org.Change
	for i := range rapid.IntRange(0, 6).Draw(t, "rooms") {
		n := strconv.Itoa(i)
		members := pick(t, users, "member")
		slices.Sort(members)
		r := room.Room{
			ID: id.Room("room" + n), Kind: []room.Kind{room.Public, room.Private, room.Group}[i%3], Slug: "no-" + n, Name: maybe(t, []string{"a: b", "Ops"}, "title"),
			Topic: rapid.SampledFrom([]string{"", " x\ny", "#1"}).Draw(t, "topic"), Members: slices.Compact(members), Sigil: rapid.SampledFrom([]string{"", ".", "off"}).Draw(t, "sigil"),
			Closed: rapid.Bool().Draw(t, "closed"),
		}
		switch r.Kind {
		case room.Group:
			r.Slug, r.Filed = "", maybe(t, []string{"Ops", "filed"}, "filed")
		case room.Private:
			r.Filed = maybe(t, []string{"filed-" + n}, "filed")
		}
		if r.Kind != room.Public && len(r.Members) == 0 {
			continue
		}
		changes = append(changes, org.Put(r))
		if rapid.Bool().Draw(t, "robot") {
			u := people.User{ID: id.User("robot" + n), Username: "robot-" + n, Name: personName(t, "robot"+n), Role: people.Member, Zone: "UTC", Robot: true}
			changes = append(changes, org.Put(u), org.Put(org.Robot{ID: id.Robot("robot" + n), Name: u.Name, User: u.ID, Room: maybe(t, []id.Room{r.ID}, "room"), KeyHash: "robot" + n, CommandAnnotations: rapid.Bool().Draw(t, "annotations")}))
		}
	}
	return changes
}
