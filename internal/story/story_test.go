package story_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/story"
	"github.com/watchroom/watchroom/internal/timeline"
)

var update = flag.Bool("update", false, "write the golden file")

// samples holds every kind at least once, with each branch a sentence can take.
func samples() []timeline.Payload {
	until := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	page := timeline.PageState{Delivery: 7, User: "u1", Name: "Kim Sørensen", Method: "email", Address: "kim@example.org", Attempt: 1}
	retry, lost := page, page
	retry.Attempt, retry.Detail = 2, "451 try again later"
	lost.Attempt, lost.Detail = 5, "550 no such user"
	bundled := page
	bundled.Bundled = 12
	told := timeline.PageState{Delivery: 8, Method: "webhook", Address: "status page", Attempt: 1}
	refused, again := told, told
	refused.Detail = "403 no"
	again.Attempt = 3
	since := until.Add(-20 * time.Hour)
	cover := timeline.Cover{RotationName: "Nights", User: "u1", Name: "Kim", By: "u2", ByName: "Ana Ruiz", Start: since, End: until}
	own := timeline.Cover{RotationName: "Nights", User: "u2", Name: "Ana Ruiz", By: "u1", ByName: "Kim", Start: since, End: until}
	gap := timeline.Cover{RotationName: "Nights", By: "u2", ByName: "Ana Ruiz", Start: since}
	shift := func(to, from id.User, override bool) timeline.Shift {
		return timeline.Shift{RotationName: "Nights", To: to, ToName: "Ana Ruiz", From: from, FromName: "Kim", Override: override}
	}
	return []timeline.Payload{
		timeline.AlertBody{Type: "info", Title: "deploy of api 4.2", Why: "info alerts open no incident"},
		timeline.AlertBody{Type: "recovery", Title: "disk/db01", Why: "nothing_open"},
		timeline.AlertBody{Type: "acknowledgement", Title: "disk/db01", Why: "already_acknowledged"},
		timeline.AlertBody{Type: "strange", Title: "", Why: "x"},
		timeline.Triggered{Severity: "critical", Title: "Disk 93% full on db01", PolicyName: "Database"},
		timeline.Updated{Severity: "critical", Title: "Disk 97% full on db01", Count: 4},
		timeline.Retriggered{Severity: "critical", Title: "Disk 99% full on db01", Count: 9},
		timeline.Acknowledged{},
		timeline.Acknowledged{Message: "on it"},
		timeline.Unacknowledged{},
		timeline.Resolved{},
		timeline.Resolved{Message: "old logs removed"},
		timeline.Snoozed{Until: until},
		timeline.SnoozeOver{},
		timeline.Rerouted{PolicyName: "Platform"},
		timeline.Rerouted{User: "u2", UserName: "Ana Ruiz"},
		timeline.Responder{Users: []id.User{"u2", "u3", "u4"}, Names: []string{"Ana Ruiz", "Bo Lind", "Cy"}},
		timeline.Responder{PolicyName: "Network"},
		timeline.Noted{Text: "Grafana shows the same since 14:00 {1}"},
		timeline.Step{Step: 1, Round: 1, Users: []id.User{"u1"}, Names: []string{"Kim Sørensen"}, PolicyName: "Database"},
		timeline.Step{Step: 2, Round: 2, Users: []id.User{"u1", "u2"}, Names: []string{"Kim Sørensen", "Ana Ruiz"}, PolicyName: "Database"},
		timeline.Skipped{Step: 2, Round: 1, PolicyName: "Database", Why: "nobody is on call in Nights"},
		timeline.Exhausted{PolicyName: "Database", Why: "nobody_acknowledged"},
		timeline.Exhausted{PolicyName: "Database", Why: "no_steps"},
		timeline.Exhausted{Why: "no_policy"},
		page, bundled, timeline.PageRetry(retry), timeline.PageLost(lost), timeline.PageLost(page),
		told, timeline.PageRetry(told), timeline.PageRetry(refused), timeline.PageLost(told), timeline.PageLost(refused), timeline.PageLost(again),
		timeline.Message{Text: "anyone looking at db01?"},
		timeline.Change{Object: "rotation", Name: "Days", Action: "created"},
		timeline.Change{Object: "routing_key", Name: "database", Action: "deleted"},
		timeline.Change{Object: "paging_plan", Name: "x", Action: "renamed"},
		timeline.Acknowledged{Acked: 3, Of: 3},
		timeline.PartAcknowledged{Acked: 1, Of: 3, Waiting: []id.User{"u2", "u3"}},
		timeline.PartAcknowledged{Acked: 2, Of: 3, Waiting: []id.User{"u3"}, Message: "on my way"},
		timeline.AckLapsed{User: "u1", Name: "Kim", Since: since},
		timeline.Step{Step: 3, Round: 2, Users: []id.User{"u2"}, Names: []string{"Ana Ruiz"}, PolicyName: "Database", LastResort: true},
		timeline.Skipped{Step: 3, Round: 2, PolicyName: "Database", Why: "nobody is on call", LastResort: true},
		timeline.Told{Step: 2, Round: 1, PolicyName: "Database", Webhooks: []string{"status page"}, Emails: []string{"noc@example.org"}, Rooms: []string{"#ops"}},
		timeline.Told{Step: 3, Round: 1, PolicyName: "Database", Emails: []string{"cto@example.org"}, LastResort: true, Alone: true},
		timeline.Waits{Step: 1, Round: 1, PolicyName: "Database", Until: until},
		timeline.HandedOver{Step: 2, Round: 1, From: "Database", PolicyName: "Platform"},
		timeline.PageArrived(page),
		timeline.PageReply{User: "u1", Name: "Kim", Method: "sms", Answer: "acknowledge", Text: "ack 42"},
		timeline.PageReply{User: "u1", Name: "Kim", Method: "voice", Answer: "resolve", Text: "6"},
		timeline.PageReply{User: "u1", Name: "Kim", Method: "sms", Text: "who is this?"},
		timeline.MovedOn{User: "u1", Name: "Kim", Method: "sms", NextMethod: "voice", Why: "not delivered within 2m"},
		timeline.MovedOn{User: "u1", Name: "Kim", Method: "voice", Why: "nobody picked up"},
		timeline.Held{User: "u1", Name: "Kim", Count: 7, Until: since.Add(2 * time.Hour)},
		timeline.Held{User: "u1", Name: "Kim", Count: 1, Until: since.Add(2 * time.Hour)},
		timeline.Held{User: "u1", Name: "Kim", Method: "sms", Count: 1, Until: since.Add(2 * time.Hour)},
		timeline.Held{User: "u1", Name: "Kim", Method: "sms", Count: 7, Until: since.Add(2 * time.Hour)},
		shift("u2", "u1", false), shift("u2", "u1", true), shift("", "u1", false), shift("", "u1", true), shift("u2", "", false), shift("u2", "", true),
		timeline.Taken(cover), timeline.Taken(gap), timeline.HandedBack(cover), timeline.HandedBack(gap), timeline.HandedBack(own),
		timeline.Overridden(cover), timeline.Overridden(gap), timeline.OverrideGone(cover), timeline.OverrideGone(gap),
		timeline.Swap{RotationName: "Nights", From: "u1", FromName: "Kim", To: "u2", ToName: "Ana Ruiz", Start: since, End: until},
		timeline.SwapAnswer{RotationName: "Nights", From: "u1", FromName: "Kim", To: "u2", ToName: "Ana Ruiz", Start: since, End: until, Accepted: true},
		timeline.SwapAnswer{RotationName: "Nights", From: "u1", FromName: "Kim", To: "u2", ToName: "Ana Ruiz", Start: since, End: until},
		timeline.Absence{User: "u1", Name: "Kim", Start: since, End: until},
		timeline.AbsenceGone{User: "u1", Name: "Kim", Start: since, End: until},
		timeline.Uncovered{Object: "rotation Nights", Text: "nobody is on call", Start: since, End: until},
		timeline.Uncovered{Object: "policy Database", Text: "it can reach nobody"},
		timeline.Covered{Object: "rotation Nights", Text: "nobody is on call"},
		timeline.Maintenance{Name: "Move of the racks"}, timeline.Maintenance{Name: "Move of the racks", Until: until},
		timeline.MaintenanceOver{Name: "Move of the racks"}, timeline.MaintenanceOver{Name: "Move of the racks", Held: 3},
		timeline.MaintenanceOver{Name: "Move of the racks", Held: 1},
		timeline.Silence{Name: "backup", LastAt: since}, timeline.Silence{Name: "backup"}, timeline.Beat{Name: "backup"},
		timeline.Message{Deleted: true}, timeline.Message{Files: []timeline.File{{Name: "graph.png"}, {Name: "error.log"}}},
		timeline.Edit{Of: 7, Text: "db01 is fine"}, timeline.Deletion{Of: 7}, timeline.Deletion{Of: 7, Author: "Ana Ruiz"},
		timeline.Link{Of: 7, Text: "the disk is full", Author: "Ana Ruiz"}, timeline.Pin{Of: 7, Text: "runbook"}, timeline.Unpin{Of: 7, Text: "runbook"},
		timeline.Reaction{Of: 7, Emoji: "👍"}, timeline.ReactionGone{Of: 7, Emoji: "👍"},
		timeline.RoomMade{Name: "ops", What: "public"}, timeline.RoomMade{What: "group"}, timeline.RoomEnd{Name: "ops"},
		timeline.RoomChange{Name: "ops", Fields: []string{"sigil"}}, timeline.RoomChange{Name: "ops", Topic: "deploys"},
		timeline.RoomChange{Name: "ops", Joined: []string{"Kim Sørensen"}}, timeline.RoomChange{Name: "ops", Left: []string{"Kim Sørensen"}},
		timeline.RoomChange{Name: "ops", Joined: []string{"Ana Ruiz", "Bo"}}, timeline.RoomChange{Name: "ops", Left: []string{"Bo"}},
		timeline.Asked{Line: "deploy run shop", State: "queued"}, timeline.Asked{Line: "deploy run shop", State: "confirming"},
		timeline.Asked{Line: "deploy run shop", State: "awaiting_approval", Short: "7kq2"}, timeline.Asked{Line: "vm delete db01", State: "denied", Why: "it needs an administrator"},
		timeline.Asked{Line: "x", State: "other"}, timeline.Approval{Line: "deploy run shop", Got: 1, Of: 2},
		timeline.Rejection{Line: "deploy run shop"}, timeline.Rejection{Line: "deploy run shop", Reason: "not on Friday"}, timeline.Rejection{Line: "deploy run shop", Expired: true},
		timeline.Finished{Line: "deploy run shop", State: "succeeded"}, timeline.Finished{Line: "deploy run shop", State: "failed"},
		timeline.Finished{Line: "deploy run shop", State: "failed", Why: "exit 3"}, timeline.Finished{Line: "deploy run shop", State: "cancelled"},
		timeline.Finished{Line: "deploy run shop", State: "timed_out"}, timeline.Finished{Line: "deploy run shop", State: "unknown"}, timeline.Finished{Line: "x", State: "other"},
		timeline.Lock{Name: "deploy/shop"}, timeline.Lock{Name: "deploy/shop", Reason: "freeze"}, timeline.Unlock{Name: "deploy/shop"}, timeline.Unlock{Name: "deploy/shop", Owner: "Ana Ruiz"},
		timeline.Removal{Messages: 1200, Incidents: 12, Files: 3, Entries: 40, Alerts: 9, Deliveries: 7, Outputs: 6, Commands: 5, Events: 44},
		timeline.Removal{Messages: 1, Incidents: 1}, timeline.Removal{Files: 1, Entries: 1, Alerts: 1, Deliveries: 1, Outputs: 1, Commands: 1, Events: 1}, timeline.Removal{},
		timeline.Drill{Name: "Friday", Users: []id.User{"u1", "u2"}, Names: []string{"Kim", "Ana Ruiz"}},
		timeline.DrillOver{Name: "Friday", Answered: 1, Asked: 2},
	}
}

