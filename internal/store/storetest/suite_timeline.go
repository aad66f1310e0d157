package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// samples has one payload of every kind, with every field set that has one.
var samples = []timeline.Payload{
	timeline.AlertBody{Alert: 7, Type: "info", EntityID: "disk/db01", Title: "Ünïcode ✓", Message: "line\nline", Tool: "nagios", RoutingKey: "db", Why: "info"},
	timeline.Triggered{Alert: 7, Severity: "critical", EntityID: "disk/db01", Title: "Disk", Message: "93% full", Tool: "nagios", Host: "db01", RoutingKey: "db", Policy: "p1", Version: 3, PolicyName: "Database", Default: true},
	timeline.Updated{Alert: 8, Severity: "warning", Title: "Disk", Message: "94% full", Count: 2},
	timeline.Retriggered{Alert: 9, Severity: "critical", Title: "Disk", Message: "99% full", Count: 3},
	timeline.Acknowledged{Message: "looking"}, timeline.Unacknowledged{}, timeline.Resolved{Message: "cleaned"},
	timeline.Snoozed{Until: at(60)}, timeline.SnoozeOver{},
	timeline.Rerouted{Policy: "p2", Version: 4, PolicyName: "Network", User: "u2", UserName: "Sam"},
	timeline.Responder{Users: []id.User{"u2"}, Names: []string{"Sam"}, PolicyName: "Network"},
	timeline.Noted{Text: "\"quoted\" <b> \\ \u2028"},
	timeline.Step{Step: 1, Round: 2, Users: []id.User{"u1", "u2"}, Names: []string{"Kim", "Sam"}, PolicyName: "Database", Why: []string{"on call", "in the team"}},
	timeline.Skipped{Step: 2, Round: 1, PolicyName: "Database", Why: "nobody"},
	timeline.Exhausted{PolicyName: "Database", Why: "end"},
	timeline.PageState{Delivery: 5, User: "u1", Name: "Kim", Method: "email", Address: "kim@example.org", Attempt: 1, Bundled: 2, Detail: "250 OK"},
	timeline.PageRetry{Delivery: 6, User: "u1", Name: "Kim", Method: "email", Address: "kim@example.org", Attempt: 1, Detail: "451"},
	timeline.PageLost{Delivery: 6, User: "u1", Name: "Kim", Method: "email", Address: "kim@example.org", Attempt: 5, Detail: "550"},
	timeline.Message{Text: "hello"},
	timeline.Change{Object: "rotation", ID: "r1", Name: "Nights", Action: "changed", Fields: []string{"layers", "name"}},
	timeline.PartAcknowledged{Message: "looking", Acked: 1, Of: 2, Waiting: []id.User{"u2"}},
	timeline.AckLapsed{User: "u1", Name: "Kim", Since: at(1)},
	timeline.Told{Step: 2, Round: 1, PolicyName: "Database", Webhooks: []string{"status"}, Emails: []string{"noc@example.org"}, Rooms: []string{"#ops"}, LastResort: true, Alone: true, Why: "nobody"},
	timeline.Waits{Step: 1, Round: 1, PolicyName: "Database", Until: at(60)},
	timeline.HandedOver{Step: 2, Round: 1, From: "Database", Policy: "p2", Version: 4, PolicyName: "Network", Urgency: "low", Turn: 2},
	timeline.PageArrived{Delivery: 5, User: "u1", Name: "Kim", Method: "sms", Address: "+49301234567", Attempt: 1},
	timeline.PageReply{Delivery: 5, User: "u1", Name: "Kim", Method: "sms", Answer: "acknowledge", Text: "ack 7"},
	timeline.MovedOn{Delivery: 5, User: "u1", Name: "Kim", Method: "sms", NextMethod: "voice", Why: "too slow"},
	timeline.Held{User: "u1", Name: "Kim", Method: "sms", Count: 7, Until: at(2)},
	timeline.Shift{Rotation: "r1", RotationName: "Nights", Layer: 1, LayerName: "a", From: "u1", FromName: "Kim", To: "u2", ToName: "Sam", Override: true, Until: at(60)},
	timeline.Taken{Override: "o1", Rotation: "r1", RotationName: "Nights", User: "u1", Name: "Kim", By: "u2", ByName: "Sam", Start: at(1), End: at(2), Note: "n"},
	timeline.HandedBack{Override: "o1", Start: at(1), End: at(2)}, timeline.Overridden{Override: "o1", Start: at(1)}, timeline.OverrideGone{Override: "o1", Start: at(1), End: at(2)},
	timeline.Swap{Swap: "s1", Rotation: "r1", RotationName: "Nights", From: "u1", FromName: "Kim", To: "u2", ToName: "Sam", Start: at(1), End: at(2), Note: "n"},
	timeline.SwapAnswer{Swap: "s1", From: "u1", FromName: "Kim", To: "u2", ToName: "Sam", Start: at(1), End: at(2), Accepted: true},
	timeline.Absence{Absence: "a1", User: "u1", Name: "Kim", Start: at(1), End: at(2), Note: "leave"}, timeline.AbsenceGone{Absence: "a1", User: "u1", Name: "Kim", Start: at(1), End: at(2)},
	timeline.Uncovered{Problem: "gap:r1", Object: "rotation Nights", Text: "nobody", Start: at(1), End: at(2)}, timeline.Covered{Problem: "gap:r1", Object: "rotation Nights", Text: "nobody"},
	timeline.Maintenance{Maintenance: "m1", Name: "Racks", Scope: "network", Until: at(60)}, timeline.MaintenanceOver{Maintenance: "m1", Name: "Racks", Held: 3},
	timeline.Silence{Heartbeat: "h1", Name: "backup", LastAt: at(1), DueAt: at(2)}, timeline.Beat{Heartbeat: "h1", Name: "backup", LastAt: at(1)},
	timeline.Drill{Drill: "d1", Name: "Friday", Users: []id.User{"u1"}, Names: []string{"Kim"}}, timeline.DrillOver{Drill: "d1", Name: "Friday", Answered: 1, Asked: 2},
	timeline.Edit{Of: 7, Text: "hello"}, timeline.Deletion{Of: 7}, timeline.Link{Of: 7, Text: "hello", Author: "Kim", Room: "r1"},
	timeline.Pin{Of: 7, Text: "hello"}, timeline.Unpin{Of: 7, Text: "hello"}, timeline.Reaction{Of: 7, Emoji: "👍"}, timeline.ReactionGone{Of: 7, Emoji: "👍"},
	timeline.RoomMade{Room: "r1", Name: "ops", What: "public"}, timeline.RoomChange{Room: "r1", Name: "ops", Fields: []string{"topic"}, Topic: "deploys"}, timeline.RoomEnd{Room: "r1"},
	timeline.Asked{ID: "i1", Command: "ack", Line: "ack 7", State: "queued", Rule: "allow"}, timeline.Approval{ID: "i1", By: "u1", Got: 1, Of: 2},
	timeline.Rejection{ID: "i1", Line: "ack 7", Expired: true}, timeline.Finished{ID: "i1", Line: "ack 7", State: "succeeded", For: 12},
	timeline.Lock{Name: "deploy/shop", Until: at(60)}, timeline.Unlock{Name: "deploy/shop"},
	timeline.Removal{Messages: 3, Files: 1, Bytes: 9},
}

