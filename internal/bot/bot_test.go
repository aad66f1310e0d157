package bot

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/builtin"
	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/runner"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// own are commands beside the built-in ones.
type own struct{}

func (own) Commands() []Entry {
	return []Entry{{Declaration: command.Declaration{ID: "wipe", Words: []string{"wipe"}, Summary: "Destroys", Risk: command.Changes, Confirm: true}}}
}

// node is a server with the bot, on a database that others may share.
type node struct {
	*testing.T
	*Bot
	rooms *dispatch.Dispatcher
}

func newNode(t *testing.T, cfg store.Config, box *secret.Box) *node {
	t.Helper()
	s := storetest.OpenAt(t, cfg)
	log := slog.New(slog.DiscardHandler)
	d := dispatch.New(s, box, log)
	deps := &builtin.Deps{Store: s, Dispatch: d, PublicURL: "https://watch.example.org"}
	tour := &Tour{}
	catalogue, err := NewCatalogue(Builtin(builtin.Commands(deps), tour), own{})
	if err != nil {
		t.Fatal(err)
	}
	judge := NewJudge(catalogue, log)
	b := New(s, d, runner.NewDesk(s, judge, catalogue, box, log), judge, log, time.Hour)
	tour.Of(b)
	deps.Desk, deps.Allowed, deps.Explain = b.Table(), b.Allowed, b.Explain
	return &node{t, b, d}
}

// nodes are two servers on PostgreSQL, and on SQLite the one that there is twice.
func nodes(t *testing.T, test func(t *testing.T, a, b *node)) {
	t.Helper()
	box := secrettest.Box(t)
	t.Run("sqlite", func(t *testing.T) {
		a := newNode(t, store.Config{Path: filepath.Join(t.TempDir(), "watchroom.db")}, box)
		a.furnish()
		test(t, a, a)
	})
	t.Run("postgres", func(t *testing.T) {
		cfg := store.Config{Database: pgtest.URL(t)}
		a := newNode(t, cfg, box)
		a.furnish()
		test(t, a, newNode(t, cfg, box))
	})
}

func (n *node) furnish() {
	n.Helper()
	user := func(u id.User, role people.Role) org.Change {
		return org.Put(people.User{ID: u, Username: string(u), Name: string(u), Email: string(u) + "@example.org", Role: role, Zone: "UTC", Chat: people.ChatSettings{Greeted: time.Unix(1, 0)}})
	}
	_, err := n.rooms.ChangeOrg(n.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) {
		return []org.Change{
			user("ada", people.Admin), user("kim", people.Member), user("lee", people.Member),
			org.Put(people.User{ID: "hal", Username: "hal", Name: "Hal", Role: people.Member, Zone: "UTC", Robot: true}),
			org.Put(org.Settings{Name: "Example", SnoozeMorningAt: "09:00", Rules: "allow everyone read\nallow role:member change\nallow robot:hal *\n"}),
		}, nil
	})
	if err != nil {
		n.Fatal(err)
	}
}

func (n *node) as(u id.User) people.Actor {
	n.Helper()
	o, err := n.store.Org(n.Context())
	if err != nil {
		n.Fatal(err)
	}
	return people.Actor{User: u, Name: o.Users[u].Name, Role: o.Users[u].Role, Origin: timeline.Browser}
}

func (n *node) say(by people.Actor, l dispatch.Line) id.Seq {
	n.Helper()
	seq, err := n.rooms.Say(n.Context(), by, l)
	if err != nil {
		n.Fatal(err)
	}
	return seq
}

// listen hears all there is to hear.
func (n *node) listen() {
	n.Helper()
	for more := true; more; {
		var err error
		if more, err = n.runOnce(n.Context()); err != nil {
			n.Fatal(err)
		}
	}
}

// given are the commands that were heard, by the message that gave them.
func (n *node) given() map[id.Seq][]invocation.Invocation {
	n.Helper()
	found, err := n.store.Invocations(context.Background(), store.InvocationFilter{Limit: 1000})
	if err != nil {
		n.Fatal(err)
	}
	all := map[id.Seq][]invocation.Invocation{}
	for _, inv := range found {
		all[inv.Message] = append(all[inv.Message], inv)
	}
	return all
}

