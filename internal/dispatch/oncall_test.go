package dispatch

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// The tests begin on Sunday, 22 November 2026, 09:00 UTC; the rotas hand over on
// Mondays at 09:00: Kim's week ends on the 23rd, then Lee has one.
var (
	sunday = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	monday = sunday.Add(24 * time.Hour)
)

func layer(name string, members ...id.User) oncall.Layer {
	return oncall.Layer{Name: name, Members: members, Every: 1, Unit: oncall.Weeks, HandoffAt: "09:00", Start: "2026-11-16"}
}

func primary() oncall.Rotation {
	return oncall.Rotation{ID: "r1", Name: "Primary", Team: "dba", Zone: "UTC", Layers: []oncall.Layer{layer("", "kim", "lee")}}
}

func both() oncall.Rotation {
	return oncall.Rotation{ID: "r2", Name: "Both", Zone: "UTC", Layers: []oncall.Layer{layer("first", "kim", "lee"), layer("second", "lee", "kim")}}
}

func ada() people.Actor { return actor("ada", "Ada", people.Admin) }
func obi() people.Actor { return actor("obi", "Obi", people.Observer) }

// onDuty tells who is on duty in a rotation, by the test's clock.
func (h *house) onDuty(t *testing.T, r id.Rotation, at time.Time) []id.User {
	t.Helper()
	o, err := h.store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []id.User
	for _, s := range o.OnCall(r, at) {
		all = append(all, s.User)
	}
	return all
}

func (h *house) wantDuty(t *testing.T, when string, r id.Rotation, at time.Time, want ...id.User) {
	t.Helper()
	if got := h.onDuty(t, r, at); !cmp.Equal(got, want) {
		t.Errorf("%s: on duty is %v, want %v", when, got, want)
	}
}

// told are the payloads after a number.
func (h *house) told(t *testing.T, after id.Seq) []timeline.Payload {
	t.Helper()
	var all []timeline.Payload
	for _, e := range h.entries(t, store.EntryFilter{After: after}) {
		all = append(all, e.Payload)
	}
	return all
}

func wantFault(t *testing.T, what string, err error, code fault.Code, field, message string) {
	t.Helper()
	f, ok := asFault(err)
	if !ok || f.Code != code || f.Field != field || message != "" && f.Message != message {
		t.Errorf("%s = %v, want %s of %q: %s", what, err, code, field, message)
	}
}

func TestTakeOnCallAndHandBack(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.change(t, org.Put(primary()))
		begin := h.head(t).Seq
		h.clock.pass(1500 * time.Millisecond)
		taken, err := h.TakeOnCall(t.Context(), lee(), Take{Rotation: "r1", Note: "  dentist "})
		if err != nil {
			t.Fatal(err)
		}
		want := oncall.Override{ID: taken.ID, Rotation: "r1", User: "lee", For: "kim", Start: sunday.Add(time.Second), End: monday, Kind: oncall.Taken, By: "lee", Note: "dentist"}
		if diff := cmp.Diff(want, taken); diff != "" {
			t.Errorf("TakeOnCall() (-want +got):\n%s", diff)
		}
		h.wantDuty(t, "taken", "r1", sunday.Add(1500*time.Millisecond), "lee")
		h.clock.pass(time.Hour)
		if err := h.HandBack(t.Context(), kim(), taken.ID); err != nil {
			t.Fatal(err)
		}
		now := sunday.Add(time.Hour + 1500*time.Millisecond)
		h.wantDuty(t, "handed back", "r1", now, "kim")
		h.wantDuty(t, "what was stays", "r1", now.Add(-time.Minute), "lee")
		cover := timeline.Cover{
			Override: string(taken.ID), Rotation: "r1", RotationName: "Primary", User: "kim", Name: "Kim", By: "lee", ByName: "Lee",
			Start: sunday.Add(time.Second), End: monday, Note: "dentist",
		}
		back := cover
		back.End = now
		if diff := cmp.Diff([]timeline.Payload{timeline.Taken(cover), timeline.HandedBack(back)}, h.told(t, begin)); diff != "" {
			t.Errorf("the timeline (-want +got):\n%s", diff)
		}
		wantFault(t, "handing back twice", h.HandBack(t.Context(), lee(), taken.ID), fault.CodeConflict, "", "This override is over already.")
	})
}

