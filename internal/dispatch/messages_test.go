package dispatch

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

func (h *house) say(t *testing.T, who people.Actor, l Line) id.Seq {
	t.Helper()
	seq, err := h.Say(t.Context(), who, l)
	if err != nil {
		t.Fatalf("Say(%+v) as %s: %v", l, who.Name, err)
	}
	return seq
}

// said is a message as its readers see it.
func (h *house) said(t *testing.T, seq id.Seq) timeline.Message {
	t.Helper()
	e, err := h.store.Entry(t.Context(), seq)
	if err != nil {
		t.Fatal(err)
	}
	return e.Payload.(timeline.Message)
}

func (h *house) room(t *testing.T, who people.Actor, r room.Room) room.Room {
	t.Helper()
	made, err := h.OpenRoom(t.Context(), who, r)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestTheLifeOfAMessage(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		seq := h.say(t, kim(), Line{Text: "disk is fulll"})
		h.clock.pass(time.Minute)
		for _, text := range []string{"disk is full", "the disk is full"} {
			if err := h.Edit(ctx, kim(), seq, text); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Edit(ctx, lee(), seq, "all is well"); !fault.Is(err, fault.CodeForbidden) {
			t.Errorf("Edit by another = %v, want forbidden", err)
		}
		for _, who := range []people.Actor{kim(), lee(), lee()} {
			if err := h.React(ctx, who, seq, "👍", true); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Pin(ctx, lee(), seq, true); err != nil {
			t.Fatal(err)
		}
		answer := h.say(t, lee(), Line{Thread: seq, Text: "on it"})
		got := h.said(t, seq)
		if got.Text != "the disk is full" || got.Edits != 2 || got.EditedAt.IsZero() || got.PinnedAt.IsZero() || got.Replies != 1 {
			t.Errorf("the message reads %+v", got)
		}
		want := []timeline.ReactionSum{{Emoji: "👍", Users: []id.User{"kim", "lee"}}}
		if diff := cmp.Diff(want, got.Reactions); diff != "" {
			t.Errorf("reactions (-want +got):\n%s", diff)
		}
		m, err := h.store.Message(ctx, seq)
		if err != nil || len(m.Versions) != 2 || m.Versions[0].Text != "disk is fulll" || m.Versions[1].Text != "disk is full" {
			t.Errorf("its versions are %+v (%v)", m.Versions, err)
		}
		if _, err := h.Say(ctx, kim(), Line{Thread: answer, Text: "deeper"}); !fault.Is(err, fault.CodeInvalid) {
			t.Errorf("a thread in a thread = %v, want invalid", err)
		}
		if err := h.Delete(ctx, lee(), seq); !fault.Is(err, fault.CodeForbidden) {
			t.Errorf("Delete by another = %v, want forbidden", err)
		}
		if err := h.Delete(ctx, kim(), seq); err != nil {
			t.Fatal(err)
		}
		if got := h.said(t, seq); !got.Deleted || got.Text != "" || len(got.Reactions) > 0 || !got.PinnedAt.IsZero() {
			t.Errorf("what was deleted still reads %+v", got)
		}
		if err := h.React(ctx, lee(), seq, "👍", true); !fault.Is(err, fault.CodeNotFound) {
			t.Errorf("React to what is deleted = %v, want not found", err)
		}
		if pinned, err := h.store.Pinned(ctx, room.Main, 10); err != nil || len(pinned) > 0 {
			t.Errorf("Pinned() = %v, %v after it was deleted", pinned, err)
		}
	})
}

func TestPrivateRoomsAreForTheirMembers(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		r := h.room(t, kim(), room.Room{Kind: room.Private, Slug: "raise", Members: []id.User{"lee"}})
		seq := h.say(t, kim(), Line{Room: r.ID, Text: "secretword for @ada and @lee"})
		direct := room.DirectOf("kim", "lee")
		h.say(t, lee(), Line{Room: direct, Text: "between us"})
		for _, n := range []id.Room{r.ID, direct} {
			if _, err := h.Say(ctx, ada(), Line{Room: n, Text: "let me in"}); !fault.Is(err, fault.CodeNotFound) {
				t.Errorf("an administrator says something in %s: %v, want not found", n, err)
			}
		}
		for name, err := range map[string]error{
			"edit": h.Edit(ctx, ada(), seq, "x"), "delete": h.Delete(ctx, ada(), seq), "react": h.React(ctx, ada(), seq, "👍", true),
			"pin": h.Pin(ctx, ada(), seq, true), "link": h.LinkMessage(ctx, ada(), seq, h.open(t, "a").ID), "mark": h.MarkRead(ctx, ada(), r.ID, seq),
			"join": h.JoinRoom(ctx, ada(), r.ID), "close": h.CloseRoom(ctx, ada(), r.ID, true),
		} {
			if !fault.Is(err, fault.CodeNotFound) {
				t.Errorf("%s by who is not in the room = %v, want not found", name, err)
			}
		}
		for _, f := range []store.EntryFilter{{}, {Kinds: []timeline.Kind{timeline.MessagePosted}}, {Person: "kim"}} {
			for _, e := range h.entries(t, f) {
				if e.Room != room.Main {
					t.Errorf("the timeline by %+v shows entry %d of room %q", f, e.Seq, e.Room)
				}
			}
		}
		if got := h.said(t, seq).Mentions; !cmp.Equal(got, []id.User{"lee"}) {
			t.Errorf("it calls %v, want lee alone: ada may not read it", got)
		}
		unread, err := h.store.Unread(ctx, "lee", []id.Room{room.Main, r.ID, direct})
		if err != nil || unread[r.ID].Count != 1 || unread[r.ID].Mentions != 1 || unread[direct].Count != 0 {
			t.Errorf("Unread(lee) = %+v, %v", unread, err)
		}
		if err := h.MarkRead(ctx, lee(), r.ID, seq); err != nil {
			t.Fatal(err)
		}
		if unread, err := h.store.Unread(ctx, "lee", []id.Room{r.ID}); err != nil || unread[r.ID].Count != 0 || unread[r.ID].Mark != seq {
			t.Errorf("Unread(lee) after reading = %+v, %v", unread, err)
		}
		if rooms, err := h.store.DirectRooms(ctx, "kim", 10); err != nil || !cmp.Equal(rooms, []id.Room{direct}) {
			t.Errorf("DirectRooms(kim) = %v, %v", rooms, err)
		}
		if _, err := h.ChangeRoom(ctx, lee(), r.ID, func(r room.Room) room.Room { r.Members = append(r.Members, "ada"); return r }); err != nil {
			t.Fatal(err)
		}
		h.say(t, ada(), Line{Room: r.ID, Text: "thank you"})
		if err := h.LeaveRoom(ctx, ada(), r.ID); err != nil {
			t.Fatal(err)
		}
		if err := h.JoinRoom(ctx, ada(), r.ID); !fault.Is(err, fault.CodeNotFound) {
			t.Errorf("who left a private room comes back: %v", err)
		}
	})
}

