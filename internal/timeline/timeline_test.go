package timeline

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
)

// samples has one payload of each kind with every field set. What they look
// like in storage is in testdata and never changes: rows that were written
// years ago must still be read. A new field is added to both; an old one stays.
func samples() []Payload {
	until := time.Date(2026, 11, 22, 9, 30, 0, 123456000, time.UTC)
	since := until.Add(-time.Hour)
	cover := Cover{
		Override: "o1", Rotation: "r1", RotationName: "Primary", User: "u1", Name: "Kim", By: "u2", ByName: "Lee", Start: since, End: until, Note: "dentist",
	}
	absence := Absence{Absence: "a1", User: "u1", Name: "Kim", Start: since, End: until, Note: "leave"}
	page := PageState{
		Delivery: 5, User: "u1", Name: "Kim", Method: "email", Address: "kim@example.org", Attempt: 2, Bundled: 7, Detail: "451 try again later",
	}
	file := File{ID: "f1", Name: "graph.png", Type: "image/png", Size: 2048, Width: 640, Height: 480}
	half := 50
	doc := Document{Status: StatusGood, Progress: &half, Blocks: []Block{
		{Text: "done"}, {Code: &Code{Language: "go", Text: "x"}}, {Table: &Table{Head: []string{"a"}, Rows: [][]string{{"1"}}}},
		{List: []string{"one"}}, {Fields: []Field{{Name: "host", Value: "db01"}}}, {Image: &Image{Address: "/files/f1", Alt: "graph"}}, {File: &file},
		{Actions: []Action{{Label: "Acknowledge", Line: "ack 42", URL: "/incidents/42", Token: "t1", Style: "primary"}}},
	}}
	return []Payload{
		AlertBody{
			Alert: 9, Type: "info", EntityID: "disk/db01", Title: "Disk of db01", Message: "checked", Tool: "nagios",
			RoutingKey: "database", Why: "info", Window: "Move of the racks", Until: until,
		},
		Triggered{
			Alert: 9, Severity: "critical", EntityID: "disk/db01", Title: "Disk of db01", Message: "93% full", Tool: "nagios", Host: "db01",
			RoutingKey: "database", Policy: "p1", Version: 3, PolicyName: "Database", Default: true, Urgency: "low", Turn: 4,
		},
		Updated{Alert: 10, Severity: "warning", Title: "Disk of db01", Message: "91% full", Count: 2},
		Retriggered{Alert: 11, Severity: "critical", Title: "Disk of db01", Message: "97% full", Count: 3},
		Acknowledged{Message: "on it", Acked: 2, Of: 2, Until: until},
		Unacknowledged{},
		Resolved{Message: "12% full"},
		Snoozed{Until: until},
		SnoozeOver{},
		Rerouted{Policy: "p2", Version: 4, PolicyName: "Network", User: "u2", UserName: "Lee", Urgency: "low", Turn: 4},
		Responder{Users: []id.User{"u1", "u2"}, Names: []string{"Kim", "Lee"}, PolicyName: "Network"},
		Noted{Text: "the log is rotated now"},
		Step{
			Step: 1, Round: 2, Users: []id.User{"u1", "u2"}, Names: []string{"Kim", "Lee"}, PolicyName: "Database",
			Why:        []string{"You are on call in Primary.", "You are in the team Databases.", "Ann cannot be reached"},
			LastResort: true, AckAll: true, EveryMethod: true, Urgency: "low",
		},
		Skipped{Step: 2, Round: 1, PolicyName: "Database", Why: "nobody is on call", LastResort: true},
		Exhausted{PolicyName: "Database", Why: "nobody_acknowledged"},
		page,
		PageRetry(page),
		PageLost(page),
		Message{
			Text: "is anybody looking?", Files: []File{file}, Mentions: []id.User{"u2"}, Everybody: true, Quote: 3, Invocation: "i1", Doc: &doc, Scopes: []string{"talk"}, ProvenAt: since,
			Deleted: true, EditedAt: since, Edits: 2, Reactions: []ReactionSum{{Emoji: "👍", Users: []id.User{"u1"}}},
			PinnedAt: since, Replies: 4, RepliedAt: until, Incidents: []id.Incident{42},
		},
		Change{Object: "rotation", ID: "r1", Name: "Primary", Action: "changed", Fields: []string{"layers", "zone"}},
		PartAcknowledged{Message: "on it", Acked: 1, Of: 2, Waiting: []id.User{"u2"}},
		AckLapsed{User: "u1", Name: "Kim", Since: since},
		Told{
			Step: 3, Round: 1, PolicyName: "Database", Webhooks: []string{"status page"}, Emails: []string{"noc@example.org"},
			Rooms: []string{"#ops"}, LastResort: true, Alone: true, Why: "Ann cannot be reached",
		},
		Waits{Step: 1, Round: 1, PolicyName: "Database", Until: until},
		HandedOver{Step: 2, Round: 1, From: "Database", Policy: "p2", Version: 4, PolicyName: "Network", Urgency: "high", Turn: 7},
		PageArrived(page),
		PageReply{Delivery: 5, User: "u1", Name: "Kim", Method: "sms", Answer: "acknowledge", Text: "ack 42"},
		MovedOn{Delivery: 5, User: "u1", Name: "Kim", Method: "sms", NextMethod: "voice", Why: "not delivered within 2m"},
		Held{User: "u1", Name: "Kim", Method: "sms", Count: 7, Until: until},
		Shift{
			Rotation: "r1", RotationName: "Primary", Layer: 1, LayerName: "nights", From: "u1", FromName: "Kim", To: "u2", ToName: "Lee",
			Override: true, Until: until,
		},
		Taken(cover), HandedBack(cover), Overridden(cover), OverrideGone(cover),
		Swap{
			Swap: "s1", Rotation: "r1", RotationName: "Primary", From: "u1", FromName: "Kim", To: "u2", ToName: "Lee",
			Start: since, End: until, Note: "my sister marries",
		},
		SwapAnswer{
			Swap: "s1", Rotation: "r1", RotationName: "Primary", From: "u1", FromName: "Kim", To: "u2", ToName: "Lee",
			Start: since, End: until, Accepted: true, Note: "with joy",
		},
		absence, AbsenceGone(absence),
		Uncovered{Problem: "gap:r1:1", Object: "rotation Primary", Text: "nobody is on call", Start: since, End: until},
		Covered{Problem: "gap:r1:1", Object: "rotation Primary", Text: "nobody is on call"},
		Maintenance{Maintenance: "m1", Name: "Move of the racks", Scope: "routing key network", Until: until},
		MaintenanceOver{Maintenance: "m1", Name: "Move of the racks", Held: 3},
		Silence{Heartbeat: "h1", Name: "backup", LastAt: since, DueAt: until},
		Beat{Heartbeat: "h1", Name: "backup", LastAt: since},
		Drill{Drill: "d1", Name: "Friday", Users: []id.User{"u1", "u2"}, Names: []string{"Kim", "Lee"}},
		DrillOver{Drill: "d1", Name: "Friday", Answered: 1, Asked: 2},
		Edit{Of: 7, Text: "db01 is fine", Mentions: []id.User{"u2"}, Doc: &doc, Calls: []id.User{"u2"}, Here: true},
		Deletion{Of: 7, Author: "Lee"},
		Link{Of: 7, Text: "the disk is full", Author: "Lee", Room: "r1"},
		Pin{Of: 7, Text: "runbook"}, Unpin{Of: 7, Text: "runbook"},
		Reaction{Of: 7, Emoji: "👍"}, ReactionGone{Of: 7, Emoji: "👍"},
		RoomMade{Room: "r1", Name: "ops", What: "public"},
		RoomChange{Room: "r1", Name: "ops", Fields: []string{"topic"}, Topic: "deploys", Joined: []string{"Kim"}, Left: []string{"Lee"}},
		RoomEnd{Room: "r1", Name: "ops", What: "public"},
		Asked{ID: "i1", Command: "deploy.run", Line: "deploy run shop", State: "awaiting_approval", Rule: "require approval(release)", Why: "production", Short: "7kq2"},
		Approval{ID: "i1", Command: "deploy.run", Line: "deploy run shop", By: "u2", Got: 1, Of: 2},
		Rejection{ID: "i1", Command: "deploy.run", Line: "deploy run shop", Reason: "not on Friday", Expired: true},
		Finished{ID: "i1", Command: "deploy.run", Line: "deploy run shop", State: "failed", For: 1200, Why: "exit 3", Rule: "allow role:member"},
		Lock{Name: "deploy/shop", Reason: "freeze", Until: until, ID: "i1"},
		Unlock{Name: "deploy/shop", Owner: "Lee"},
		Removal{Messages: 1200, Entries: 40, Incidents: 12, Alerts: 90, Files: 3, Bytes: 4096, Deliveries: 33, Outputs: 5, Commands: 6, Events: 44},
	}
}