// Several want to relieve Kim at once: one does, the others learn who.
func TestOneOfManyTakesADuty(t *testing.T) {
	for name, from := range map[string]id.User{"from Kim": "kim", "from whoever it is": ""} {
		eachEngine(t, func(t *testing.T, h *house) {
			h.change(t, org.Put(primary()))
			takers := []people.Actor{lee(), ada(), lee(), ada()}
			errs := make([]error, len(takers))
			var wg sync.WaitGroup
			for i, by := range takers {
				wg.Go(func() {
					_, errs[i] = []*Dispatcher{h.Dispatcher, h.other}[i/2].TakeOnCall(t.Context(), by, Take{Rotation: "r1", From: from})
				})
			}
			wg.Wait()
			has := h.onDuty(t, "r1", h.clock.read())
			winner := map[id.User]string{"lee": "Lee", "ada": "Ada"}[has[0]]
			won := 0
			for i, err := range errs {
				switch f, _ := asFault(err); {
				case err == nil && takers[i].Name == winner:
					won++
				case !fault.Is(err, fault.CodeConflict) || f.Extra["by"] != winner:
					t.Errorf("%s: %s was told %v, want a conflict that names %s", name, takers[i].Name, err, winner)
				}
			}
			if won != 1 || len(has) != 1 {
				t.Errorf("%s: %d have taken the duty and %v are on call, want one", name, won, has)
			}
		})
	}
}

func TestTakeOnCallChoosesItsEnd(t *testing.T) {
	h := newHouse(t, "sqlite")
	alone := primary()
	alone.ID, alone.Name, alone.Layers[0].Members = "r3", "Alone", []id.User{"kim"}
	later := primary()
	later.ID, later.Name, later.Layers[0].Start = "r4", "Later", "2026-11-23"
	h.change(t, org.Put(primary()), org.Put(both()), org.Put(alone), org.Put(later))
	one := 1
	tests := []struct {
		intent string
		take   Take
		want   time.Time
		whom   id.User
	}{
		{"to the end of the shift", Take{Rotation: "r1"}, monday, "kim"},
		{"a time of one's own", Take{Rotation: "r1", From: "kim", Until: monday.Add(time.Hour)}, monday.Add(time.Hour), "kim"},
		{"of one layer of two", Take{Rotation: "r2", Layer: &one}, monday, "lee"},
		{"open where nothing is handed over", Take{Rotation: "r3"}, time.Time{}, "kim"},
		{"a gap, until somebody comes", Take{Rotation: "r4"}, monday, ""},
	}
	for _, tt := range tests {
		got, err := h.TakeOnCall(t.Context(), ada(), tt.take)
		if err != nil || !got.End.Equal(tt.want) || got.For != tt.whom {
			t.Errorf("%s: TakeOnCall() = until %s for %s, %v, want %s for %s", tt.intent, got.End, got.For, err, tt.want, tt.whom)
			continue
		}
		if on := h.onDuty(t, tt.take.Rotation, sunday); len(on) == 0 || on[len(on)-1] != "ada" {
			t.Errorf("%s: on duty is %v", tt.intent, on)
		}
		if err := h.HandBack(t.Context(), ada(), got.ID); err != nil {
			t.Errorf("%s: HandBack() = %v", tt.intent, err)
		}
	}
	if o, err := h.store.Org(t.Context()); err != nil || len(o.Overrides) != 0 {
		t.Errorf("handed back in the same second, %d overrides of no length are left, %v", len(o.Overrides), err)
	}
}

func TestTakeOnCallRefuses(t *testing.T) {
	h := newHouse(t, "sqlite")
	h.change(t, org.Put(primary()), org.Put(both()))
	nine := 9
	tests := []struct {
		intent  string
		by      people.Actor
		take    Take
		code    fault.Code
		field   string
		message string
	}{
		{"an observer", obi(), Take{Rotation: "r1"}, fault.CodeForbidden, "", ""},
		{"nobody in person", people.Operator(), Take{Rotation: "r1"}, fault.CodeForbidden, "", ""},
		{"no such rotation", lee(), Take{Rotation: "r9"}, fault.CodeInvalid, "rotation", ""},
		{"no such layer", lee(), Take{Rotation: "r1", Layer: &nine}, fault.CodeInvalid, "layer", ""},
		{"one's own duty", kim(), Take{Rotation: "r1"}, fault.CodeConflict, "", "You are on call in Primary already."},
		{"of somebody off duty", ada(), Take{Rotation: "r1", From: "lee"}, fault.CodeConflict, "", "Lee is not on call in Primary now; on call is Kim."},
		{"of one of two", ada(), Take{Rotation: "r2"}, fault.CodeInvalid, "from", "Kim, Lee are on call in Both; say whose duty you take."},
		{"until a moment ago", ada(), Take{Rotation: "r1", Until: sunday}, fault.CodeInvalid, "until", ""},
		{"who cannot be reached", actor("ann", "Ann", people.Member), Take{Rotation: "r1"}, fault.CodeInvalid, "user", "Ann has no contact method that is on."},
	}
	before := h.head(t)
	for _, tt := range tests {
		_, err := h.TakeOnCall(t.Context(), tt.by, tt.take)
		wantFault(t, tt.intent, err, tt.code, tt.field, tt.message)
	}
	if diff := cmp.Diff(before, h.head(t)); diff != "" {
		t.Errorf("refused, but something was written:\n%s", diff)
	}
}