func TestMessagesOfIncidents(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		inc := h.open(t, "disk/db01")
		r := h.room(t, kim(), room.Room{Kind: room.Public, Slug: "ops"})
		about := h.say(t, kim(), Line{Incident: inc.ID, Text: "looking"})
		h.say(t, lee(), Line{Thread: about, Text: "thanks"})
		if _, err := h.Say(ctx, kim(), Line{Room: r.ID, Incident: inc.ID, Text: "here"}); !fault.Is(err, fault.CodeInvalid) {
			t.Errorf("a message of an incident in another room = %v, want invalid", err)
		}
		elsewhere := h.say(t, kim(), Line{Room: r.ID, Text: "it was the log rotation"})
		for range 2 { // a second time changes nothing
			if err := h.LinkMessage(ctx, lee(), elsewhere, inc.ID); err != nil {
				t.Fatal(err)
			}
		}
		var talk []string
		for _, e := range h.entries(t, store.EntryFilter{Incident: inc.ID}) {
			switch p := e.Payload.(type) {
			case timeline.Message:
				talk = append(talk, p.Text)
			case timeline.Link:
				talk = append(talk, "linked: "+p.Text)
			}
		}
		if diff := cmp.Diff([]string{"looking", "thanks", "linked: it was the log rotation"}, talk); diff != "" {
			t.Errorf("the record of the incident (-want +got):\n%s", diff)
		}
		if got := h.said(t, elsewhere).Incidents; !cmp.Equal(got, []id.Incident{inc.ID}) {
			t.Errorf("the message is linked to %v", got)
		}
	})
}

