package view

import (
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

// The invented organisation that the gallery and the tests draw.

func sampleNow() time.Time { return time.Now().Truncate(time.Minute) }

func ago(d time.Duration) time.Time { return sampleNow().Add(-d) }

func sampleViewer() Viewer {
	return Viewer{
		ID: "u-kim", Name: "Kim Sørensen", Username: "kim", Role: "admin", OrgName: "Harbour Light",
		Can: func(string) bool { return true }, Demo: true,
	}
}

func samplePage(title, nav string) Page {
	return Page{Title: title, Nav: nav, Viewer: sampleViewer(), Triggered: 2}
}

func sampleNames() Names { return Names{} }

func sampleIncidents() Incidents {
	db := Incident{
		Number: 142, Seq: 900, State: "triggered", Severity: "critical", Title: "Disk 93% full on db01",
		Message: "/var/lib/postgresql has 14 GiB left and grows by 2 GiB an hour; WAL archiving to backup02 has been failing since 13:58.",
		Host:    "db01.fra", Tool: "Prometheus", RoutingKey: "database", Team: "Storage", AlertCount: 7, Notes: 2,
		EntityID: "disk/db01/var/lib/postgresql", TriggeredAt: ago(9 * time.Minute), LastAlertAt: ago(40 * time.Second),
		Paging: Paging{Policy: "Database", People: []string{"Ana Ruiz"}, Step: 1, Steps: 3, Round: 1, NextAt: sampleNow().Add(4*time.Minute + 12*time.Second)},
	}
	api := Incident{
		Number: 141, Seq: 900, State: "triggered", Severity: "warning", Title: "p99 latency of checkout above 1.5 s for 10 minutes",
		Tool: "Grafana", RoutingKey: "shop", Team: "Shop", AlertCount: 1, EntityID: "latency/checkout",
		TriggeredAt: ago(26 * time.Minute), LastAlertAt: ago(26 * time.Minute),
		Paging: Paging{Policy: "Shop", People: []string{"Bo Lindqvist", "Chidi Okafor"}, Step: 2, Steps: 2, Round: 1, NextAt: sampleNow().Add(95 * time.Second), Failed: 1},
	}
	lost := Incident{
		Number: 139, State: "triggered", Severity: "critical", Title: "Certificate of mail.example.org expires in 2 days",
		Tool: "blackbox", AlertCount: 3, EntityID: "cert/mail", TriggeredAt: ago(3 * time.Hour), LastAlertAt: ago(time.Hour),
		Paging: Paging{Exhausted: true, Steps: 2, Step: 2},
	}
	acked := Incident{
		Number: 138, State: "acknowledged", Severity: "critical", Title: "queue depth of mailer is 48,211", Host: "mq02", Tool: "Zabbix",
		RoutingKey: "platform", Team: "Platform", AlertCount: 31, EntityID: "queue/mailer", TriggeredAt: ago(70 * time.Minute),
		LastAlertAt: ago(2 * time.Minute), AckedBy: "Kim Sørensen", AckedAt: ago(64 * time.Minute),
	}
	snoozed := acked
	snoozed.Number, snoozed.Title, snoozed.Severity, snoozed.SnoozedUntil = 133, "Backup of wiki is 26 hours old", "warning", sampleNow().Add(15*time.Hour)
	resolved := Incident{
		Number: 137, State: "resolved", Severity: "critical", Title: "edge03 does not answer", Host: "edge03", Tool: "Icinga",
		RoutingKey: "network", Team: "Network", AlertCount: 4, EntityID: "ping/edge03", TriggeredAt: ago(5 * time.Hour), LastAlertAt: ago(4 * time.Hour), ResolvedAt: ago(4 * time.Hour),
	}
	byHand := resolved
	byHand.Number, byHand.ResolvedBy, byHand.Title = 136, "Ana Ruiz", "Replication lag on db02 is 340 s"
	return Incidents{
		Triggered: []Incident{db, api, lost}, Acknowledged: []Incident{acked, snoozed}, Resolved: []Incident{resolved, byHand},
		Counts: Counts{3, 2, 2}, Responders: sampleResponders(),
	}
}

func sampleResponders() Responders {
	return Responders{
		Policies: []Option{{Value: "p1", Label: "Database"}, {Value: "p2", Label: "Network"}, {Value: "p3", Label: "Shop"}},
		People:   []Option{{Value: "u-ana", Label: "Ana Ruiz"}, {Value: "u-bo", Label: "Bo Lindqvist"}, {Value: "u-chidi", Label: "Chidi Okafor"}},
	}
}

func samplePeople() People {
	kim := PersonRow{Name: "Kim Sørensen", Username: "kim", Presence: "online", OnCall: true, You: true}
	ana := PersonRow{Name: "Ana Ruiz", Username: "ana", Presence: "online", OnCall: true}
	bo := PersonRow{Name: "Bo Lindqvist", Username: "bo", Presence: "away"}
	chidi := PersonRow{Name: "Chidi Okafor", Username: "chidi", OnCall: true}
	eva := PersonRow{Name: "Eva van der Berg-Montgomery", Username: "eva", Warning: "No way to page this person"}
	return People{
		Duties: []Duty{
			{Rotation: "Storage days", Team: "Storage", Href: "/oncall", Now: []PersonRow{ana}, Until: sampleNow().Add(5 * time.Hour), Next: []PersonRow{bo}},
			{Rotation: "Shop", Team: "Shop", Href: "/oncall", Now: []PersonRow{chidi}, Until: sampleNow().Add(60 * time.Hour), Next: []PersonRow{eva}},
			{Rotation: "Platform", Team: "Platform", Href: "/oncall", Now: []PersonRow{kim}, Until: sampleNow().Add(29 * time.Hour), Next: []PersonRow{ana}},
			{Rotation: "Network nights", Team: "Network", Href: "/oncall", Until: sampleNow().Add(7 * time.Hour), Next: []PersonRow{bo}},
		},
		All: []PersonRow{ana, bo, chidi, eva, kim, {Name: "Farid", Username: "farid"}, {Name: "Gül Aydın", Username: "gul"}},
	}
}

// sampleEntries tells one night with every kind of entry.
func sampleEntries(count int) []Entry {
	kim := timeline.Actor{User: "u-kim", Name: "Kim Sørensen", Origin: timeline.Browser}
	ana := timeline.Actor{User: "u-ana", Name: "Ana Ruiz", Origin: timeline.Mail}
	tool := timeline.Actor{Name: "Prometheus", Origin: timeline.Monitoring}
	page := timeline.PageState{Delivery: 7, User: "u-ana", Name: "Ana Ruiz", Method: "email", Address: "ana@example.org", Attempt: 1}
	retry, lost := timeline.PageRetry(page), timeline.PageLost(page)
	retry.Attempt, retry.Detail = 2, "451 4.3.0 try again later"
	lost.Name, lost.Attempt, lost.Detail = "Bo Lindqvist", 5, "550 5.1.1 no such user here"
	story := []struct {
		inc   id.Incident
		actor timeline.Actor
		p     timeline.Payload
	}{
		{0, kim, timeline.Change{Object: "rotation", Name: "Storage days", Action: "changed", Fields: []string{"members", "hand-over"}}},
		{0, tool, timeline.AlertBody{Type: "info", Title: "deploy of api 4.2 to production", EntityID: "deploy/api", Message: "by chidi, 14 commits", Why: "info"}},
		{138, tool, timeline.Triggered{Severity: "critical", Title: "queue depth of mailer is 48,211", EntityID: "queue/mailer", Tool: "Zabbix", RoutingKey: "platform", PolicyName: "Platform", Message: "consumers: 0, oldest message 19 minutes"}},
		{138, timeline.Self, timeline.Step{Step: 1, Round: 1, Users: []id.User{"u-kim"}, Names: []string{"Kim Sørensen"}, PolicyName: "Platform", Why: []string{"on call in Platform until Mon 09:00"}}},
		{138, timeline.Self, page},
		{138, kim, timeline.Acknowledged{}},
		{0, kim, timeline.Message{Text: "Restarting the mailer workers, expect duplicate newsletters for a minute.\nGraph: https://grafana.example.org/d/mailer?from=now-1h."}},
		{138, kim, timeline.Noted{Text: "Root cause is the same as #112: the pool was not raised after the migration."}},
		{133, kim, timeline.Snoozed{Until: sampleNow().Add(15 * time.Hour)}},
		{141, tool, timeline.Triggered{Severity: "warning", Title: "p99 latency of checkout above 1.5 s for 10 minutes", EntityID: "latency/checkout", Tool: "Grafana", RoutingKey: "shop", PolicyName: "Shop"}},
		{141, timeline.Self, timeline.Skipped{Step: 1, Round: 1, PolicyName: "Shop", Why: "nobody is on call in Shop nights"}},
		{141, timeline.Self, retry},
		{141, timeline.Self, lost},
		{141, timeline.Self, timeline.Step{Step: 2, Round: 1, Users: []id.User{"u-bo", "u-chidi"}, Names: []string{"Bo Lindqvist", "Chidi Okafor"}, PolicyName: "Shop"}},
		{137, tool, timeline.Resolved{}},
		{136, ana, timeline.Resolved{Message: "primary was vacuuming"}},
		{0, timeline.Actor{User: "u-chidi", Name: "Chidi Okafor", Origin: timeline.Browser}, timeline.Message{Text: "Latency is the new recommender. I can roll it back, two minutes."}},
		{142, tool, timeline.Triggered{Severity: "critical", Title: "Disk 93% full on db01", EntityID: "disk/db01", Tool: "Prometheus", Host: "db01.fra", RoutingKey: "database", PolicyName: "Database", Message: "/var/lib/postgresql has 14 GiB left"}},
		{142, timeline.Self, timeline.Step{Step: 1, Round: 1, Users: []id.User{"u-ana"}, Names: []string{"Ana Ruiz"}, PolicyName: "Database", Why: []string{"on call in Storage days until 18:00"}}},
		{142, timeline.Self, page},
		{142, kim, timeline.Responder{Users: []id.User{"u-bo"}, Names: []string{"Bo Lindqvist"}}},
		{139, timeline.Self, timeline.Exhausted{PolicyName: "Mail", Why: "every step was tried twice"}},
		{142, tool, timeline.Updated{Severity: "critical", Title: "Disk 95% full on db01", Count: 7}},
	}
	var out []Entry
	for i := range count {
		s := story[i%len(story)]
		e := timeline.Entry{
			Seq: id.Seq(i + 1), At: ago(time.Duration(count-i) * 11 * time.Minute), Kind: s.p.Kind(),
			Actor: s.actor, Incident: s.inc, Payload: s.p,
		}
		out = append(out, Describe(e, sampleNames()))
	}
	return out
}

func sampleTimeline(count int) Timeline {
	return Timeline{
		Entries: sampleEntries(count), Older: true, Head: id.Seq(count), CanPost: true,
		Filter: Filter{Teams: []Option{{Value: "t1", Label: "Storage"}, {Value: "t2", Label: "Shop"}}, People: sampleResponders().People},
	}
}

func sampleRoom() Room {
	in := sampleIncidents()
	tl := sampleTimeline(9)
	tl.Incident, tl.Older = 142, false
	raw := `{"message_type":"CRITICAL","entity_id":"disk/db01/var/lib/postgresql","entity_display_name":"Disk 93% full on db01","state_message":"14 GiB left","monitoring_tool":"Prometheus","labels":{"instance":"db01.fra:9100","mountpoint":"/var/lib/postgresql"},"value":93.2}`
	return Room{
		Page: samplePage("#142 Disk 93% full on db01", "incidents"), Card: in.Triggered[0], PolicyHref: "/settings/policies/p1", Options: sampleResponders(),
		Alerts: []AlertRow{
			{ID: 9, At: ago(40 * time.Second), Type: "critical", Title: "Disk 95% full on db01", Message: "10 GiB left", Fields: []Detail{{"instance", "db01.fra:9100"}}, Raw: raw},
			{ID: 8, At: ago(5 * time.Minute), Type: "critical", Title: "Disk 94% full on db01", Raw: raw},
			{ID: 7, At: ago(9 * time.Minute), Type: "warning", Title: "Disk 93% full on db01", Raw: "not json at all"},
		},
		MoreAlerts: 4,
		Annotations: []Annotation{
			{Kind: "link", Title: "Runbook: disk full", Value: "https://wiki.example.org/runbooks/disk-full"},
			{Kind: "note", Title: "Owner", Value: "Storage owns this volume; ask before deleting WAL."},
			{Kind: "image", Title: "Disk usage, last day", Value: "https://grafana.example.org/render/disk.png", Host: "grafana.example.org", Href: "?picture=grafana.example.org"},
		},
		Pages: []Sent{
			{Name: "Ana Ruiz", Method: "sms", Contact: "+4930123456", State: "delivered", At: ago(9 * time.Minute), Tries: 1, Life: []LifePoint{
				{State: "planned", At: ago(9 * time.Minute)}, {State: "accepted", At: ago(9 * time.Minute)}, {State: "delivered", At: ago(8 * time.Minute)},
			}},
			{Name: "Bo Lindqvist", Method: "email", Contact: "bo@example.org", State: "retrying", At: ago(2 * time.Minute), Tries: 2, Detail: "451 4.3.0 try again later",
				Life: []LifePoint{{State: "planned", At: ago(2 * time.Minute)}}, Next: sampleNow().Add(time.Minute)},
			{Name: "Chidi Okafor", Method: "email", Contact: "chidi@example.org", State: "failed", At: ago(2 * time.Minute), Tries: 5, Detail: "550 5.1.1 no such user here",
				Life: []LifePoint{{State: "planned", At: ago(4 * time.Minute)}, {State: "failed", At: ago(2 * time.Minute)}}},
		},
		Why: []Why{
			{Name: "Ana Ruiz", You: true, Verdict: "Ana Ruiz was paged.", Lines: []WhyLine{
				{Kind: "page", At: ago(9 * time.Minute), Text: "Step 1 of the policy Storage paged Ana Ruiz: “You are on call in Storage days.”"},
				{Kind: "message", At: ago(8 * time.Minute), Text: "text message to +4930123456: it arrived"},
			}},
			{Name: "Bo Lindqvist", Verdict: "Bo Lindqvist was not paged: no step has led there so far."},
		},
		Responders: []PersonRow{{Name: "Ana Ruiz", Username: "ana", OnCall: true}, {Name: "Bo Lindqvist", Username: "bo"}},
		Steps: []StepRow{
			{Number: 1, State: "done", At: ago(9 * time.Minute), Targets: []string{"Storage days"}, Note: "Ana Ruiz was paged"},
			{Number: 2, State: "current", At: ago(4 * time.Minute), Targets: []string{"Bo Lindqvist"}, Note: "waiting for an answer"},
			{Number: 3, State: "waiting", At: sampleNow().Add(5 * time.Minute), Targets: []string{"everybody in Storage"}},
		},
		Timeline: tl,
	}
}

func sampleOnCall() OnCall {
	people := samplePeople().All
	o := OnCall{Page: samplePage("On call", "oncall"), At: sampleNow(), CanEdit: true}
	for i, d := range samplePeople().Duties {
		r := RotationNow{Name: d.Rotation, Team: d.Team, Href: "/settings/rotations/x", Zone: "Europe/Oslo", Now: d.Now, Since: ago(time.Hour), Until: d.Until}
		for k := range 4 {
			from := d.Until.Add(time.Duration(k) * 12 * time.Hour)
			s := ShiftRow{From: from, To: from.Add(12 * time.Hour), People: people[(i+k)%5 : (i+k)%5+1]}
			if i == 3 && k == 2 {
				s.People = nil
			}
			r.Next = append(r.Next, s)
		}
		if i == 3 {
			r.Problem = "Nobody is on call for 7 hours, and again on Tuesday."
		}
		o.Rotations = append(o.Rotations, r)
	}
	o.Policies = []PolicyNow{
		{Name: "Database", Href: "#", Keys: []string{"database", "db"}, Steps: []PolicyStepNow{
			{1, "at once", []string{"Storage days"}, people[:1]}, {2, "after 5m", []string{"Bo Lindqvist"}, people[1:2]}, {3, "after 10m", []string{"Team Storage"}, people[:3]},
		}},
		{Name: "Network", Href: "#", Keys: []string{"network"}, Steps: []PolicyStepNow{{1, "at once", []string{"Network nights"}, nil}, {2, "after 5m", []string{"Platform"}, people[4:5]}}},
	}
	return o
}