func TestOverrides(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.change(t, org.Put(primary()))
		begin := h.head(t).Seq
		h.clock.pass(2 * time.Minute)
		now := sunday.Add(2 * time.Minute)
		running, err := h.AddOverride(t.Context(), lee(), oncall.Override{Rotation: "r1", User: "lee", Start: sunday, End: sunday.Add(time.Hour), Kind: oncall.Taken, By: "ada"})
		if err != nil || !running.Start.Equal(now) || running.Kind != oncall.Planned || running.By != "lee" {
			t.Fatalf("an override of just now = %+v, %v, want it from now on, planned, by Lee", running, err)
		}
		later, err := h.AddOverride(t.Context(), ada(), oncall.Override{Rotation: "r1", User: "ada", For: "lee", Start: monday, End: monday.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		h.wantDuty(t, "planned", "r1", monday, "ada")
		h.clock.pass(time.Minute)
		for _, n := range []id.Override{running.ID, later.ID} {
			if err := h.RemoveOverride(t.Context(), ada(), n); err != nil {
				t.Fatal(err)
			}
		}
		h.wantDuty(t, "removed before it began", "r1", monday, "lee")
		h.wantDuty(t, "ended while it ran", "r1", now.Add(time.Minute), "kim")
		h.wantDuty(t, "what was stays", "r1", now, "lee")
		var kinds []timeline.Kind
		for _, e := range h.entries(t, store.EntryFilter{After: begin}) {
			kinds = append(kinds, e.Kind)
			if e.Team != "dba" {
				t.Errorf("%s is not an entry of the rotation's team", e.Kind)
			}
		}
		want := []timeline.Kind{timeline.OverrideAdded, timeline.OverrideAdded, timeline.OverrideRemoved, timeline.OverrideRemoved}
		if diff := cmp.Diff(want, kinds); diff != "" {
			t.Errorf("the timeline (-want +got):\n%s", diff)
		}
		if p := h.told(t, begin)[0].(timeline.Overridden); p.User != "kim" || p.By != "lee" {
			t.Errorf("told of %s for %s, want Lee for Kim", p.By, p.User)
		}
	})
}

