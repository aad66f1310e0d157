package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/api"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/runner"
	"github.com/watchroom/watchroom/internal/search"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

func member(name string) people.Actor {
	return people.Actor{User: id.User("u-" + name), Name: strings.ToUpper(name[:1]) + name[1:], Role: people.Member}
}

// say is a line of a member in a room.
func (h *house) say(name string, l dispatch.Line) id.Seq {
	h.t.Helper()
	seq, err := h.dispatch.Say(h.t.Context(), member(name), l)
	if err != nil {
		h.t.Fatal(err)
	}
	return seq
}

func digits(seq id.Seq) string { return strconv.FormatInt(int64(seq), 10) }

// TestNoAnswerSpeaksOfAPrivateRoom: an administrator reads every address that
// there is, and meets none of the words, names and members of a room of others.
func TestNoAnswerSpeaksOfAPrivateRoom(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	n := h.alert("disk/db01")
	r, err := h.dispatch.OpenRoom(ctx, member("max"), room.Room{Kind: room.Private, Slug: "secretslug", Topic: "secrettopic", Members: []id.User{"u-olga"}})
	if err != nil {
		t.Fatal(err)
	}
	seq := h.say("max", dispatch.Line{Room: r.ID, Text: "secretword @ada @olga"})
	if err := h.dispatch.Edit(ctx, member("max"), seq, "secretword twice @ada"); err != nil {
		t.Fatal(err)
	}
	if err := h.dispatch.Pin(ctx, member("max"), seq, true); err != nil {
		t.Fatal(err)
	}
	direct := room.DirectOf("u-max", "u-olga")
	h.say("max", dispatch.Line{Room: direct, Text: "secretword between us"})
	h.ask("max", r.ID, invocation.Verdict{Allow: true, Rule: "allow role:member change", Confirm: true}, func(a *runner.Ask) { a.Incident, a.Raw, a.Parsed.Masked = n, "!secretword", "secretword" })
	err = h.store.Do(ctx, func(tx *store.Tx) error {
		return tx.PutLock(invocation.Lock{Name: "deploy/shop", Kind: invocation.Sticky, Owner: member("max").Who(), Reason: "secretword", Room: r.ID, Since: tx.Now})
	})
	if err != nil {
		t.Fatal(err)
	}
	for {
		more, err := h.store.IndexNext(ctx, "search", 100, func(e timeline.Entry) string { return strings.Join(search.Of(e), " ") })
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
	}
	addresses := []string{
		"/api/v1/rooms?q=secret", "/api/v1/timeline?q=secretword", "/api/v1/timeline?person=max&limit=100", "/api/v1/timeline?incident=1&limit=100",
		"/api/v1/search?q=secretword", "/api/v1/search?q=secretslug", "/api/v1/jobs?incident=1", "/api/v1/jobs?person=max", "/api/v1/incidents/1", "/api/v1/incidents/1/explain",
	}
	doc := h.want(h.do("ada", http.MethodGet, "/api/v1/openapi.json", ""), http.StatusOK)
	paths, _ := doc.at("paths").(map[string]any)
	for path, ops := range paths {
		_, get := ops.(map[string]any)["get"]
		if get && !strings.Contains(path, "{") && !strings.HasSuffix(path, "/stream") && !strings.HasSuffix(path, "/audit") { // who manages has the record of all commands
			addresses = append(addresses, path)
		}
	}
	if len(addresses) < 30 {
		t.Errorf("only %d addresses", len(addresses))
	}
	for _, address := range addresses {
		got := h.do("ada", http.MethodGet, address, "")
		for _, word := range []string{"secretword", "secretslug", "secrettopic", string(r.ID), string(direct)} {
			if strings.Contains(got.Text, word) && !strings.Contains(address, word) {
				t.Errorf("%s speaks of %s:\n%s", address, word, got.Text)
			}
		}
	}
	// What is not for her is for her as if it were not there.
	for _, pair := range [][2]string{
		{"/api/v1/rooms/" + string(r.ID), "/api/v1/rooms/nosuchroom"}, {"/api/v1/rooms/" + r.Slug, "/api/v1/rooms/nosuchroom"},
		{"/api/v1/rooms/" + string(direct), "/api/v1/rooms/nosuchroom"}, {"/api/v1/rooms/" + r.Slug + "/messages", "/api/v1/rooms/nosuchroom/messages"},
		{"/api/v1/messages/" + digits(seq), "/api/v1/messages/99999"}, {"/api/v1/timeline?rooms=" + r.Slug, "/api/v1/timeline?rooms=nosuchroom"},
		{"/api/v1/jobs/1", "/api/v1/jobs/99999"},
	} {
		is, none := h.want(h.do("ada", http.MethodGet, pair[0], ""), http.StatusNotFound), h.want(h.do("ada", http.MethodGet, pair[1], ""), http.StatusNotFound)
		a, _ := is.at("detail").(string)
		b, _ := none.at("detail").(string)
		if a != strings.ReplaceAll(b, "99999", "1") {
			t.Errorf("%s answers %q and %s %q", pair[0], a, pair[1], b)
		}
	}
	h.want(h.do("olga", http.MethodGet, "/api/v1/rooms/"+r.Slug, ""), http.StatusOK)
	if got := h.want(h.do("olga", http.MethodGet, "/api/v1/search?q=secretword", ""), http.StatusOK); !strings.Contains(got.Text, "secretword twice") {
		t.Errorf("a member finds %s", got.Text)
	}
	if got := h.want(h.do("max", http.MethodGet, "/api/v1/locks", ""), http.StatusOK); got.at("items", 0, "reason") != "secretword" {
		t.Errorf("the owner of the lock reads %s", got.Text)
	}
}