func entry(p timeline.Payload) timeline.Entry {
	return timeline.Entry{
		Seq: 1, At: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC), Kind: p.Kind(),
		Actor: timeline.Actor{User: "u1", Name: "kim", Origin: timeline.Browser}, Incident: 42, Person: "u1", Payload: p,
	}
}

func names() story.Names {
	return story.Names{User: func(u id.User) string {
		if u == "u1" {
			return "Kim Sørensen"
		}
		return ""
	}}
}

func TestSentenceOfEveryKind(t *testing.T) {
	var got strings.Builder
	told := map[timeline.Kind]bool{}
	for _, p := range samples() {
		told[p.Kind()] = true
		got.WriteString(string(p.Kind()) + ": " + story.Sentence(entry(p), names()) + "\n")
	}
	for _, kind := range timeline.Kinds {
		if !told[kind] {
			t.Errorf("kind %s has no sample", kind)
		}
	}
	golden := filepath.Join("testdata", "sentences.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("sentences differ from %s (-want +got):\n%s", golden, diff)
	}
	if strings.Contains(got.String(), "story.") {
		t.Errorf("a sentence shows a key instead of a text:\n%s", got.String())
	}
}

func TestActorWithoutName(t *testing.T) {
	for _, origin := range []timeline.Origin{timeline.Browser, timeline.API, timeline.Mail, timeline.Command, timeline.Monitoring, timeline.System} {
		e := entry(timeline.Acknowledged{})
		e.Actor = timeline.Actor{Origin: origin}
		if got := story.Sentence(e, story.Names{}); strings.Contains(got, "story.") {
			t.Errorf("Sentence with actor from %s = %q, want a text", origin, got)
		}
	}
	e := entry(timeline.Resolved{})
	e.Actor = timeline.Actor{Origin: timeline.Monitoring}
	if got, want := story.Sentence(e, story.Names{}), "#42 recovered"; got != want {
		t.Errorf("Sentence of a recovery = %q, want %q", got, want)
	}
}

func TestEntryWithoutPayloadStillSaysSomething(t *testing.T) {
	if got := story.Sentence(timeline.Entry{Kind: "page_sent"}, story.Names{}); got != "page_sent" {
		t.Errorf("Sentence = %q, want the kind", got)
	}
}