func TestFilesBelongToWhoUploadedThem(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		upload := func(n id.File, u id.User) {
			err := h.store.Do(ctx, func(tx *store.Tx) error {
				return tx.PutFile(store.File{File: timeline.File{ID: n, Name: "graph.png", Type: "image/png", Size: 3}, Key: "k", Person: u, At: tx.Now})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		upload("f1", "kim")
		upload("f2", "lee")
		if _, err := h.Say(ctx, kim(), Line{Files: []id.File{"f2"}}); !fault.Is(err, fault.CodeInvalid) {
			t.Errorf("showing somebody else's file = %v, want invalid", err)
		}
		r := h.room(t, kim(), room.Room{Kind: room.Private, Slug: "us"})
		seq := h.say(t, kim(), Line{Room: r.ID, Files: []id.File{"f1"}})
		if _, err := h.Say(ctx, kim(), Line{Files: []id.File{"f1"}}); !fault.Is(err, fault.CodeInvalid) {
			t.Errorf("showing a file twice = %v, want invalid", err)
		}
		f, err := h.store.File(ctx, "f1")
		if err != nil || f.Room != r.ID || f.Seq != seq {
			t.Errorf("the file stands in %q at %d (%v)", f.Room, f.Seq, err)
		}
	})
}

func TestWhoIsCalled(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		seq := h.say(t, ada(), Line{Text: "@Lee and @@dba, also @max who left, @nobody, `@obi` and mail kim@example.org. @here"})
		got := h.said(t, seq)
		if diff := cmp.Diff([]id.User{"lee", "kim"}, got.Mentions); diff != "" || !got.Everybody {
			t.Errorf("it calls (-want +got), everybody %t:\n%s", got.Everybody, diff)
		}
		if err := h.Post(context.Background(), obi(), 0, "I only read"); !fault.Is(err, fault.CodeForbidden) {
			t.Errorf("an observer writes: %v", err)
		}
	})
}

func TestTheBotRevisesWhatItSaid(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		half := 50
		seq, err := h.Answer(ctx, Line{Text: "queued", Invocation: "i1", Doc: &timeline.Document{Status: timeline.StatusWaiting}})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Revise(ctx, seq, "running 50 %", &timeline.Document{Status: timeline.StatusRunning, Progress: &half}); err != nil {
			t.Fatal(err)
		}
		got := h.said(t, seq)
		if got.Text != "running 50 %" || got.Doc == nil || got.Doc.Status != timeline.StatusRunning || got.Edits != 0 || got.Invocation != "i1" {
			t.Errorf("it reads %+v", got)
		}
		mine := h.say(t, kim(), Line{Text: "mine"})
		if err := h.Revise(ctx, mine, "x", nil); !fault.Is(err, fault.CodeForbidden) {
			t.Errorf("Revise of a person's message = %v", err)
		}
	})
}

func TestPageOnePerson(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		first, err := h.Page(ctx, ada(), "kim", "the shop is down", "chat/1")
		if err != nil {
			t.Fatal(err)
		}
		again, err := h.Page(ctx, ada(), "kim", "the shop is down", "chat/1")
		if err != nil || again.ID != first.ID {
			t.Errorf("asking twice opened #%d and #%d (%v)", first.ID, again.ID, err)
		}
		var paged []id.User
		for _, e := range h.entries(t, store.EntryFilter{Incident: first.ID, Kinds: []timeline.Kind{timeline.StepStarted, timeline.EscalationExhausted}}) {
			if p, ok := e.Payload.(timeline.Step); ok {
				paged = append(paged, p.Users...)
			} else {
				t.Errorf("entry %s", e.Kind)
			}
		}
		if diff := cmp.Diff([]id.User{"kim"}, paged); diff != "" {
			t.Errorf("who is paged (-want +got):\n%s", diff)
		}
		if _, err := h.Page(ctx, ada(), "ann", "hello", "chat/2"); !fault.Is(err, fault.CodeConflict) {
			t.Errorf("paging who cannot be reached = %v", err)
		}
		if _, err := h.Page(ctx, obi(), "kim", "hello", "chat/3"); !fault.Is(err, fault.CodeForbidden) {
			t.Errorf("paging by an observer = %v", err)
		}
	})
}

