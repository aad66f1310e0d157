package demo

import (
	"encoding/json"
	"strings"

	"github.com/watchroom/watchroom/internal/alert"
)

// trouble is something that breaks, how it looks while it is broken, and what
// colleagues say about it.
type trouble struct {
	alert    alert.Alert
	worse    string   // the message of a later alert
	over     string   // the message of its recovery; "" when only a person resolves it
	chat     []string // in its own record, in order
	thread   []line   // in #ops
	note     string
	severity alert.Type
}

func link(title, url string) alert.Annotation {
	return alert.Annotation{Kind: alert.Link, Title: title, Value: url}
}

func note(title, text string) alert.Annotation {
	return alert.Annotation{Kind: alert.Note, Title: title, Value: text}
}

var troubles = []trouble{
	{
		severity: alert.Critical,
		alert: alert.Alert{
			EntityID: "disk/db01", Title: "Disk almost full on db01", Message: "/var/lib/postgresql is 93 % full, growing 1.2 % an hour",
			Tool: "Alertmanager", Host: "db01.harbour-lights.example", RoutingKey: "database",
			Annotations: []alert.Annotation{
				link("Runbook", "https://runbooks.example/postgres/disk-full"),
				note("Owner", "Platform keeps this volume; ask before resizing."),
			},
		},
		worse: "/var/lib/postgresql is 95 % full, growing 1.4 % an hour", over: "/var/lib/postgresql is 61 % full",
		chat: []string{"WAL archiving stopped at 02:10, that is what fills it", "archive bucket policy changed yesterday, reverting", "archiver is catching up, 40 segments a minute"},
		thread: []line{
			{text: "{n} is mine. @kim did anything change around the archive bucket?"},
			{who: "kim", text: "the policy, yesterday at five. `aws s3api get-bucket-policy` says *deny* for the archiver", reply: true, linked: true, signs: []string{"👀 jonas mei"}},
			{text: "that is it, thank you. Reverting", reply: true, signs: []string{"🙏 kim"}},
		},
		note: "Root cause: the archive bucket refused writes after the policy change. Reverted; follow-up to alert on archive lag.",
	},
	{
		severity: alert.Critical,
		alert: alert.Alert{
			EntityID: "checkout/error-rate", Title: "Checkout error rate 4.8 %", Message: "5xx on POST /checkout above 2 % for 3 minutes. Affected: card payments",
			Tool: "Grafana", Host: "checkout", RoutingKey: "payments",
			Annotations: []alert.Annotation{link("Dashboard", "https://grafana.example/d/checkout"), link("Runbook", "https://runbooks.example/checkout/errors")},
		},
		worse: "5xx on POST /checkout at 6.1 % for 6 minutes. Affected: card payments", over: "5xx on POST /checkout back to 0.1 %",
		chat: []string{"the card provider reports trouble on their status page too", "switching card traffic to the second provider", "error rate is falling"},
		thread: []line{
			{text: "customers see {n}: card payments fail. @priya can you answer support?"},
			{who: "priya", text: "done, and the status page says *investigating*", reply: true, signs: []string{"👍 noor"}},
			{who: "noor", text: "the other provider takes the traffic now, 0.3 % errors and falling", reply: true, linked: true, signs: []string{"🎉 priya rafael"}},
		},
		note: "Provider outage of 11 minutes; fail-over worked after we forced it. Make it automatic.",
	},
	{
		severity: alert.Warning,
		alert: alert.Alert{
			EntityID: "search/latency", Title: "Search p99 latency 1.9 s", Message: "p99 of /search above 1.5 s for 10 minutes",
			Tool: "Prometheus", Host: "search-3", RoutingKey: "search",
			Annotations: []alert.Annotation{link("Dashboard", "https://grafana.example/d/search")},
		},
		over: "p99 of /search is 420 ms",
		chat: []string{"one shard is merging segments", "moved it off search-3, merging at low priority now"},
	},
	{
		severity: alert.Critical,
		alert: alert.Alert{
			EntityID: "k8s/node/worker-7", Title: "Node worker-7 NotReady", Message: "kubelet stopped posting status 2 minutes ago; 23 pods affected",
			Tool: "Alertmanager", Host: "worker-7", RoutingKey: "web",
		},
		over: "worker-7 is Ready",
		chat: []string{"no ping, console shows a kernel panic", "drained and rebooting"},
		thread: []line{
			{text: "looking at {n}, do not touch worker-7 please"},
			{who: "mei", text: "all 23 pods found another node, nobody noticed", reply: true, signs: []string{"🚀 jonas"}},
		},
	},
	{
		severity: alert.Warning,
		alert: alert.Alert{
			EntityID: "cert/www", Title: "Certificate for www expires in 6 days", Message: "Renewal job failed twice: DNS challenge timed out",
			Tool: "Uptime Kuma", Host: "www.harbour-lights.example", RoutingKey: "web",
		},
		over: "Certificate renewed, valid for 90 days",
		chat: []string{"the DNS token was rotated, the job still has the old one"},
	},
	{
		severity: alert.Critical,
		alert: alert.Alert{
			EntityID: "queue/settlements", Title: "Settlement queue is not moving", Message: "12,400 messages waiting, oldest is 19 minutes old, 0 consumers",
			Tool: "Sensu", Host: "mq-2", RoutingKey: "payments",
		},
		worse: "18,900 messages waiting, oldest is 27 minutes old, 0 consumers", over: "queue is empty, 6 consumers",
		chat: []string{"consumers crash-loop since the 14:05 deploy", "rolled back settlements to 4.11", "queue is draining, about 4 minutes to go"},
		thread: []line{
			{text: "{n}: no consumers at all. @rafael was there a deploy?"},
			{who: "rafael", text: "mine, 4.12, an hour ago :grimacing: rolling back", edited: "mine, 4.12, 20 minutes ago :grimacing: rolling back", reply: true, linked: true},
			{who: "noor", text: "no money is lost, it only waits. Take your time", reply: true, signs: []string{"🙏 rafael"}},
		},
		note: "Deploy 4.12 read a config key that exists only in staging.",
	},
	{
		severity: alert.Warning,
		alert: alert.Alert{
			EntityID: "backup/nightly", Title: "Nightly backup took 5 h 12 min", Message: "Expected below 3 h. Size 1.8 TB, 12 % more than last week",
			Tool: "Healthchecks", Host: "backup-1", RoutingKey: "database",
		},
		chat: []string{"not urgent, but the snapshot window is getting tight"},
	},
	{
		severity: alert.Critical,
		alert: alert.Alert{
			EntityID: "api/login", Title: "Login is failing for new sessions", Message: "Synthetic login failed 5 times in a row from 3 locations",
			Tool: "Uptime Kuma", Host: "id.harbour-lights.example", RoutingKey: "no-such-key",
		},
		over: "Synthetic login works from all locations",
		chat: []string{"session store is read-only, primary failed over", "pointed it at the new primary"},
		thread: []line{
			{text: "nobody can sign in, {n}. @@platform who knows the session store?"},
			{who: "jonas", text: "I do. It failed over, and the app still writes to the old primary", reply: true, linked: true, signs: []string{"💡 kim mei"}},
		},
	},
}