// TestTwoNodesHearAMessageOnce: a message is heard, and by one of them.
func TestTwoNodesHearAMessageOnce(t *testing.T) {
	nodes(t, func(t *testing.T, a, b *node) {
		const many = 60
		var said []id.Seq
		for range many {
			said = append(said, a.say(a.as("kim"), dispatch.Line{Text: "!locks"}))
		}
		var both sync.WaitGroup
		for _, n := range []*node{a, b} {
			both.Go(func() {
				for more := true; more; {
					var err error
					if more, err = n.runOnce(t.Context()); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		both.Wait()
		given := a.given()
		if len(given) != many {
			t.Errorf("%d of %d messages were heard", len(given), many)
		}
		for _, seq := range said {
			if len(given[seq]) != 1 {
				t.Errorf("message %d was heard %d times", seq, len(given[seq]))
			}
		}
	})
}

// TestATokenBoundsTheCommandsItSays: who may only talk gives no commands by talking.
func TestATokenBoundsTheCommandsItSays(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		scoped := a.as("kim")
		scoped.Scopes, scoped.Origin = []people.Permission{people.Read, people.Talk}, timeline.API
		limited, free := a.say(scoped, dispatch.Line{Text: "!lock deploy/shop"}), a.say(a.as("kim"), dispatch.Line{Text: "!lock deploy/shop"})
		a.listen()
		given := a.given()
		if got := given[limited]; len(got) != 1 || got[0].State != invocation.Denied {
			t.Errorf("with a token for talking: %+v", got)
		}
		if got := given[free]; len(got) != 1 || got[0].State != invocation.Queued {
			t.Errorf("without one: %+v", got)
		}
	})
}

// TestALimitCountsWhatItIsAbout: not what others have run meanwhile, however often.
func TestALimitCountsWhatItIsAbout(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		_, err := a.rooms.ChangeOrg(t.Context(), people.Operator(), func(o *org.Org) ([]org.Change, error) {
			settings := o.Settings
			settings.Rules += "limit locks 1/day per user\nlimit * 1000/day per all\n"
			return []org.Change{org.Put(settings)}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = a.store.Do(t.Context(), func(tx *store.Tx) error {
			for i := range 1100 {
				inv := invocation.Invocation{
					ID: id.Invocation(id.New()), State: invocation.Succeeded, Command: "locks", AskedAt: tx.Now, StartedAt: tx.Now,
					Username: "hal", By: timeline.Actor{User: "hal"}, DryRun: i < 600,
				}
				if i == 0 {
					inv.Username, inv.By.User, inv.DryRun, inv.StartedAt = "kim", "kim", false, tx.Now.Add(-time.Hour)
				}
				if _, err := tx.AddInvocation(inv); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for user, want := range map[id.User]invocation.State{"kim": invocation.Denied, "lee": invocation.Queued} {
			inv, err := a.Give(t.Context(), a.as(user), room.Main, 0, 0, "locks")
			if err != nil || inv.State != want {
				t.Errorf("%s: %s %q, %v, want %s", user, inv.State, inv.Why, err, want)
			}
		}
	})
}

// TestARobotIsNotObeyed: what it writes is neither a command nor a yes.
func TestARobotIsNotObeyed(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		robot := a.as("hal")
		robot.Origin = timeline.Robot
		inv, err := a.Give(t.Context(), robot, room.Main, 0, 0, "wipe")
		if err != nil || inv.State != invocation.Confirming {
			t.Fatalf("Give() = %s, %v", inv.State, err)
		}
		for _, text := range []string{"yes", "!locks", "victor locks", "/locks"} {
			a.say(robot, dispatch.Line{Text: text})
		}
		a.listen()
		for seq, got := range a.given() {
			if len(got) != 1 || got[0].ID != inv.ID || got[0].State != invocation.Confirming {
				t.Errorf("message %d of a robot led to %+v", seq, got)
			}
		}
		person, err := a.Give(t.Context(), a.as("kim"), room.Main, 0, 0, "wipe")
		if err != nil || person.State != invocation.Confirming {
			t.Fatalf("Give() = %s, %v", person.State, err)
		}
		a.say(a.as("lee"), dispatch.Line{Text: "yes"}) // of somebody else it is chat
		a.listen()
		if now, err := a.store.Invocation(t.Context(), person.ID); err != nil || now.State != invocation.Confirming {
			t.Errorf("after a yes of another it is %s (%v)", now.State, err)
		}
		a.say(a.as("kim"), dispatch.Line{Text: "yes"})
		a.listen()
		if now, err := a.store.Invocation(t.Context(), person.ID); err != nil || now.State != invocation.Queued {
			t.Errorf("after the yes of who asked it is %s (%v)", now.State, err)
		}
	})
}

// An edit is an order only while what the message asked for waits.
func TestAnEditOfWhatWaits(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		ctx, kim := t.Context(), a.as("kim")
		edit := func(seq id.Seq, text string) {
			t.Helper()
			if err := a.rooms.Edit(ctx, kim, seq, text); err != nil {
				t.Fatal(err)
			}
			a.listen()
		}
		states := func(seq id.Seq) (all []string) {
			for _, inv := range a.given()[seq] {
				all = append(all, string(inv.State)+" "+inv.Line)
			}
			slices.Sort(all)
			return all
		}
		seq := a.say(kim, dispatch.Line{Text: "!wipe"})
		a.listen()
		edit(seq, "!wipe --reason 'the other one'")
		if got := states(seq); len(got) != 2 || !strings.HasPrefix(got[0], "cancelled") || !strings.HasPrefix(got[1], "confirming") || got[0] == got[1] {
			t.Errorf("after the edit there are %q, want the first cancelled and the second to be confirmed", got)
		}
		edit(seq, "never mind")
		if got := states(seq); len(got) != 2 || !strings.HasPrefix(got[1], "cancelled") {
			t.Errorf("after another edit there are %q, want both cancelled", got)
		}
		edit(seq, "!wipe")
		if got := states(seq); len(got) != 2 {
			t.Errorf("an edit of what does not wait led to %q", got)
		}
	})
}

// TestWhatIsTakenBackInTimeIsNotDone and what is given in a closed room neither.
func TestWhatIsTakenBackInTimeIsNotDone(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		ctx, kim := t.Context(), a.as("kim")
		seq := a.say(kim, dispatch.Line{Text: "!lock deploy/shop"})
		if err := a.rooms.Delete(ctx, kim, seq); err != nil {
			t.Fatal(err)
		}
		a.listen()
		if got := a.given(); len(got) != 0 {
			t.Errorf("a deleted message led to %+v", got)
		}
		r, err := a.rooms.OpenRoom(ctx, kim, room.Room{Kind: room.Private, Slug: "old"})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.rooms.CloseRoom(ctx, kim, r.ID, true); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Give(ctx, kim, r.ID, 0, 0, "locks"); !fault.Is(err, fault.CodeConflict) {
			t.Errorf("Give() in a closed room = %v", err)
		}
		if _, err := a.Give(ctx, a.as("ada"), r.ID, 0, 0, "locks"); !fault.Is(err, fault.CodeNotFound) {
			t.Errorf("Give() in a room of others = %v", err)
		}
	})
}