func everyKindComesBack(t *testing.T, s *store.Store) {
	var want []timeline.Entry
	do(t, s, func(tx *store.Tx) {
		for i, p := range samples {
			e := timeline.Entry{
				At: at(i), Kind: p.Kind(), Actor: timeline.Actor{User: "u1", Name: "Kim", Origin: timeline.Browser},
				Incident: id.Incident(i % 3), Team: id.Team(fmt.Sprint("t", i)), Person: "u1", Payload: p,
			}
			tx.Append(e)
			e.Seq = id.Seq(i + 1)
			want = append(want, e)
		}
	})
	got := must[[]timeline.Entry](t)(s.Entries(t.Context(), store.EntryFilter{Limit: 1000}))
	same(t, "entries", got, want)
	for _, k := range timeline.Kinds {
		if !slices.ContainsFunc(samples, func(p timeline.Payload) bool { return p.Kind() == k }) {
			t.Errorf("there is no sample of kind %s: add one", k)
		}
	}
}

// seqs are the numbers of entries.
func seqs(entries []timeline.Entry) []id.Seq {
	all := []id.Seq{}
	for _, e := range entries {
		all = append(all, e.Seq)
	}
	return all
}

// fill writes 12 entries: incident n%3, team a or b, person u1 to u4, and
// every fourth a note.
func fill(t *testing.T, s *store.Store) {
	t.Helper()
	do(t, s, func(tx *store.Tx) {
		for i := 1; i <= 12; i++ {
			e := message(fmt.Sprintf("number%d of many", i))
			if i%4 == 0 {
				e.Kind, e.Payload = timeline.NoteAdded, timeline.Noted{Text: "noted"}
			}
			e.Incident, e.Team, e.Person = id.Incident(i%3), id.Team([]string{"a", "b"}[i%2]), id.User(fmt.Sprint("u", i%4))
			tx.Append(e)
			tx.Index(id.Seq(i), strings.Join(store.Words(fmt.Sprintf("Number%d of many, group%d", i, i%2)), " "))
		}
		tx.SetCursor("search", 12)
	})
}