func TestEditsCallWhoWasNotCalled(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		seq := h.say(t, ada(), Line{Text: "@kim look"})
		unread := func(u id.User, want store.Unread) {
			t.Helper()
			got, err := h.store.Unread(ctx, u, []id.Room{room.Main})
			if err != nil || got[room.Main].Count != want.Count || got[room.Main].Mentions != want.Mentions {
				t.Errorf("Unread(%s) = %+v, %v, want %d, %d of them calls", u, got, err, want.Count, want.Mentions)
			}
		}
		edits := func() (all []timeline.Edit) {
			for _, e := range h.entries(t, store.EntryFilter{Kinds: []timeline.Kind{timeline.MessageEdited}}) {
				all = append(all, e.Payload.(timeline.Edit))
			}
			return all
		}
		for i, tt := range []struct {
			text           string
			mentions, call []id.User
			here           bool
		}{
			{"@lee look @ada", []id.User{"lee"}, []id.User{"lee"}, false},
			{"@kim @lee look", []id.User{"kim", "lee"}, nil, false},
			{"@lee look @here", []id.User{"lee"}, nil, true},
			{"look @here, all of you", nil, nil, false},
			{"@lee look", []id.User{"lee"}, nil, false},
		} {
			if err := h.Edit(ctx, ada(), seq, tt.text); err != nil {
				t.Fatal(err)
			}
			want := timeline.Edit{Of: seq, Text: tt.text, Mentions: tt.mentions, Calls: tt.call, Here: tt.here}
			if diff := cmp.Diff(want, edits()[i]); diff != "" {
				t.Errorf("edit %q (-want +got):\n%s", tt.text, diff)
			}
			if got := h.said(t, seq); got.Everybody != strings.Contains(tt.text, "@here") {
				t.Errorf("after %q it calls everybody: %t", tt.text, got.Everybody)
			}
		}
		unread("lee", store.Unread{Count: 1, Mentions: 1})
		unread("kim", store.Unread{Count: 1})
		if err := h.Delete(ctx, ada(), seq); err != nil {
			t.Fatal(err)
		}
		unread("lee", store.Unread{})
	})
}

func TestMarkUnread(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		r := h.room(t, kim(), room.Room{Kind: room.Private, Slug: "us", Members: []id.User{"lee"}})
		first := h.say(t, kim(), Line{Room: r.ID, Text: "@lee one"})
		last := h.say(t, kim(), Line{Room: r.ID, Text: "two"})
		if err := h.MarkRead(ctx, lee(), r.ID, last); err != nil {
			t.Fatal(err)
		}
		if err := h.MarkUnread(ctx, lee(), first); err != nil {
			t.Fatal(err)
		}
		got, err := h.store.Unread(ctx, "lee", []id.Room{r.ID})
		if want := (store.Unread{Mark: first - 1, Last: last, Count: 2, Mentions: 1}); err != nil || got[r.ID] != want {
			t.Errorf("Unread() = %+v, %v, want %+v", got[r.ID], err, want)
		}
		if err := h.MarkUnread(ctx, ada(), first); !fault.Is(err, fault.CodeNotFound) {
			t.Errorf("by who may not read it: %v, want not found", err)
		}
	})
}

// What a file changes in a room is told in that room; of a private one nothing
// stands anywhere else.
func TestRoomsThatAreApplied(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		r := room.Room{ID: "r9", Kind: room.Private, Slug: "raise", Members: []id.User{"lee"}}
		open := room.Room{ID: "r8", Kind: room.Public, Slug: "ops"}
		for _, changes := range [][]org.Change{{org.Put(r), org.Put(open)}, {org.Put(room.Room{ID: "r9", Kind: room.Private, Slug: "raise", Topic: "more", Members: []id.User{"lee", "kim"}})}} {
			if _, err := h.ChangeOrg(t.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) { return changes, nil }); err != nil {
				t.Fatal(err)
			}
		}
		told := map[id.Room][]timeline.Payload{}
		for _, e := range h.entries(t, store.EntryFilter{Rooms: []id.Room{room.Main, "r8", "r9"}}) {
			switch p := e.Payload.(type) {
			case timeline.RoomMade, timeline.RoomChange:
				told[e.Room] = append(told[e.Room], e.Payload)
			case timeline.Change:
				if p.Object == string(org.RoomKind) {
					t.Errorf("the timeline says %+v", p)
				}
			}
		}
		made := timeline.RoomMade{Room: "r8", Name: "ops", What: "public"}
		want := map[id.Room][]timeline.Payload{
			room.Main: {made}, "r8": {made},
			"r9": {timeline.RoomMade{Room: "r9", Name: "raise", What: "private"}, timeline.RoomChange{Room: "r9", Name: "raise", Topic: "more", Joined: []string{"Kim"}, Fields: []string{"members", "topic"}}},
		}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("what is told (-want +got):\n%s", diff)
		}
	})
}

