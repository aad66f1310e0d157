package runner

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestBreakingTheGlassIsSeenAndPages(t *testing.T) {
	story(t, func(st *station) {
		st.reachable("ada")
		inv := st.give("kim", `board --break-glass --reason "the shop is down"`)
		st.wantState(inv.ID, invocation.Confirming)
		if got := st.said()[0].Payload.(timeline.Message).Text; !strings.Contains(got, "Break the glass?") {
			t.Errorf("the bot asks %q", got)
		}
		if open := st.incidents(); len(open) != 0 {
			t.Errorf("before it is confirmed: %v", open)
		}
		if _, err := st.desk.Confirm(st.Context(), st.actor("kim"), room.Main, "1"); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		got := st.wantState(inv.ID, invocation.Succeeded)
		if !got.Glass || len(got.Approvals) != 0 {
			t.Errorf("it ran as %+v", got)
		}
		st.wantEvents(inv.ID, invocation.EventReceived, invocation.EventDecided, invocation.EventConfirmed, invocation.EventStarted, invocation.EventGlass, invocation.EventFinished)
		if open := st.incidents(); len(open) != 1 || !strings.Contains(open[0], "Kim broke the glass: board") || !strings.Contains(open[0], "the shop is down") {
			t.Errorf("incidents %v", open)
		}
		marked := 0
		for _, e := range st.entries(timeline.CommandAsked) {
			if p := e.Payload.(timeline.Asked); p.State == "glass_broken" && p.Why == "the shop is down" && e.Person == "kim" {
				marked++
			}
		}
		if marked != 1 {
			t.Errorf("%d marks in the timeline", marked)
		}
	})
}

func TestADryRunBreaksNothing(t *testing.T) {
	story(t, func(st *station) {
		st.reachable("ada")
		inv := st.give("kim", `board --break-glass --dry-run --reason x`)
		pass(time.Second)
		st.wantState(inv.ID, invocation.Succeeded)
		if open := st.incidents(); len(open) != 0 {
			t.Errorf("incidents %v", open)
		}
	})
}

// Who may approve is called: in the room, or where they do not read it by the bot.
func TestWhoMayApproveIsCalled(t *testing.T) {
	story(t, func(st *station) {
		inv := st.give("kim", "board")
		asked := st.said()
		if m := asked[0].Payload.(timeline.Message); len(asked) != 1 || len(m.Mentions) != 2 {
			t.Errorf("in the room %d messages call %v, want lee and ada", len(asked), m.Mentions)
		}
		if _, err := st.desk.Cancel(st.Context(), st.actor("kim"), inv.Short); err != nil {
			t.Fatal(err)
		}
		private, err := st.rooms.OpenRoom(st.Context(), st.actor("kim"), room.Room{Kind: room.Private, Slug: "quiet"})
		if err != nil {
			t.Fatal(err)
		}
		inv = st.give("kim", "vault", func(a *Ask) { a.Room, a.RoomName, a.Message = private.ID, "quiet", 0 })
		own := st.saidIn(room.DirectOf("ada", room.Bot))
		if len(own) != 1 || own[0].Payload.(timeline.Message).Mentions[0] != "ada" || buttons(own[0])["approve "+inv.Short] == "" {
			t.Fatalf("ada alone is told %+v", own)
		}
		if others := st.saidIn(room.DirectOf("lee", room.Bot)); len(others) != 0 {
			t.Errorf("who may not approve it is told %+v", others)
		}
		if _, err := st.desk.Approve(st.Context(), st.actor("ada"), inv.Short); err != nil {
			t.Fatal(err)
		}
		own = st.saidIn(room.DirectOf("ada", room.Bot))
		if text := own[0].Payload.(timeline.Message).Text; text != "`vault` of Kim was approved by @ada." || len(buttons(own[0])) != 0 {
			t.Errorf("afterwards it says %q with %v", text, buttons(own[0]))
		}
	})
}

