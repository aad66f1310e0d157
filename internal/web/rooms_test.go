package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
)

// room makes a room, and say says a line in it, past the browsers.
func (h *watch) room(by string, kind room.Kind, slug string, members ...id.User) room.Room {
	h.Helper()
	r, err := h.dispatch.OpenRoom(h.Context(), h.actor(by), room.Room{Kind: kind, Slug: slug, Members: members})
	if err != nil {
		h.Fatal(err)
	}
	return r
}

func (h *watch) tell(by string, in id.Room, text string) id.Seq {
	h.Helper()
	seq, err := h.dispatch.Say(h.Context(), h.actor(by), dispatch.Line{Room: in, Text: text})
	if err != nil {
		h.Fatal(err)
	}
	return seq
}

func (h *watch) status(as, method, path string, form url.Values) int {
	h.Helper()
	answer, _ := h.ask(request{as: as, method: method, path: path, form: form})
	return answer.StatusCode
}

// aside is a line between two others in their direct room.
func (h *watch) aside(text string) (id.Room, id.Seq) {
	h.Helper()
	user := func(name string) people.User {
		return people.User{ID: id.User(name), Username: name, Name: name, Email: name + "@example.org", Role: people.Member, Zone: "UTC"}
	}
	_, err := h.dispatch.ChangeOrg(h.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) {
		return []org.Change{org.Put(user("mo")), org.Put(user("jo"))}, nil
	})
	if err != nil {
		h.Fatal(err)
	}
	direct := room.DirectOf("mo", "jo")
	seq, err := h.dispatch.Say(h.Context(), people.Actor{User: "mo", Name: "mo", Role: people.Member}, dispatch.Line{Room: direct, Text: text})
	if err != nil {
		h.Fatal(err)
	}
	return direct, seq
}

// Without a script a room is made, written in, joined, left and closed by forms.
func TestRoomsByForms(t *testing.T) {
	h := newWatch(t)
	answer, _ := h.ask(request{as: "kim", method: http.MethodPost, path: "/rooms", plain: true, form: url.Values{"kind": {"public"}, "name": {"ops"}, "topic": {"What breaks"}}})
	if to := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || to != "/rooms/ops" {
		t.Fatalf("make a room: %s to %q, want a redirect to it", answer.Status, to)
	}
	if got := h.status("kim", http.MethodPost, "/rooms", url.Values{"kind": {"public"}, "name": {"ops"}}); got != http.StatusUnprocessableEntity {
		t.Errorf("the same name again: %d, want 422", got)
	}
	answer, _ = h.ask(request{as: "kim", method: http.MethodPost, path: "/rooms/ops/messages", plain: true, form: url.Values{"text": {"hello **there**"}}})
	if answer.StatusCode != http.StatusSeeOther {
		t.Errorf("write: %s, want a redirect back", answer.Status)
	}
	h.has(h.get("kim", "/rooms/ops"), "<strong>there</strong>", "What breaks", `data-chat-room="`, "Write to #ops")
	looking := h.get("ada", "/rooms/ops")
	h.has(looking, "<strong>there</strong>", "/rooms/ops/join")
	h.lacks(looking, `id="composer"`)
	h.has(h.get("olga", "/rooms/ops"), "<strong>there</strong>")
	h.lacks(h.get("olga", "/rooms/ops"), `id="composer"`, "/rooms/ops/join")
	for _, path := range []string{"/rooms/ops/join", "/rooms/ops/leave", "/rooms/ops/close"} {
		if got := h.status("ada", http.MethodPost, path, url.Values{}); got >= 400 {
			t.Errorf("POST %s: %d", path, got)
		}
	}
	if got := h.status("kim", http.MethodPost, "/rooms/ops/messages", url.Values{"text": {"too late"}}); got != http.StatusConflict {
		t.Errorf("write in a closed room: %d, want 409", got)
	}
}

