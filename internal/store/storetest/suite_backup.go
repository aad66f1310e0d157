package storetest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Everything is what the methods of a store show, for comparing two of them.
// Left out is what differs by design: the epoch, and the search index.
type Everything struct {
	Head       store.Head
	Users      int
	Versions   []string
	Incidents  []incident.Incident
	Alerts     []alert.Alert
	Entries    []timeline.Entry
	Timers     []incident.Timer
	Waiting    []store.Delivery
	Deliveries []store.Delivery
	Cursors    map[string]id.Seq
	Passwords  map[id.User]bool
	Session    store.Session
	Tokens     []store.Token
	Link       store.Link
}

// Read collects Everything of a store that Fill filled.
func Read(t *testing.T, s *store.Store) Everything {
	t.Helper()
	ctx := t.Context()
	o := must[*org.Org](t)(s.Org(ctx))
	all := Everything{
		Head: must[store.Head](t)(s.Head(ctx)), Users: len(o.Users),
		Incidents: must[[]incident.Incident](t)(s.Incidents(ctx, store.IncidentFilter{Limit: 1000})),
		Alerts:    must[[]alert.Alert](t)(s.Alerts(ctx, store.AlertFilter{Limit: 1000})),
		Entries:   must[[]timeline.Entry](t)(s.Entries(ctx, store.EntryFilter{Limit: 1000})),
		Timers:    must[[]incident.Timer](t)(s.Timers(ctx, 1000)),
		Waiting:   must[[]store.Delivery](t)(s.Waiting(ctx, 1000)),
		Cursors:   must[map[string]id.Seq](t)(s.Cursors(ctx)), Passwords: must[map[id.User]bool](t)(s.Passwords(ctx)),
		Deliveries: must[[]store.Delivery](t)(s.Deliveries(ctx, 1)),
		Session:    must[store.Session](t)(s.Session(ctx, "hs")), Tokens: must[[]store.Token](t)(s.Tokens(ctx)),
		Link: must[store.Link](t)(s.Link(ctx, "hl")),
	}
	for v := range int64(3) {
		p, ok := o.PolicyVersion("p1", v+1)
		all.Versions = append(all.Versions, fmt.Sprint(p.Name, ok))
	}
	delete(all.Cursors, "search")
	all.Head.Epoch = ""
	return all
}

// Fill puts something into every table.
func Fill(t *testing.T, s *store.Store) {
	t.Helper()
	apply(t, s, org.Put(person("u1")), org.Put(person("u2")), org.Put(policy("p1", "First")))
	apply(t, s, org.Put(policy("p1", "Second")), org.Remove(org.UserKind, "u2"))
	do(t, s, func(tx *store.Tx) {
		for i := range 150 { // more than one statement's worth
			n := newIncident(tx, fmt.Sprintf("host%d/<disk> ü\n\"x\"", i))
			tx.PutAlert(alert.Alert{ID: tx.NewAlert(), Incident: n, ReceivedAt: at(i), Type: alert.Critical, EntityID: "e", Title: "e", Raw: "{\"a\":\"<&>\u2028\"}\n"})
			tx.Save(incident.Decision{Timers: []incident.Timer{{Kind: incident.EscalateTimer, Incident: n, DueAt: at(i)}}})
			tx.Index(id.Seq(n), fmt.Sprintf("host%d disk", i))
		}
		for _, p := range samples {
			tx.Append(timeline.Entry{Kind: p.Kind(), Actor: timeline.Self, Incident: 2, Payload: p})
		}
		tx.AddDelivery(store.Delivery{Key: "a", Kind: store.StepPage, DueAt: at(0), ExpiresAt: at(9), Incident: 1, Entry: 1, Person: "u1", Contact: "c1"})
		tx.AddDelivery(store.Delivery{Key: "b", Kind: store.StepPage, DueAt: at(1), Incident: 1})
		tx.SetCursor("search", 150)
		tx.SetCursor("planner", 170)
		tx.PutPassword("u1", "$argon2id$…")
		tx.AddSession("hs", store.Session{ID: "s1", Person: "u1", CreatedAt: at(0), ExpiresAt: at(1), Agent: "Firefox"})
		tx.AddToken("ht", store.Token{ID: "t1", Person: "u1", Name: "deploys"})
		tx.AddLink("hl", store.Link{Purpose: store.InviteLink, Person: "u1", ExpiresAt: at(1)})
	})
	do(t, s, func(tx *store.Tx) {
		sent := must[[]store.Delivery](t)(tx.Deliveries([]id.Delivery{2}))[0]
		sent.State = store.Sent
		tx.PutDelivery(sent)
	})
}