func entriesByFilter(t *testing.T, s *store.Store) {
	fill(t, s)
	for name, c := range map[string]struct {
		f    store.EntryFilter
		want []id.Seq
	}{
		"all":                {store.EntryFilter{}, []id.Seq{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		"kind":               {store.EntryFilter{Kinds: []timeline.Kind{timeline.NoteAdded}}, []id.Seq{4, 8, 12}},
		"kinds":              {store.EntryFilter{Kinds: []timeline.Kind{timeline.NoteAdded, timeline.MessagePosted}, Limit: 2}, []id.Seq{11, 12}},
		"no such kind":       {store.EntryFilter{Kinds: []timeline.Kind{timeline.PageSent}}, []id.Seq{}},
		"incident":           {store.EntryFilter{Incident: 2}, []id.Seq{2, 5, 8, 11}},
		"team":               {store.EntryFilter{Team: "b"}, []id.Seq{1, 3, 5, 7, 9, 11}},
		"person":             {store.EntryFilter{Person: "u1"}, []id.Seq{1, 5, 9}},
		"words":              {store.EntryFilter{Words: []string{"group1"}}, []id.Seq{1, 3, 5, 7, 9, 11}},
		"incident and kind":  {store.EntryFilter{Incident: 2, Kinds: []timeline.Kind{timeline.NoteAdded}}, []id.Seq{8}},
		"team and person":    {store.EntryFilter{Team: "b", Person: "u3"}, []id.Seq{3, 7, 11}},
		"words and incident": {store.EntryFilter{Words: []string{"group0"}, Incident: 1}, []id.Seq{4, 10}},
		"everything": {store.EntryFilter{
			Words: []string{"many", "group0"}, Incident: 1, Team: "a", Person: "u0", Kinds: []timeline.Kind{timeline.NoteAdded}, After: 1, Before: 11, Limit: 5,
		}, []id.Seq{4}},
	} {
		got := must[[]timeline.Entry](t)(s.Entries(t.Context(), c.f))
		same(t, name, seqs(got), c.want)
	}
}

func entriesByWords(t *testing.T, s *store.Store) {
	long := strings.Repeat("x", 5000)
	texts := []string{
		"Disk db01 is 93% full", "disk DB02 recovered", "Größe über Maß: Ärger", "it's \"quoted\" & (odd) | !strange: *", "数据库 主机", long, "",
	}
	do(t, s, func(tx *store.Tx) {
		for i, text := range texts {
			tx.Append(message(text))
			tx.Index(id.Seq(i+1), strings.Join(store.Words(text), " "))
		}
	})
	for typed, want := range map[string][]id.Seq{
		"disk": {1, 2}, "DISK": {1, 2}, "dis": {1, 2}, "disk db0": {1, 2}, "db02 disk": {2}, "disk nothing": {},
		"93": {1}, "größe": {3}, "GRÖSSE": {}, "gr": {3}, "ärger über": {3}, "it's": {4}, "\"quoted\" | odd": {4}, "strange*": {4},
		"数据": {5}, "sk": {}, long: {6}, "xxx": {6},
	} {
		got := must[[]timeline.Entry](t)(s.Entries(t.Context(), store.EntryFilter{Words: store.Words(typed)}))
		if len(typed) > 40 {
			typed = typed[:40] + "…"
		}
		same(t, "words "+typed, seqs(got), want)
	}
	many := must[[]timeline.Entry](t)(s.Entries(t.Context(), store.EntryFilter{Words: store.Words(strings.Repeat("disk db01 ", 500))}))
	same(t, "a thousand words", seqs(many), []id.Seq{1})
	// What the index has not reached yet is not found.
	do(t, s, func(tx *store.Tx) { tx.Append(message("disk, not indexed")) })
	got := must[[]timeline.Entry](t)(s.Entries(t.Context(), store.EntryFilter{Words: []string{"disk"}}))
	same(t, "before it is indexed", seqs(got), []id.Seq{1, 2})
}

func entriesPage(t *testing.T, s *store.Store) {
	fill(t, s)
	for name, c := range map[string]struct {
		f    store.EntryFilter
		want []id.Seq
	}{
		"newest":               {store.EntryFilter{Limit: 3}, []id.Seq{10, 11, 12}},
		"older":                {store.EntryFilter{Before: 10, Limit: 3}, []id.Seq{7, 8, 9}},
		"older than the first": {store.EntryFilter{Before: 1, Limit: 3}, []id.Seq{}},
		"newer":                {store.EntryFilter{After: 9, Limit: 2}, []id.Seq{10, 11}},
		"newer than the last":  {store.EntryFilter{After: 12, Limit: 2}, []id.Seq{}},
		"between":              {store.EntryFilter{After: 3, Before: 6}, []id.Seq{4, 5}},
		"words older":          {store.EntryFilter{Words: []string{"many"}, Before: 10, Limit: 2}, []id.Seq{8, 9}},
		"words newer":          {store.EntryFilter{Words: []string{"many"}, After: 2, Limit: 2}, []id.Seq{3, 4}},
		"team older":           {store.EntryFilter{Team: "a", Before: 9, Limit: 2}, []id.Seq{6, 8}},
		"team newer":           {store.EntryFilter{Team: "a", After: 5, Limit: 2}, []id.Seq{6, 8}},
	} {
		got := must[[]timeline.Entry](t)(s.Entries(t.Context(), c.f))
		same(t, name, seqs(got), c.want)
	}
}

func entryByTime(t *testing.T, s *store.Store) {
	if seq := must[id.Seq](t)(s.SeqAt(t.Context(), at(0))); seq != 0 {
		t.Errorf("SeqAt of an empty timeline = %d", seq)
	}
	do(t, s, func(tx *store.Tx) {
		for _, minute := range []int{0, 1, 1, 1, 5, 9} {
			e := message("tick")
			e.At = at(minute)
			tx.Append(e)
		}
	})
	for minute, want := range map[int]id.Seq{-1: 0, 0: 1, 1: 4, 4: 4, 5: 5, 8: 5, 9: 6, 100: 6} {
		if got := must[id.Seq](t)(s.SeqAt(t.Context(), at(minute))); got != want {
			t.Errorf("SeqAt minute %d = %d, want %d", minute, got, want)
		}
	}
	if got := must[id.Seq](t)(s.SeqAt(t.Context(), at(1).Add(-time.Microsecond))); got != 1 {
		t.Errorf("SeqAt just before minute 1 = %d, want 1", got)
	}
}

func followers(t *testing.T, s *store.Store) {
	fill(t, s)
	do(t, s, func(tx *store.Tx) {
		if c, err := tx.Cursor("planner"); c != 0 || err != nil {
			t.Errorf("Cursor of a follower that never ran = %d, %v", c, err)
		}
		got, reached, err := tx.EntriesAfter(0, 5)
		if err != nil || reached != 5 {
			t.Errorf("EntriesAfter(0, 5) reached %d, %v", reached, err)
		}
		same(t, "EntriesAfter(0, 5)", seqs(got), []id.Seq{1, 2, 3, 4, 5})
		got, reached, err = tx.EntriesAfter(5, 100, timeline.NoteAdded, timeline.PageSent)
		if err != nil || reached != 12 {
			t.Errorf("EntriesAfter(5, 100, notes) reached %d, %v", reached, err)
		}
		same(t, "EntriesAfter(5, 100, notes)", seqs(got), []id.Seq{8, 12})
		if got, reached, err := tx.EntriesAfter(12, 100); len(got) != 0 || reached != 12 || err != nil {
			t.Errorf("EntriesAfter the last = %v, %d, %v", seqs(got), reached, err)
		}
		tx.SetCursor("planner", 5)
	})
	if behind := must[bool](t)(s.Behind(t.Context(), "planner", timeline.NoteAdded)); !behind {
		t.Error("Behind = false with notes after the cursor")
	}
	if behind := must[bool](t)(s.Behind(t.Context(), "planner", timeline.PageSent)); behind {
		t.Error("Behind = true without entries of that kind")
	}
	for _, kinds := range [][]timeline.Kind{{timeline.NoteAdded}, {timeline.PageSent, timeline.NoteAdded}} {
		waiting := must[[]timeline.Entry](t)(s.EntriesFor(t.Context(), "planner", 10, kinds...))
		same(t, "EntriesFor the planner", seqs(waiting), []id.Seq{8, 12})
	}
	same(t, "EntriesFor the planner, the first", seqs(must[[]timeline.Entry](t)(s.EntriesFor(t.Context(), "planner", 1, timeline.NoteAdded))), []id.Seq{8})
	do(t, s, func(tx *store.Tx) { tx.SetCursor("planner", 12) })
	if behind := must[bool](t)(s.Behind(t.Context(), "planner")); behind {
		t.Error("Behind = true at the end")
	}
	same(t, "cursors", must[map[string]id.Seq](t)(s.Cursors(t.Context())), map[string]id.Seq{"planner": 12, "search": 12})
}