// To others a private room and a direct room are not there, whatever they ask for.
func TestPrivateRoomsAreNotThere(t *testing.T) {
	h := newWatch(t)
	secret := h.room("kim", room.Private, "plans")
	seq := h.tell("kim", secret.ID, "the xylophone plan")
	direct, aside := h.aside("psst, the xylophone")
	for _, path := range []string{
		"/rooms/plans", "/rooms/" + string(secret.ID), "/rooms/plans/about", "/rooms/" + string(direct),
		fmt.Sprintf("/messages/%d", seq), fmt.Sprintf("/messages/%d/source", seq), fmt.Sprintf("/messages/%d/history", aside), fmt.Sprintf("/threads/%d", aside),
		"/timeline/entries?room=plans", "/timeline/entries?room=" + string(direct), "/timeline/stream?room=plans", "/search?q=xylophone&room=plans", "/complete?room=plans&text=@&at=1",
	} {
		if got := h.status("ada", http.MethodGet, path, nil); got != http.StatusNotFound {
			t.Errorf("GET %s as an administrator: %d, want 404", path, got)
		}
	}
	for _, path := range []string{"/messages/%d/react", "/messages/%d/pin", "/messages/%d/edit", "/messages/%d/delete", "/messages/%d/link"} {
		path = fmt.Sprintf(path, seq)
		if got := h.status("ada", http.MethodPost, path, url.Values{"emoji": {"👍"}, "text": {"x"}, "incident": {"1"}}); got != http.StatusNotFound {
			t.Errorf("POST %s: %d, want 404", path, got)
		}
	}
	for _, path := range []string{"/", "/rooms", "/chat/rooms", "/chat/jump", "/search?q=xylophone", "/timeline/entries", "/timeline/entries?thread=" + fmt.Sprint(seq)} {
		h.lacks(h.get("ada", path), "the xylophone", "plans") // what was looked for stands in its field
	}
	h.has(h.get("kim", "/search?q=xylophone"), "plan")
}

// A line whose answer got lost is sent again and has the same number.
func TestSameLineSameNumber(t *testing.T) {
	h := newWatch(t)
	form := url.Values{"text": {"once"}, "nonce": {"n-1"}}
	first, _ := h.ask(request{as: "kim", method: http.MethodPost, path: "/rooms/main/messages", form: form})
	again, _ := h.ask(request{as: "kim", method: http.MethodPost, path: "/rooms/main/messages", form: form})
	if a, b := first.Header.Get("Watchroom-Seq"), again.Header.Get("Watchroom-Seq"); a == "" || a != b {
		t.Errorf("numbers %q and %q, want the same", a, b)
	}
}

// What is done to a message comes as the message it has become; what is said in
// another room comes as a count.
func TestStreamOfARoom(t *testing.T) {
	h := newWatch(t)
	r := h.room("kim", room.Public, "ops", "u-ada")
	seq := h.tell("kim", r.ID, "first")
	here, elsewhere := h.listen("ada", "room=ops&tab=a", ""), h.listen("ada", "tab=b", "")
	here.until("ping", nil)
	elsewhere.until("ping", nil)
	if err := h.dispatch.Edit(h.Context(), h.actor("kim"), seq, "second"); err != nil {
		t.Fatal(err)
	}
	here.until("message", saying("second"))
	h.status("kim", http.MethodPost, fmt.Sprintf("/messages/%d/react", seq), url.Values{"emoji": {"👍"}})
	here.until("message", saying("👍"))
	h.tell("kim", r.ID, "@ada look")
	e := elsewhere.until("unread", nil)
	var told struct {
		Name            string
		Count, Mentions int
		Call            *struct{ By, Text string }
	}
	if err := json.Unmarshal([]byte(e.data), &told); err != nil {
		t.Fatal(err)
	}
	if told.Name != "#ops" || told.Count != 2 || told.Mentions != 1 || told.Call == nil || told.Call.By != "Kim" || told.Call.Text != "@ada look" {
		t.Errorf("unread = %s, want two of #ops and a call by Kim", e.data)
	}
	h.status("ada", http.MethodPost, "/rooms/ops/read", url.Values{"seq": {"999999"}})
	elsewhere.until("unread", saying(`"count":0`))
	reply, err := h.dispatch.Say(h.Context(), h.actor("kim"), dispatch.Line{Room: r.ID, Thread: seq, Text: "below"})
	if err != nil {
		t.Fatal(err)
	}
	here.until("message", saying("1 reply"))
	here.until("entry", func(e sse) bool { return e.seq() == reply && strings.Contains(e.data, fmt.Sprintf(`"thread":%d`, seq)) })
	h.lacks(h.get("ada", "/timeline/entries?room=ops"), "below")
	h.has(h.get("ada", fmt.Sprintf("/timeline/entries?room=ops&thread=%d", seq)), "below")
	kim := h.listen("kim", "room=ops&tab=k", "")
	kim.until("ping", nil)
	h.status("kim", http.MethodPost, "/rooms/ops/typing", url.Values{"tab": {"k"}})
	here.until("typing", saying(`"users":["Kim"]`))
	h.status("kim", http.MethodPost, "/rooms/ops/typing", url.Values{"tab": {"k"}, "thread": {fmt.Sprint(seq)}})
	here.until("typing", saying(fmt.Sprintf(`{"threads":{"%d":["Kim"]},"users":[]}`, seq)))
}