func backup(t *testing.T, s *store.Store) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.Backup(t.Context(), &b); err != nil {
		t.Fatalf("Backup: %v", err)
	}
	return b.Bytes()
}

func restore(t *testing.T, s *store.Store, data []byte) {
	t.Helper()
	if err := s.Restore(t.Context(), bytes.NewReader(data)); err != nil {
		t.Fatalf("Restore: %v", err)
	}
}

func backupBringsBack(t *testing.T, s *store.Store) {
	Fill(t, s)
	want := Read(t, s)
	epoch := must[store.Head](t)(s.Head(t.Context())).Epoch
	if got := claim(t, s, "x", 1<<40, 1); len(got) != 1 { // at work when the backup is made
		t.Fatalf("claimed %v", got)
	}
	data := backup(t, s)
	do(t, s, func(tx *store.Tx) { // everything moves on
		newIncident(tx, "after")
		tx.ClearTimer(incident.EscalateTimer, 1)
		tx.SetCursor("another", 9)
		tx.PutPassword("u9", "x")
		tx.RemoveAccess("u1")
	})
	apply(t, s, org.Put(person("u7")), org.Remove(org.PolicyKind, "p1"))
	wake, end := s.Wake(store.Entries)
	defer end()
	restore(t, s, data)
	within(t, "a wake after the restore", wake)
	want.Waiting[0].Attempt = 1 // the claim is gone, the attempt was made
	want.Deliveries[0].Attempt = 1
	same(t, "after the restore", Read(t, s), want)
	if now := must[store.Head](t)(s.Head(t.Context())).Epoch; now == epoch || now == "" {
		t.Errorf("epoch %q after the restore of %q, want a new one", now, epoch)
	}
	if found := must[[]timeline.Entry](t)(s.Entries(t.Context(), store.EntryFilter{Words: []string{"disk"}})); len(found) != 0 {
		t.Errorf("%d entries are found by words; the index is to be filled anew", len(found))
	}
	do(t, s, func(tx *store.Tx) {
		if c := must[id.Seq](t)(tx.Cursor("search")); c != 0 {
			t.Errorf("search stands at %d, want 0", c)
		}
		tx.Index(1, "disk")
		if n := newIncident(tx, "after"); n != 151 {
			t.Errorf("next incident is %d, want 151", n)
		}
	})
}

func backupWhileServing(t *testing.T, s *store.Store) {
	Fill(t, s)
	ctx, stop := context.WithCancel(t.Context())
	writing := make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			err := s.Do(ctx, func(tx *store.Tx) error {
				newIncident(tx, fmt.Sprint("busy", i))
				return nil
			})
			if err != nil {
				writing <- err
				return
			}
		}
	}()
	for range 3 {
		data := backup(t, s)
		other := Open(t)
		restore(t, other, data)
		h := must[store.Head](t)(other.Head(t.Context()))
		found := must[[]incident.Incident](t)(other.Incidents(t.Context(), store.IncidentFilter{Limit: 1000}))
		entries := must[[]timeline.Entry](t)(other.Entries(t.Context(), store.EntryFilter{Limit: 1000}))
		newest := entries[len(entries)-1]
		if newest.Seq != h.Seq || len(found) < 1000 && newest.Incident > 2 && newest.Incident != found[0].ID {
			t.Errorf("head %d, last entry %d of incident %d, last incident %d: not one instant", h.Seq, newest.Seq, newest.Incident, found[0].ID)
		}
		restore(t, s, data) // beside the writer
	}
	stop()
	if err := within(t, "the writer", writing); !errors.Is(err, context.Canceled) {
		t.Errorf("a writer beside backup and restore: %v", err)
	}
}