// TestAButtonOfOneMessageIsPressedOnce, by whoever is first, on either node.
func TestAButtonOfOneMessageIsPressedOnce(t *testing.T) {
	nodes(t, func(t *testing.T, a, b *node) {
		ctx, token, at := t.Context(), "", id.Seq(0)
		err := a.store.Do(ctx, func(tx *store.Tx) error {
			doc, buttons := a.desk.Arm(&timeline.Document{Blocks: []timeline.Block{{Actions: []timeline.Action{{Label: "Locks", Line: "locks"}}}}},
				store.Action{Message: tx.NextSeq(), ExpiresAt: tx.Now.Add(time.Hour)})
			token = doc.Blocks[0].Actions[0].Token
			for _, one := range buttons {
				tx.AddAction(one)
			}
			var err error
			at, err = dispatch.Answer(tx, dispatch.Line{Text: "press", Doc: doc})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		answers := make([]error, 6)
		for i := range answers {
			all.Go(func() {
				_, answers[i] = []*node{a, b}[i%2].Press(ctx, a.as([]id.User{"kim", "lee", "ada"}[i%3]), token)
			})
		}
		all.Wait()
		pressed := 0
		for _, err := range answers {
			if err == nil {
				pressed++
			} else if !fault.Is(err, fault.CodeConflict) {
				t.Errorf("pressed a second time: %v", err)
			}
		}
		if pressed != 1 || len(a.given()[0]) != 1 {
			t.Errorf("it was pressed %d times and led to %d commands", pressed, len(a.given()[0]))
		}
		m, err := a.store.Message(ctx, at)
		if err != nil || m.Now == nil || m.Now.Text != "press" || m.Now.Doc.Blocks[0].Actions[0].Used == "" || m.Edits != 0 {
			t.Errorf("the message does not say who pressed it: %+v, %v", m, err)
		}
	})
}

// TestWhispersAreForOne: what was not understood is told to who typed it.
func TestWhispersAreForOne(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		a.say(a.as("kim"), dispatch.Line{Text: "!lock"})
		a.listen()
		for _, r := range []id.Room{room.Main, room.DirectOf("kim", room.Bot)} {
			found, err := a.store.Entries(t.Context(), store.EntryFilter{Rooms: []id.Room{r}, Kinds: []timeline.Kind{timeline.MessagePosted}})
			if err != nil {
				t.Fatal(err)
			}
			last := found[len(found)-1]
			if bot := last.Actor.Origin == timeline.Bot; bot != (r != room.Main) || bot && !strings.Contains(last.Payload.(timeline.Message).Text, "lock") {
				t.Errorf("the last line of %q is %+v", r, last)
			}
		}
	})
}