func TestStoredFormNeverChanges(t *testing.T) {
	for _, p := range samples() {
		t.Run(string(p.Kind()), func(t *testing.T) {
			stored, err := os.ReadFile(filepath.Join("testdata", string(p.Kind())+".json"))
			if err != nil {
				t.Fatal(err)
			}
			read, err := Decode(p.Kind(), stored)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(p, read); diff != "" {
				t.Errorf("what was stored is read as something else (-want +got):\n%s", diff)
			}
			written, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimSpace(string(stored)), string(written)); diff != "" {
				t.Errorf("it is written as something else (-want +got):\n%s", diff)
			}
		})
	}
}

// A sample that leaves a field out would not notice when its name changes.
func TestSamplesAreFull(t *testing.T) {
	for _, p := range samples() {
		v := reflect.ValueOf(p)
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("the sample of %s has no %s", p.Kind(), v.Type().Field(i).Name)
			}
		}
	}
}

func TestEveryKindHasASampleAndAFile(t *testing.T) {
	var got []Kind
	for _, p := range samples() {
		got = append(got, p.Kind())
	}
	if diff := cmp.Diff(Kinds, got); diff != "" {
		t.Errorf("samples, in the order of Kinds (-want +got):\n%s", diff)
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if kind := Kind(strings.TrimSuffix(filepath.Base(f), ".json")); !slices.Contains(Kinds, kind) {
			t.Errorf("%s is of no kind that exists: a kind that was stored must stay", f)
		}
	}
}