func TestAddOverrideRefuses(t *testing.T) {
	h := newHouse(t, "sqlite")
	h.change(t, org.Put(primary()))
	over := func(u id.User, start, end time.Time) oncall.Override {
		return oncall.Override{Rotation: "r1", User: u, Start: start, End: end}
	}
	tests := []struct {
		intent string
		by     people.Actor
		o      oncall.Override
		code   fault.Code
		field  string
	}{
		{"an observer", obi(), over("obi", monday, monday.Add(time.Hour)), fault.CodeForbidden, ""},
		{"a colleague is put on duty", kim(), over("lee", sunday, monday), fault.CodeForbidden, ""},
		{"begins in the past", ada(), over("lee", sunday.Add(-6*time.Minute), monday), fault.CodeInvalid, "start"},
		{"begins never", ada(), over("lee", time.Time{}, monday), fault.CodeInvalid, "start"},
		{"ends before it begins", ada(), over("lee", monday, sunday), fault.CodeInvalid, "end"},
		{"ended a moment ago", ada(), over("lee", sunday.Add(-3*time.Minute), sunday.Add(-time.Minute)), fault.CodeInvalid, "end"},
		{"somebody who has left", ada(), over("max", sunday, monday), fault.CodeInvalid, "user"},
		{"somebody unknown", ada(), over("zoe", sunday, monday), fault.CodeInvalid, "user"},
		{"it is Kim's anyway", ada(), over("kim", sunday, monday), fault.CodeConflict, ""},
		{"for somebody off duty", ada(), oncall.Override{Rotation: "r1", User: "ada", For: "lee", Start: sunday, End: monday}, fault.CodeConflict, ""},
	}
	for _, tt := range tests {
		_, err := h.AddOverride(t.Context(), tt.by, tt.o)
		wantFault(t, tt.intent, err, tt.code, tt.field, "")
	}
	wantFault(t, "removing none", h.RemoveOverride(t.Context(), kim(), "?"), fault.CodeNotFound, "", "")
	o, err := h.AddOverride(t.Context(), ada(), over("ada", monday, monday.Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, "handing back what has not begun", h.HandBack(t.Context(), ada(), o.ID), fault.CodeConflict, "", "")
	wantFault(t, "removing what is no concern", h.RemoveOverride(t.Context(), kim(), o.ID), fault.CodeForbidden, "", "")
	if err := h.RemoveOverride(t.Context(), lee(), o.ID); err != nil {
		t.Errorf("who is replaced takes it back: %v", err)
	}
}

func TestSwaps(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.change(t, org.Put(primary()))
		ask := oncall.Swap{
			Rotation: "r1", From: "kim", To: "lee", Start: sunday, End: monday.Add(-time.Hour), Note: "a wedding",
			Return: &oncall.SwapReturn{Start: monday, End: monday.Add(time.Hour)},
		}
		s, err := h.AskSwap(t.Context(), kim(), ask)
		if err != nil {
			t.Fatal(err)
		}
		h.wantDuty(t, "asked", "r1", sunday, "kim")
		_, err = h.AnswerSwap(t.Context(), kim(), s.ID, true)
		wantFault(t, "accepting one's own", err, fault.CodeForbidden, "", "")
		h.clock.pass(time.Minute)
		begin := h.head(t).Seq
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for i, d := range []*Dispatcher{h.Dispatcher, h.other} {
			wg.Go(func() { _, errs[i] = d.AnswerSwap(t.Context(), lee(), s.ID, true) })
		}
		wg.Wait()
		if errs[0] == nil {
			errs[0] = errs[1]
		} else if errs[1] != nil {
			t.Fatalf("nobody could accept: %v, %v", errs[0], errs[1])
		}
		wantFault(t, "accepting twice", errs[0], fault.CodeConflict, "", "This swap was already accepted.")
		h.wantDuty(t, "accepted", "r1", sunday.Add(time.Minute), "lee")
		h.wantDuty(t, "what was stays", "r1", sunday, "kim")
		h.wantDuty(t, "in return", "r1", monday, "kim")
		h.wantDuty(t, "afterwards", "r1", monday.Add(time.Hour), "lee")
		o, err := h.store.Org(t.Context())
		if err != nil || len(o.Swaps[s.ID].Made) != 2 || o.Swaps[s.ID].State != oncall.SwapAccepted {
			t.Errorf("the swap is %+v, %v", o.Swaps[s.ID], err)
		}
		want := []timeline.Kind{timeline.SwapAnswered, timeline.OverrideAdded, timeline.OverrideAdded}
		if diff := cmp.Diff(want, h.kinds(t, begin)); diff != "" {
			t.Errorf("the timeline (-want +got):\n%s", diff)
		}
	})
}