// TestALinkDoesNotSayWhoTalks: the words are part of the record, the room is not.
func TestALinkDoesNotSayWhoTalks(t *testing.T) {
	h := newHouse(t)
	n, direct := h.alert("disk/db01"), room.DirectOf("u-ada", "u-max")
	scoped := member("max")
	scoped.Scopes = []people.Permission{people.Read, people.Talk}
	seq, err := h.dispatch.Say(t.Context(), scoped, dispatch.Line{Room: direct, Text: "it was the log rotation"})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.dispatch.LinkMessage(t.Context(), member("max"), seq, n); err != nil {
		t.Fatal(err)
	}
	got := h.want(h.do("olga", http.MethodGet, "/api/v1/timeline?kinds=message_linked", ""), http.StatusOK)
	if got.at("items", 0, "payload", "text") != "it was the log rotation" || strings.Contains(got.Text, string(direct)) {
		t.Errorf("an observer reads %s", got.Text)
	}
	if got := h.want(h.do("ada", http.MethodGet, "/api/v1/messages/"+digits(seq), ""), http.StatusOK); strings.Contains(got.Text, "scopes") {
		t.Errorf("a reader learns of the token: %s", got.Text)
	}
}

// hub is the live timeline as the server has it.
type hub struct{ *live.Hub }

func (h hub) Subscribe(ctx context.Context, after id.Seq) (api.Subscription, error) {
	return h.Hub.Subscribe(ctx, after)
}

// TestWhoLeavesARoomHearsNoMoreOfIt, while their stream is open.
func TestWhoLeavesARoomHearsNoMoreOfIt(t *testing.T) {
	h := newHouse(t)
	all := live.New(h.store, slog.New(slog.DiscardHandler), time.Hour)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = all.Run(ctx) })
	defer running.Wait()
	defer stop()
	server := httptest.NewServer(h.serve(hub{all}))
	defer server.Close()
	r, err := h.dispatch.OpenRoom(ctx, member("max"), room.Room{Kind: room.Private, Slug: "raise", Members: []id.User{"u-olga"}})
	if err != nil {
		t.Fatal(err)
	}
	f := h.follow(t, server, "rooms=timeline,"+r.Slug, "")
	defer f.leave()
	before := h.say("max", dispatch.Line{Room: r.ID, Text: "welcome"})
	if got := f.next(1); !slices.Equal(got, []int{int(before)}) { // who has left hears nothing that was said before, either
		t.Errorf("the stream begins with %v, want %d", got, before)
	}
	_, err = h.dispatch.ChangeRoom(ctx, member("max"), r.ID, func(r room.Room) room.Room {
		r.Members = slices.DeleteFunc(r.Members, func(u id.User) bool { return u == "u-olga" })
		return r
	})
	if err != nil {
		t.Fatal(err)
	}
	h.say("max", dispatch.Line{Room: r.ID, Text: "now to the raise"})
	last := h.say("max", dispatch.Line{Text: "to everybody"})
	if got := f.next(1); !slices.Equal(got, []int{int(last)}) {
		t.Errorf("the stream goes on with %v, want %d", got, last)
	}
}