func TestKindsIsComplete(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "timeline.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []Kind
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			spec := s.(*ast.ValueSpec)
			if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "Kind" {
				continue
			}
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			declared = append(declared, Kind(text))
		}
	}
	if diff := cmp.Diff(declared, Kinds); diff != "" {
		t.Errorf("Kinds differs from the constants (-declared +listed):\n%s", diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, tt := range []struct {
		kind Kind
		data string
		want string
	}{
		{"incident_exploded", `{}`, `unknown kind "incident_exploded"`},
		{"", `{}`, `unknown kind ""`},
		{NoteAdded, `{"text":`, "payload of note_added"},
		{NoteAdded, `{"text":5}`, "payload of note_added"},
		{IncidentSnoozed, `{"until":"tomorrow"}`, "payload of incident_snoozed"},
	} {
		if p, err := Decode(tt.kind, []byte(tt.data)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Decode(%q, %s) = %v, %v, want … %s …", tt.kind, tt.data, p, err, tt.want)
		}
	}
}

// A newer node may have written a field that this one does not know.
func TestDecodeLeavesOutWhatItDoesNotKnow(t *testing.T) {
	p, err := Decode(NoteAdded, []byte(`{"text":"hello","colour":"red"}`))
	if err != nil || p != (Noted{Text: "hello"}) {
		t.Errorf("Decode() = %v, %v, want the fields it knows", p, err)
	}
}