func TestWhereAndHowAnAnswerStands(t *testing.T) {
	story(t, func(st *station) {
		slow := func(text string) {
			st.script.mu.Lock()
			defer st.script.mu.Unlock()
			st.script.do = nil
			if text != "" {
				st.script.do = say(text)
			}
		}
		for _, c := range []struct {
			line, output string
			threads      []bool // of each message, whether it is in the thread of what asked
			last         string
		}{
			{"look", "", []bool{false}, "did look"},
			{"look --thread", "", []bool{true}, "did look --thread"},
			{"look --thread --no-thread", "one\ntwo", []bool{false, false}, "one\ntwo"},
			{"look", "one\ntwo", []bool{false, true}, "one\ntwo"},
			{"look --thread", "one\ntwo", []bool{true, true}, "one\ntwo"},
			{"look --json", "", []bool{false}, ""},
		} {
			slow(c.output)
			before := len(st.said())
			inv := st.give("kim", c.line)
			pass(5 * time.Second)
			st.wantState(inv.ID, invocation.Succeeded)
			said := st.said()[before:]
			if len(said) != len(c.threads) {
				t.Errorf("%s: %d messages", c.line, len(said))
				continue
			}
			for i, e := range said {
				if in := e.Thread == inv.Message && e.Thread != 0; in != c.threads[i] {
					t.Errorf("%s: message %d is in the thread: %t", c.line, i, in)
				}
			}
			text := said[len(said)-1].Payload.(timeline.Message).Text
			if c.last != "" && text != c.last {
				t.Errorf("%s: the answer is %q", c.line, text)
			}
			if c.last == "" && (!strings.HasPrefix(text, "```json\n{") || !strings.Contains(text, `"state": "succeeded"`) || !strings.Contains(text, `"text": "did look --json"`)) {
				t.Errorf("%s: the answer is %q", c.line, text)
			}
		}
		if first := st.said()[4].Payload.(timeline.Message).Text; !strings.HasSuffix(first, "2 lines are in the thread:\n> one") {
			t.Errorf("the message that lived ends as %q", first)
		}
	})
}

// A button that somebody made works for a day, for everybody who sees it.
func TestAButtonOfSomebodyEnds(t *testing.T) {
	story(t, func(st *station) {
		seq, err := st.rooms.Say(st.Context(), st.actor("ada"), dispatch.Line{Text: "Ready.", Actions: []timeline.Action{{Label: "Look", Line: "look"}}})
		if err != nil {
			t.Fatal(err)
		}
		e, err := st.store.Entry(st.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		token := buttons(e)["look"]
		for _, u := range []id.User{"kim", "lee", "kim"} {
			if inv, err := st.press(u, token); err != nil || inv.Line != "look" || inv.By.User != u {
				t.Errorf("%s presses: %+v, %v", u, inv, err)
			}
		}
		pass(25 * time.Hour)
		if _, err := st.press("kim", token); !fault.Is(err, fault.CodeConflict) {
			t.Errorf("a button of yesterday: %v", err)
		}
		looked := st.give("kim", "look")
		pass(time.Second)
		st.wantState(looked.ID, invocation.Succeeded)
	})
}

// say is a program that takes its time.
func say(text string) func(context.Context, program.Request, program.Reporter) (program.Result, error) {
	return func(ctx context.Context, _ program.Request, _ program.Reporter) (program.Result, error) {
		select {
		case <-ctx.Done():
		case <-time.After(3 * time.Second):
		}
		return program.Result{Outcome: program.Succeeded, Text: text}, nil
	}
}

func (st *station) entries(kind timeline.Kind) []timeline.Entry {
	st.Helper()
	all, err := st.store.Entries(context.Background(), store.EntryFilter{AllRooms: true, Kinds: []timeline.Kind{kind}, Limit: 1000})
	if err != nil {
		st.Fatal(err)
	}
	return all
}

func (st *station) saidIn(in id.Room) []timeline.Entry {
	st.Helper()
	var all []timeline.Entry
	for _, e := range st.said() {
		if e.Room == in {
			all = append(all, e)
		}
	}
	return all
}

// incidents are the titles of those that are there.
func (st *station) incidents() []string {
	st.Helper()
	var titles []string
	for _, e := range st.entries(timeline.IncidentTriggered) {
		inc, err := st.store.Incident(context.Background(), e.Incident)
		if err != nil {
			st.Fatal(err)
		}
		titles = append(titles, inc.Title)
	}
	return titles
}

// reachable gives somebody a way to be paged.
func (st *station) reachable(u id.User) {
	st.Helper()
	_, err := st.rooms.ChangeOrg(st.Context(), people.Operator(), func(o *org.Org) ([]org.Change, error) {
		user := o.Users[u]
		user.Contacts = []people.Contact{{ID: "mail", Method: people.Email, Address: user.Email}}
		return []org.Change{org.Put(user)}, nil
	})
	if err != nil {
		st.Fatal(err)
	}
}
