package hubottest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/api"
	"github.com/watchroom/watchroom/internal/blob"
	"github.com/watchroom/watchroom/internal/chat/victorops"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/upload"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// patience bounds every wait: Node starts slowly on a busy machine.
const patience = 90 * time.Second

// house is a server with Ada, Kim, a robot, and a room ops of Kim and the robot.
type house struct {
	*testing.T
	store    *store.Store
	dispatch *dispatch.Dispatcher
	accounts *account.Service
	files    *upload.Service
	chat     *victorops.Server
	web      *httptest.Server
	robot    org.Robot
	key      string
	ops      room.Room
	seen     id.Seq // what the robot has said up to here is read

	mu      sync.Mutex
	handler http.Handler // guarded by mu
	stop    func()
}

// Subscribe makes the hub what the API knows.
type stream struct{ hub *live.Hub }

func (s stream) Subscribe(ctx context.Context, after id.Seq) (api.Subscription, error) {
	return s.hub.Subscribe(ctx, after)
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, store: storetest.Open(t)}
	box := secrettest.Box(t)
	log := slog.New(slog.DiscardHandler)
	h.dispatch = dispatch.New(h.store, box, log)
	h.accounts = account.New(h.store, box, account.Options{PublicURL: "http://watch.example", Log: log})
	h.files = openFiles(t, h.store, log)
	h.furnish()
	h.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		handler := h.handler
		h.mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	h.start()
	t.Cleanup(func() {
		h.stop()
		h.web.CloseClientConnections()
		h.web.Close()
	})
	return h
}

// start runs a node; its address stays the same over restarts.
func (h *house) start() {
	h.Helper()
	log := slog.New(slog.DiscardHandler)
	hub := live.New(h.store, log, 20*time.Millisecond)
	h.chat = victorops.New(victorops.Deps{Store: h.store, Live: hub, Dispatch: h.dispatch, PublicURL: "http://watch.example", Log: log})
	mux := http.NewServeMux()
	mux.Handle("GET "+victorops.Path, h.chat)
	err := api.Register(mux, api.Deps{
		Store: h.store, Dispatch: h.dispatch, Accounts: h.accounts, Files: h.files, Stream: stream{hub}, Log: log, PublicURL: &url.URL{Scheme: "http", Host: "watch.example"},
		Authenticate: func(*http.Request) (people.Actor, error) { return people.Actor{}, fault.Unauthenticated("") },
		AssetURL:     func(name string) string { return "/static/" + name },
	})
	if err != nil {
		h.Fatal(err)
	}
	h.mu.Lock()
	h.handler = mux
	h.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	for _, run := range []func(context.Context) error{hub.Run, h.dispatch.Run, h.chat.Run} {
		parts.Go(func() { _ = run(ctx) })
	}
	h.stop = func() { cancel(); parts.Wait() }
}

func (h *house) furnish() {
	h.Helper()
	person := func(u id.User, name string, role people.Role) org.Change {
		address := string(u) + "@example.org"
		return org.Put(people.User{
			ID: u, Username: string(u), Name: name, Email: address, Role: role, Zone: "UTC",
			Contacts: []people.Contact{{ID: id.Contact("c-" + u), Method: people.Email, Address: address}},
		})
	}
	changes := []org.Change{
		person("ada", "Ada", people.Admin), person("kim", "Kim", people.Member),
		org.Put(escalation.Policy{
			ID: "p1", Slug: "all", Name: "All", RepeatAfter: escalation.DefaultRepeatAfter, Steps: []escalation.Step{{Targets: []escalation.Target{{User: "kim"}}}},
		}),
		org.Put(routing.Key{ID: "k1", Name: "database", Policy: "p1"}),
		org.Put(org.Settings{Name: "Acme", DefaultPolicy: "p1", WarningsOpen: true, SnoozeMorningAt: "09:00"}),
	}
	if _, err := h.dispatch.ChangeOrg(h.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) { return changes, nil }); err != nil {
		h.Fatal(err)
	}
	var err error
	if h.key, h.robot, err = h.dispatch.AddRobot(h.Context(), ada(), dispatch.RobotSpec{Name: "Hubot"}); err != nil {
		h.Fatal(err)
	}
	if h.ops, err = h.dispatch.OpenRoom(h.Context(), ada(), room.Room{Kind: room.Private, Slug: "ops", Members: []id.User{"kim", h.robot.User}}); err != nil {
		h.Fatal(err)
	}
}

func openFiles(t *testing.T, s *store.Store, log *slog.Logger) *upload.Service {
	t.Helper()
	bucket, err := blob.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bucket.Close(); err != nil {
			t.Error(err)
		}
	})
	scanner, err := blob.NewScanner("")
	if err != nil {
		t.Fatal(err)
	}
	return upload.New(s, bucket, blob.Intake{Policy: blob.Policy{MaxBytes: 1 << 20}, Inspector: blob.NewInspector(1), Scanner: scanner}, log)
}