func TestSwapsThatAreNone(t *testing.T) {
	h := newHouse(t, "sqlite")
	h.change(t, org.Put(primary()))
	good := oncall.Swap{Rotation: "r1", From: "kim", To: "lee", Start: sunday, End: monday}
	with := func(edit func(*oncall.Swap)) oncall.Swap { s := good; edit(&s); return s }
	for intent, tt := range map[string]struct {
		swap  oncall.Swap
		code  fault.Code
		field string
	}{
		"another's duty":        {with(func(s *oncall.Swap) { s.From, s.To = "lee", "kim" }), fault.CodeForbidden, ""},
		"with oneself":          {with(func(s *oncall.Swap) { s.To = "kim" }), fault.CodeInvalid, "to"},
		"a duty one has not":    {with(func(s *oncall.Swap) { s.Start, s.End = monday, monday.Add(time.Hour) }), fault.CodeConflict, ""},
		"a return that is none": {with(func(s *oncall.Swap) { s.Return = &oncall.SwapReturn{Start: sunday, End: monday} }), fault.CodeConflict, ""},
		"without an end":        {with(func(s *oncall.Swap) { s.End = time.Time{} }), fault.CodeInvalid, "end"},
		"with who cannot":       {with(func(s *oncall.Swap) { s.To = "ann" }), fault.CodeInvalid, "user"},
	} {
		_, err := h.AskSwap(t.Context(), kim(), tt.swap)
		wantFault(t, intent, err, tt.code, tt.field, "")
	}
	ask := func() oncall.Swap {
		s, err := h.AskSwap(t.Context(), kim(), good)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	declined, withdrawn, stale := ask(), ask(), ask()
	if s, err := h.AnswerSwap(t.Context(), lee(), declined.ID, false); err != nil || s.State != oncall.SwapDeclined {
		t.Errorf("AnswerSwap(no) = %s, %v", s.State, err)
	}
	if err := h.WithdrawSwap(t.Context(), kim(), withdrawn.ID); err != nil {
		t.Error(err)
	}
	_, err := h.AnswerSwap(t.Context(), lee(), withdrawn.ID, true)
	wantFault(t, "accepting what was withdrawn", err, fault.CodeConflict, "", "This swap request was withdrawn.")
	h.wantDuty(t, "nothing came of it", "r1", sunday, "kim")
	h.clock.pass(24 * time.Hour)
	_, err = h.AnswerSwap(t.Context(), lee(), stale.ID, true)
	wantFault(t, "accepting what is over", err, fault.CodeConflict, "", "The time that was to be swapped is over.")
}

func TestAbsences(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		begin := h.head(t).Seq
		a, err := h.AddAbsence(t.Context(), kim(), oncall.Absence{User: "kim", Start: sunday, End: monday, Note: "leave"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.AddAbsence(t.Context(), kim(), oncall.Absence{User: "lee", Start: sunday, End: monday})
		wantFault(t, "another's absence", err, fault.CodeForbidden, "", "")
		_, err = h.AddAbsence(t.Context(), kim(), oncall.Absence{User: "kim", Start: monday, End: sunday})
		wantFault(t, "an absence that ends before it begins", err, fault.CodeInvalid, "end", "")
		wantFault(t, "removing another's", h.RemoveAbsence(t.Context(), lee(), a.ID), fault.CodeForbidden, "", "")
		if err := h.RemoveAbsence(t.Context(), ada(), a.ID); err != nil {
			t.Fatal(err)
		}
		is := timeline.Absence{Absence: string(a.ID), User: "kim", Name: "Kim", Start: sunday, End: monday, Note: "leave"}
		if diff := cmp.Diff([]timeline.Payload{is, timeline.AbsenceGone(is)}, h.told(t, begin)); diff != "" {
			t.Errorf("the timeline (-want +got):\n%s", diff)
		}
	})
}

func TestFeeds(t *testing.T) {
	h := newHouse(t, "sqlite")
	h.change(t, org.Put(primary()))
	key, made, err := h.NewFeed(t.Context(), obi(), org.Feed{Rotation: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	if f, err := h.Feed(t.Context(), key); err != nil || f.ID != made.ID || f.Owner != "obi" {
		t.Errorf("Feed() = %+v, %v", f, err)
	}
	for _, no := range []string{"", "?", made.KeyHash} {
		_, err := h.Feed(t.Context(), no)
		wantFault(t, fmt.Sprintf("Feed(%q)", no), err, fault.CodeNotFound, "", "")
	}
	wantFault(t, "revoking another's", h.RevokeFeed(t.Context(), kim(), made.ID), fault.CodeForbidden, "", "")
	if err := h.RevokeFeed(t.Context(), obi(), made.ID); err != nil {
		t.Fatal(err)
	}
	_, err = h.Feed(t.Context(), key)
	wantFault(t, "a revoked feed", err, fault.CodeNotFound, "", "")
	if key, _, err = h.NewFeed(t.Context(), ada(), org.Feed{User: "lee"}); err != nil {
		t.Fatal(err)
	}
	o, _ := h.store.Org(t.Context())
	gone := o.Users["lee"]
	gone.Disabled = true
	h.change(t, org.Put(gone))
	_, err = h.Feed(t.Context(), key)
	wantFault(t, "the feed of somebody who has left", err, fault.CodeNotFound, "", "")
}

// An edit of the rota moves the overrides of a layer with it.
func TestOverridesFollowTheirLayer(t *testing.T) {
	h := newHouse(t, "sqlite")
	h.change(t, org.Put(both()))
	first, second := 0, 1
	a, err := h.AddOverride(t.Context(), ada(), oncall.Override{Rotation: "r2", User: "ada", Layer: &first, Start: sunday, End: monday})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.AddOverride(t.Context(), ada(), oncall.Override{Rotation: "r2", User: "kim", Layer: &second, Start: sunday, End: monday}); err != nil {
		t.Fatal(err)
	}
	h.wantDuty(t, "before", "r2", sunday, "ada", "kim")
	r := both()
	r.Layers[0], r.Layers[1] = r.Layers[1], r.Layers[0]
	h.change(t, org.Put(r))
	h.wantDuty(t, "the layers change places", "r2", sunday, "kim", "ada")
	r.Layers[1].Name = "backup"
	h.change(t, org.Put(r))
	h.wantDuty(t, "a layer has a new name", "r2", sunday, "kim", "ada")
	begin := h.head(t).Seq
	r.Layers = r.Layers[:1]
	h.change(t, org.Put(r))
	h.wantDuty(t, "a layer is gone, with its override", "r2", sunday, "kim")
	told := h.told(t, begin)
	if gone, ok := told[len(told)-1].(timeline.OverrideGone); len(told) != 2 || !ok || gone.Override != string(a.ID) {
		t.Errorf("told %+v, want the change and the override that is gone", told)
	}
	if _, _, err := h.NewFeed(t.Context(), ada(), org.Feed{Rotation: "r2"}); err != nil {
		t.Fatal(err)
	}
	h.change(t, org.Remove(org.RotationKind, "r2"))
	if o, err := h.store.Org(t.Context()); err != nil || len(o.Overrides)+len(o.Feeds) != 0 {
		t.Errorf("the rotation is gone and leaves %d overrides and %d feeds, %v", len(o.Overrides), len(o.Feeds), err)
	}
}

func TestImportCalendar(t *testing.T) {
	h := newHouse(t, "sqlite")
	h.change(t, org.Put(primary()))
	event := func(uid, summary, start, end string) string {
		return "BEGIN:VEVENT\r\nUID:" + uid + "\r\nSUMMARY:" + summary + "\r\nDTSTART:" + start + "\r\nDTEND:" + end + "\r\nEND:VEVENT\r\n"
	}
	calendar := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" +
		event("1", "Lee", "20261122T080000Z", "20261122T120000Z") + // runs, is Kim's
		event("2", "lee@example.org", "20261123T090000Z", "20261123T120000Z") + // is Lee's anyway
		event("3", "on call: Ada", "20261124T090000Z", "20261124T120000Z") +
		event("4", "Zoe", "20261125T090000Z", "20261125T120000Z") +
		event("5", "Ann", "20261126T090000Z", "20261126T120000Z") + // cannot be reached
		event("6", "Kim", "20261101T090000Z", "20261102T120000Z") + // over
		"END:VCALENDAR\r\n"
	in := Import{Rotation: "r1", Calendar: []byte(calendar), DryRun: true}
	_, err := h.ImportCalendar(t.Context(), kim(), in)
	wantFault(t, "a member imports", err, fault.CodeForbidden, "", "")
	summary := func(p Imported) string {
		var s strings.Builder
		for _, v := range p.Made {
			fmt.Fprintf(&s, "%s %s–%s\n", v.User, v.Start.Format("02 15:04"), v.End.Format("02 15:04"))
		}
		for _, o := range p.Same {
			s.WriteString("same " + o.Summary + "\n")
		}
		for _, o := range p.Unmatched {
			s.WriteString("unmatched " + o.Summary + "\n")
		}
		return s.String()
	}
	want := "lee 22 09:00–22 12:00\nada 24 09:00–24 12:00\nsame lee@example.org\nunmatched Zoe\nunmatched Ann\n"
	before := h.head(t)
	got, err := h.ImportCalendar(t.Context(), ada(), in)
	if diff := cmp.Diff(want, summary(got)); err != nil || diff != "" {
		t.Fatalf("a dry run: %v (-want +got):\n%s", err, diff)
	}
	if h.head(t) != before {
		t.Error("a dry run has written something")
	}
	in.DryRun = false
	if got, err = h.ImportCalendar(t.Context(), ada(), in); err != nil || summary(got) != want {
		t.Fatalf("ImportCalendar() = %s, %v", summary(got), err)
	}
	h.wantDuty(t, "imported", "r1", time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC), "ada")
	if got, err = h.ImportCalendar(t.Context(), ada(), in); err != nil || len(got.Made) != 0 || len(got.Same) != 3 {
		t.Errorf("importing it again makes %d and finds %d the same, %v", len(got.Made), len(got.Same), err)
	}
	in.Calendar = []byte("hello")
	_, err = h.ImportCalendar(t.Context(), ada(), in)
	wantFault(t, "no calendar", err, fault.CodeInvalid, "calendar", "")
}