// TestReactionsAreEmoji: whatever else is sent is refused, by the page and by
// the API alike; the name of an emoji is as good as the sign.
func TestReactionsAreEmoji(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		seq := h.say(t, kim(), Line{Text: "look at this"})
		for _, text := range []string{"", "YOU-ARE-FIRED", "\u202e", "👍👍", "a", ":nosuchthing:"} {
			if err := h.React(t.Context(), lee(), seq, text, true); !fault.Is(err, fault.CodeInvalid) {
				t.Errorf("React(%q) = %v, want invalid", text, err)
			}
		}
		if err := h.React(t.Context(), lee(), seq, ":tada:", true); err != nil {
			t.Fatal(err)
		}
		m, err := h.store.Message(t.Context(), seq)
		if err != nil || len(m.Reactions) != 1 || m.Reactions[0].Emoji != "🎉" {
			t.Errorf("reactions are %+v, %v, want one 🎉", m.Reactions, err)
		}
	})
}

func TestNothingToSeeIsNoMessage(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		for _, text := range []string{"", " \n", "\u200b\u00ad", "\u3164"} {
			if _, err := h.Say(t.Context(), kim(), Line{Text: text}); !fault.Is(err, fault.CodeInvalid) {
				t.Errorf("Say(%q) = %v, want invalid", text, err)
			}
		}
		h.say(t, kim(), Line{Text: "👨\u200d👩\u200d👧"})
	})
}

// TestNobodyLearnsOfAPrivateRoomByItsName: neither a new room nor a new name is
// refused because of a room that one may not see.
func TestNobodyLearnsOfAPrivateRoomByItsName(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		secret := h.room(t, kim(), room.Room{Kind: room.Private, Slug: "raise"})
		if !strings.HasPrefix(secret.Slug, "raise-") || !people.ValidSlug(secret.Slug) || secret.Wish() != "raise" {
			t.Errorf("the private room is called %q, %q by people", secret.Slug, secret.Wish())
		}
		if open := h.room(t, lee(), room.Room{Kind: room.Public, Slug: "raise"}); open.Slug != "raise" {
			t.Errorf("the public room is called %q, want raise", open.Slug)
		}
		if again := h.room(t, lee(), room.Room{Kind: room.Private, Slug: "raise"}); again.Slug == secret.Slug {
			t.Errorf("two private rooms are called %q", again.Slug)
		}
		renamed, err := h.ChangeRoom(t.Context(), kim(), secret.ID, func(r room.Room) room.Room { r.Topic = "money"; return r })
		if err != nil || renamed.Slug != secret.Slug {
			t.Errorf("with another topic it is called %q, %v, want %q", renamed.Slug, err, secret.Slug)
		}
		renamed, err = h.ChangeRoom(t.Context(), kim(), secret.ID, func(r room.Room) room.Room { r.Slug = strings.Repeat("x", people.MaxSlug); return r })
		if err != nil || len(renamed.Slug) != people.MaxSlug || renamed.Slug == renamed.Wish() || renamed.Wish() != strings.Repeat("x", people.MaxSlug) {
			t.Errorf("with another name it is called %q, %q by people, %v", renamed.Slug, renamed.Wish(), err)
		}
		if _, err := h.OpenRoom(t.Context(), lee(), room.Room{Kind: room.Private, Slug: "No Slug"}); !fault.Is(err, fault.CodeInvalid) || strings.Contains(err.Error(), "No Slug-") {
			t.Errorf("OpenRoom = %v", err)
		}
	})
}