func ada() people.Actor {
	return people.Actor{User: "ada", Name: "Ada", Role: people.Admin, Origin: timeline.Browser}
}

// kim says something.
func (h *house) kim(l dispatch.Line) id.Seq {
	h.Helper()
	seq, err := h.dispatch.Say(h.Context(), people.Actor{User: "kim", Name: "Kim", Role: people.Member, Origin: timeline.Browser}, l)
	if err != nil {
		h.Fatal(err)
	}
	return seq
}

// until waits for what will happen.
func (h *house) until(what string, is func() bool) {
	h.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); !is(); {
		select {
		case <-deadline:
			h.Fatalf("%s: it does not happen; the robot has said %q", what, texts(h.said(0)))
		case <-tick.C:
		}
	}
}

// said is what the robot has said after a number.
func (h *house) said(after id.Seq) []timeline.Entry {
	h.Helper()
	found, err := h.store.Entries(context.WithoutCancel(h.Context()), store.EntryFilter{
		AllRooms: true, After: after, FromStart: true, Person: h.robot.User, Kinds: []timeline.Kind{timeline.MessagePosted}, Limit: 1000,
	})
	if err != nil {
		h.Fatal(err)
	}
	return found
}

func texts(entries []timeline.Entry) []string {
	all := make([]string, len(entries))
	for i, e := range entries {
		m, _ := e.Payload.(timeline.Message)
		all[i] = m.Text
	}
	return all
}

// answers waits for what the robot says next, which must be just that.
func (h *house) answers(want ...string) []timeline.Entry {
	h.Helper()
	h.until(fmt.Sprintf("the robot says %q", want), func() bool { return len(h.said(h.seen)) >= len(want) })
	found := h.said(h.seen)
	h.seen = found[len(found)-1].Seq
	got := texts(found)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		h.Fatalf("the robot says %q, want %q", got, want)
	}
	return found
}

// A real Hubot over the chat endpoint, with an adapter that talks as the
// official one does.
func TestHubotOverTheChatEndpoint(t *testing.T) {
	h := newHouse(t)
	startHubot(t, []string{
		"HUBOT_VICTOROPS_URL=" + strings.Replace(h.web.URL, "http", "ws", 1) + victorops.Path, "HUBOT_VICTOROPS_KEY=" + h.key, "HUBOT_VICTOROPS_LOGIN_INTERVAL=0.2",
	}, "--file", "victorops.mjs")
	h.answers("ready")
	h.kim(dispatch.Line{Text: "hubot ping"})
	h.answers("PONG")
	h.kim(dispatch.Line{Text: "I love badgers"})
	h.answers("Badgers?")
	h.kim(dispatch.Line{Text: `@hubot echo héllo 🚀 "q" & <b>` + "\ntwo lines"})
	h.answers(`@kim: héllo 🚀 "q" & <b>` + "\ntwo lines")
	h.kim(dispatch.Line{Text: "hubot deploy.run app:web"})
	h.answers("@kim: deployed web")
	if found := h.answersTo("@hubot help"); !strings.Contains(found, "deploy.run") {
		t.Errorf("help: %s", found)
	}
	_, err := h.dispatch.Accept(t.Context(), alert.Alert{
		Type: alert.Critical, EntityID: "disk/db07", Title: "disk", Message: "97%\n\"used\" & <hot>", Tool: "probe", RoutingKey: "database", Raw: "{}",
	})
	if err != nil {
		t.Fatal(err)
	}
	h.answers("alert 1 PROBLEM 0 97%\n\"used\" & <hot>", "state 1 UNACKED paged 0")

	// the server restarts: what is said meanwhile reaches the robot once
	h.stop()
	h.kim(dispatch.Line{Text: "hubot echo while you were away"})
	h.start()
	h.answers("@kim: while you were away")
	h.kim(dispatch.Line{Text: "hubot ping"})
	h.answers("PONG")
}

// readsFile is that somebody who reads the room gets the one file that a line shows.
func (h *house) readsFile(u id.User, shown timeline.Entry, name string, want []byte) {
	h.Helper()
	m, _ := shown.Payload.(timeline.Message)
	if len(m.Files) != 1 || m.Files[0].Name != name {
		h.Fatalf("it shows the files %+v", m.Files)
	}
	c, err := h.files.Open(h.Context(), u, m.Files[0].ID, false)
	if err != nil {
		h.Fatal(err)
	}
	defer c.Close()
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, want) {
		h.Errorf("the file has %d bytes (%v), and was sent with %d", len(got), err, len(want))
	}
}

