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
		timeline.Message{Text: "anyone looking at db01?"},
		timeline.Change{Object: "rotation", Name: "Days", Action: "created"},
		timeline.Change{Object: "routing_key", Name: "database", Action: "deleted"},
		timeline.Change{Object: "paging_plan", Name: "x", Action: "renamed"},
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