func badBackup(t *testing.T, s *store.Store) {
	Fill(t, s)
	good := backup(t, s)
	want, epoch := Read(t, s), must[store.Head](t)(s.Head(t.Context())).Epoch
	text := unzip(t, good)
	swap := func(old, new string) []byte {
		if !strings.Contains(text, old) {
			t.Fatalf("the backup has no %q", old)
		}
		return zipped(t, strings.Replace(text, old, new, 1))
	}
	early, _, _ := strings.Cut(text, `{"table":"token"`)
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"empty":                  {nil, "gzip"},
		"text":                   {[]byte("hello"), "gzip"},
		"other gzip":             {zipped(t, "hello\n"), "not made by Watchroom"},
		"other JSON":             {zipped(t, "{\"a\":1}\n"), "not made by Watchroom"},
		"cut bytes":              {good[:len(good)-20], "cut off"},
		"half":                   {good[:len(good)/2], "cut off"},
		"cut lines":              {zipped(t, text[:strings.LastIndex(text, `{"end"`)]), "cut off"},
		"cut tables":             {zipped(t, early+text[strings.LastIndex(text, `{"end"`):]), "before its last table"},
		"newer format":           {swap(`"format":1`, `"format":2`), "format 2"},
		"newer schema":           {swap(`"schema":`, `"schema":9`), "upgrade"},
		"changed value":          {swap(`Firefox`, `Firefix`), "checksum"},
		"changed type":           {swap(`["planner",170]`, `["planner","170"]`), "column seq of table cursor"},
		"null":                   {swap(`["planner",170]`, `["planner",null]`), "column seq of table cursor"},
		"row too short":          {swap(`["planner",170]`, `["planner"]`), "not a row of table cursor"},
		"not JSON":               {swap(`["planner",170]`, `["planner",`), "not a row of table cursor"},
		"missing row":            {swap("[\"planner\",170]\n", ""), "rows"},
		"two heads":              {swap(`{"table":"definition"`, "[\"e\",1,1,1,1,1,1,1]\n{\"table\":\"definition\""), "last table"},
		"unknown table":          {swap(`{"table":"timer"`, `{"table":"sqlite_master"`), "not expected"},
		"unknown column":         {swap(`"due_at"`, `"due"`), "not expected"},
		"row before its table":   {swap(`{"table":"head"`, "[1]\n{\"table\":\"head\""), "belongs to no table"},
		"something after an end": {zipped(t, text+"[1]\n"), "follows its end"},
		"flipped bit":            {flipped(good), "usable backup"},
	} {
		err := s.Restore(t.Context(), bytes.NewReader(c.data))
		if !errors.Is(err, store.ErrBackup) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: Restore = %v, want ErrBackup that says %q", name, err, c.says)
		}
	}
	if err := s.Restore(t.Context(), io.MultiReader(bytes.NewReader(good), brokenReader{})); !errors.Is(err, errOnPurpose) {
		t.Errorf("Restore from a broken reader = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Restore(ctx, bytes.NewReader(good)); !errors.Is(err, context.Canceled) {
		t.Errorf("Restore that was cancelled = %v", err)
	}
	if err := s.Backup(t.Context(), brokenWriter{}); !errors.Is(err, errOnPurpose) {
		t.Errorf("Backup to a broken writer = %v", err)
	}
	if d := cmp.Diff(want, Read(t, s)); d != "" || must[store.Head](t)(s.Head(t.Context())).Epoch != epoch {
		t.Errorf("bad backups changed something: (-want +got)\n%s", d)
	}
}

type (
	brokenReader struct{}
	brokenWriter struct{}
)

func (brokenReader) Read([]byte) (int, error)  { return 0, errOnPurpose }
func (brokenWriter) Write([]byte) (int, error) { return 0, errOnPurpose }

func unzip(t *testing.T, data []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return string(must[[]byte](t)(io.ReadAll(r)))
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// flipped has one bit in the middle changed.
func flipped(data []byte) []byte {
	other := bytes.Clone(data)
	other[len(other)/2] ^= 4
	return other
}