var infos = []alert.Alert{
	{Type: alert.Info, EntityID: "deploy/shop", Title: "shop 7.31.0 deployed", Message: "by Jonas, 14 changes", Tool: "CI", RoutingKey: "web"},
	{Type: alert.Info, EntityID: "deploy/settlements", Title: "settlements 4.11.2 deployed", Message: "by Rafael, 3 changes", Tool: "CI", RoutingKey: "payments"},
	{Type: alert.Info, EntityID: "autoscale/web", Title: "web scaled from 8 to 11 instances", Message: "CPU target 60 %", Tool: "autoscaler", RoutingKey: "web"},
}

var smallTalk = []string{
	"handing over search: nothing open, watch the reindex tonight",
	"maintenance of the second uplink is done, traffic is balanced again",
	"reminder: game day on Thursday, 10:00 Berlin",
	"the new runbook for failing over the session store is up",
}

// raw is the body that a sender would have posted.
func raw(a alert.Alert) string {
	body := map[string]any{
		"message_type": strings.ToUpper(string(a.Type)), "entity_id": a.EntityID, "entity_display_name": a.Title,
		"state_message": a.Message, "monitoring_tool": a.Tool,
	}
	if a.Host != "" {
		body["host_name"] = a.Host
	}
	for _, n := range a.Annotations {
		body["vo_annotate."+annotate[n.Kind]+"."+n.Title] = n.Value
	}
	data, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		return ""
	}
	return string(data)
}

var annotate = map[alert.AnnotationKind]string{alert.Link: "u", alert.Note: "s", alert.Image: "i"}