// An edit that calls somebody, a deletion and a room that is marked unread show
// in the list at once, in every window of the reader.
func TestUnreadFollowsWhatBecameOfMessages(t *testing.T) {
	h := newWatch(t)
	r := h.room("kim", room.Public, "ops", "u-ada")
	seq := h.tell("kim", r.ID, "look")
	ada := h.listen("ada", "tab=b", "")
	ada.until("ping", nil)
	if err := h.dispatch.Edit(h.Context(), h.actor("kim"), seq, "@ada look"); err != nil {
		t.Fatal(err)
	}
	ada.until("unread", func(e sse) bool {
		return strings.Contains(e.data, `"mentions":1`) && strings.Contains(e.data, fmt.Sprintf(`"seq":%d,"by":"Kim"`, seq))
	})
	h.status("ada", http.MethodPost, "/rooms/ops/read", url.Values{"seq": {"999999"}})
	ada.until("unread", saying(`"count":0`))
	if got := h.status("ada", http.MethodPost, fmt.Sprintf("/messages/%d/unread", seq), url.Values{}); got >= 400 {
		t.Fatalf("mark unread: %d", got)
	}
	ada.until("unread", saying(`"count":1`))
	h.has(h.get("ada", "/rooms/ops"), fmt.Sprintf(`data-read="%d" data-unread="1"`, seq-1))
	if err := h.dispatch.Delete(h.Context(), h.actor("kim"), seq); err != nil {
		t.Fatal(err)
	}
	ada.until("unread", saying(`"count":0`))
	secret := h.room("kim", room.Private, "plans")
	if got := h.status("ada", http.MethodPost, fmt.Sprintf("/messages/%d/unread", h.tell("kim", secret.ID, "psst")), url.Values{}); got != http.StatusNotFound {
		t.Errorf("mark a private room unread from outside: %d, want 404", got)
	}
}

// Who writes too fast is told in a sentence, and when to come back.
func TestTooFast(t *testing.T) {
	h := newWatch(t)
	h.dispatch.SetPace(0.01)
	for range dispatch.AtOnce {
		h.say("kim", "again")
	}
	answer, body := h.ask(request{as: "kim", method: http.MethodPost, path: "/rooms/main/messages", form: url.Values{"text": {"once too often"}, "nonce": {"n"}}})
	if answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After") == "" || !strings.Contains(body, "faster than anybody can read") {
		t.Errorf("the line after %d: %s, Retry-After %q: %s", dispatch.AtOnce, answer.Status, answer.Header.Get("Retry-After"), body)
	}
}

// Who is put out of a private room hears nothing more of it, on a stream that
// was open before.
func TestPutOutWhileListening(t *testing.T) {
	h := newWatch(t)
	r := h.room("kim", room.Private, "plans", "u-ada")
	ada := h.listen("ada", "room="+r.Slug, "")
	ada.until("ping", nil)
	h.tell("kim", r.ID, "before")
	ada.until("entry", saying("before"))
	if got := h.status("kim", http.MethodPost, "/rooms/"+r.Slug+"/members", url.Values{"remove": {"u-ada"}}); got >= 400 {
		t.Fatalf("put ada out: %d", got)
	}
	ada.until("rooms", nil)
	h.tell("kim", r.ID, "after")
	h.say("kim", "in the open")
	for {
		e, ok := ada.next()
		if !ok {
			t.Fatal("the stream ended")
		}
		if strings.Contains(e.data, "after") {
			t.Fatalf("heard of a room she is not in: %s", e.data)
		}
		if e.name == "unread" && strings.Contains(e.data, `"main"`) {
			return
		}
	}
}

func TestComplete(t *testing.T) {
	h := newWatch(t)
	h.alert("disk/db01")
	h.room("kim", room.Public, "ops", "u-ada")
	for _, c := range []struct{ text, at, want string }{
		{"ask @ki", "7", `"insert":"@kim","label":"@kim","hint":"Kim","from":4,"to":7`},
		{"see @@sto", "9", `"insert":"@@storage"`},
		{"@on", "3", `"insert":"@oncall"`},
		{"in #op", "6", `"insert":"#ops"`},
		{"is it #1", "8", `"insert":"#1"`},
		{"🎉 @ad", "6", `"from":3,"to":6`},
		{"nobody", "6", `"candidates":[]`},
	} {
		got := h.get("kim", "/complete?room=ops&text="+url.QueryEscape(c.text)+"&at="+c.at)
		if !strings.Contains(got, c.want) {
			t.Errorf("complete %q at %s = %s, want %s", c.text, c.at, got, c.want)
		}
	}
}