// answersTo is the one thing that the robot answers.
func (h *house) answersTo(text string) string {
	h.Helper()
	h.kim(dispatch.Line{Text: text})
	h.until("the robot answers "+text, func() bool { return len(h.said(h.seen)) == 1 })
	found := h.said(h.seen)
	h.seen = found[0].Seq
	return texts(found)[0]
}

// A real Hubot with our adapter: rooms, threads, direct messages, topics.
func TestHubotWithOurAdapter(t *testing.T) {
	h := newHouse(t)
	token, _, err := h.accounts.CreateToken(t.Context(), ada(), h.robot.User, "hubot", []people.Permission{people.Read, people.Talk, people.Respond})
	if err != nil {
		t.Fatal(err)
	}
	startHubot(t, []string{"HUBOT_WATCHROOM_URL=" + h.web.URL, "HUBOT_WATCHROOM_TOKEN=" + token, "TEST_ROOM=" + h.ops.Slug}, "--adapter", "hubot-watchroom")
	h.answers("ready")
	seq := h.kim(dispatch.Line{Text: "hubot whoami"})
	h.answers(fmt.Sprintf("name=kim room=timeline id=%d thread=undefined", seq))
	seq = h.kim(dispatch.Line{Room: h.ops.ID, Text: "@hubot whoami"})
	if e := h.answers(fmt.Sprintf("name=kim room=%s id=%d thread=undefined", h.ops.Slug, seq)); e[0].Room != h.ops.ID || e[0].Actor.Origin != timeline.Robot {
		t.Errorf("answered %+v", e)
	}
	root := h.kim(dispatch.Line{Room: h.ops.ID, Text: "about badgers"})
	h.answers("Badgers?")
	seq = h.kim(dispatch.Line{Room: h.ops.ID, Thread: root, Text: "hubot whoami"})
	if e := h.answers(fmt.Sprintf("name=kim room=%s id=%d thread=%d", h.ops.Slug, seq, root)); e[0].Thread != root {
		t.Errorf("in a thread answered %+v", e)
	}
	h.kim(dispatch.Line{Room: h.ops.ID, Thread: root, Text: "hubot show yourself"})
	shown := h.answers("this is me")[0]
	if shown.Room != h.ops.ID || shown.Thread != root {
		t.Errorf("a file was shown in %q, thread %d", shown.Room, shown.Thread)
	}
	h.readsFile("kim", shown, "test.mjs", read(t, "testdata/scripts/test.mjs"))
	h.kim(dispatch.Line{Text: "hubot announce the release"})
	if e := h.answers("the release"); e[0].Room != h.ops.ID {
		t.Errorf("announced %+v", e)
	}
	h.kim(dispatch.Line{Text: "hubot later"})
	h.answers("later")
	h.kim(dispatch.Line{Text: "hubot choose"})
	asked := h.answers("Deploy?")[0].Payload.(timeline.Message)
	button := func(b timeline.Block) bool { return len(b.Actions) == 1 && b.Actions[0].Label == "Yes" }
	if asked.Doc == nil || !slices.ContainsFunc(asked.Doc.Blocks, button) {
		t.Errorf("a question with a button has %+v", asked.Doc)
	}
	h.kim(dispatch.Line{Text: "hubot echo héllo 🚀 \"q\" & <b>"})
	h.answers("@kim héllo 🚀 \"q\" & <b>")
	if found := h.answersTo("hubot help"); !strings.Contains(found, "deploy.run") {
		t.Errorf("help: %s", found)
	}
	h.kim(dispatch.Line{Room: h.ops.ID, Text: "hubot topic on fire"})
	h.until("the topic", func() bool {
		o, err := h.store.Org(t.Context())
		return err == nil && o.Rooms[h.ops.ID].Topic == "on fire"
	})
	direct := room.DirectOf("kim", h.robot.User) // it finds the room by itself, and there it is always meant
	h.kim(dispatch.Line{Room: direct, Text: "ping"})
	if e := h.answers("PONG"); e[0].Room != direct {
		t.Errorf("in the direct room answered %+v", e)
	}
	_, err = h.dispatch.Accept(t.Context(), alert.Alert{Type: alert.Critical, EntityID: "disk/db07", Title: "disk", Message: "full", Tool: "probe", RoutingKey: "database", Raw: "{}"})
	if err != nil {
		t.Fatal(err)
	}
	h.answers("event 1")

	// the server restarts: what is said meanwhile is answered once
	h.stop()
	h.web.CloseClientConnections()
	h.kim(dispatch.Line{Text: "hubot echo while you were away"})
	h.start()
	h.answers("@kim while you were away")
}
