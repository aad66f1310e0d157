package runner

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// declared are the commands of the tests.
func declared() []command.Declaration {
	arg := func(name string, t command.Type) command.Arg { return command.Arg{Name: name, Type: t, Summary: name} }
	token := arg("token", command.Secret)
	token.Option = true
	app := arg("app", command.String)
	app.Required = true
	return []command.Declaration{
		{ID: "look", Words: []string{"look"}, Summary: "Looks", Risk: command.Reads, Args: []command.Arg{arg("what", command.Rest)}},
		{ID: "deploy.run", Words: []string{"deploy", "run"}, Summary: "Deploys", Risk: command.Changes, Args: []command.Arg{app, token}, Origin: "script deploy", Lock: "deploy/{app}", Timeout: 5 * time.Minute},
		{ID: "turn", Words: []string{"turn"}, Summary: "Takes turns", Risk: command.Changes, Concurrency: 1, Args: []command.Arg{arg("what", command.Rest)}},
		{
			ID: "wipe", Words: []string{"wipe"}, Summary: "Destroys", Risk: command.Danger, Confirm: true, Args: []command.Arg{arg("what", command.Rest)},
			Approval: command.Approval{Count: 1, Peer: true},
		},
		{ID: "board", Words: []string{"board"}, Summary: "Asks a team", Risk: command.Changes, Approval: command.Approval{Group: "ops", Count: 2, TTL: time.Minute}},
		{ID: "vault", Words: []string{"vault"}, Summary: "Asks an administrator of a team", Risk: command.Changes, Approval: command.Approval{Group: "ops,admins", Count: 1}},
	}
}

// lookup finds nothing: the commands of the tests need nothing found.
type lookup struct{ now time.Time }

func (lookup) Find(command.Type, string) command.Found { return command.Found{} }
func (l lookup) Now() time.Time                        { return l.now }
func (lookup) Zone() *time.Location                    { return time.UTC }

// court judges by simple rules that a test can change.
type court struct {
	mu      sync.Mutex
	denied  map[id.User]string // guarded by mu
	stepUp  bool               // the second factor is wanted; guarded by mu
	version string             // of every command; guarded by mu
	broken  error              // guarded by mu
}

func (c *court) set(fn func(*court)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fn(c)
}

func (c *court) parse(line string, now time.Time) (command.Parsed, error) {
	all := declared()
	for i := range all {
		all[i].Version = c.version
	}
	tree, err := command.New(all)
	if err != nil {
		return command.Parsed{}, err
	}
	return tree.Parse(line, lookup{now})
}

// Judge implements Judge.
func (c *court) Judge(tx *store.Tx, inv invocation.Invocation, line string, as people.Actor) (Judgement, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return Judgement{}, c.broken
	}
	p, err := c.parse(line, tx.Now)
	if err != nil {
		return Judgement{Broken: err.Error()}, nil // that is the judgement
	}
	v := invocation.Verdict{Rule: "allow everyone", Allow: true, Confirm: p.Declaration.Confirm, Approval: p.Declaration.Approval}
	if why, no := c.denied[as.User]; no || as.Role == people.Observer {
		v = invocation.Verdict{Rule: "deny some", Why: cmp.Or(why, "Observers look.")}
	}
	if p.Options.BreakGlass {
		v = invocation.Verdict{Rule: "override everyone", Allow: true, Glass: true, Confirm: true}
	}
	if c.stepUp && v.Allow && !as.Proven(tx.Now) && (as.User != inv.By.User || inv.ProvenAt.IsZero()) {
		v = invocation.Verdict{Rule: "require step_up", Why: "Second factor.", StepUp: true}
	}
	return Judgement{Parsed: p, Verdict: v, StepUp: c.stepUp}, nil
}

// script is what runs every command; it notes what it is asked to.
type script struct {
	mu   sync.Mutex
	asks []program.Request // guarded by mu
	do   func(ctx context.Context, r program.Request, out program.Reporter) (program.Result, error)
}

func (s *script) Find(commandID string) (command.Declaration, program.Program, bool) {
	for _, d := range declared() {
		if d.ID == commandID {
			return d, s, true
		}
	}
	return command.Declaration{}, nil, false
}

// Run implements program.Program.
func (s *script) Run(ctx context.Context, r program.Request, out program.Reporter) (program.Result, error) {
	s.mu.Lock()
	s.asks = append(s.asks, r)
	do := s.do
	s.mu.Unlock()
	if do == nil {
		return program.Result{Outcome: program.Succeeded, Text: "did " + r.Line}, nil
	}
	return do(ctx, r, out)
}

func (s *script) asked() []program.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asks)
}

// keeper keeps files in memory.
type keeper struct {
	mu   sync.Mutex
	kept map[string]string // guarded by mu
}

func (k *keeper) Keep(_ context.Context, name string, content io.Reader) (timeline.File, error) {
	text, err := io.ReadAll(content)
	if err != nil {
		return timeline.File{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept[name] = string(text)
	return timeline.File{ID: id.File("file-" + name), Name: name, Type: "text/plain", Size: int64(len(text))}, nil
}

// station is one database with a desk, and the nodes that a test starts.
type station struct {
	*testing.T
	store  *store.Store
	desk   *Desk
	rooms  *dispatch.Dispatcher
	court  *court
	script *script
	files  *keeper
	// interval is long: what matters must not wait for it.
	interval time.Duration
}

func newStation(t *testing.T, cfg store.Config) *station {
	t.Helper()
	s := storetest.OpenAt(t, cfg)
	box := secrettest.Box(t)
	log := slog.New(slog.DiscardHandler)
	st := &station{
		T: t, store: s, rooms: dispatch.New(s, box, log), court: &court{denied: map[id.User]string{}, version: "v1"}, script: &script{},
		files: &keeper{kept: map[string]string{}}, interval: time.Hour,
	}
	st.desk = NewDesk(s, st.court, st.script, box, log)
	user := func(u id.User, role people.Role) org.Change {
		return org.Put(people.User{ID: u, Username: string(u), Name: strings.ToUpper(string(u[:1])) + string(u[1:]), Email: string(u) + "@example.org", Role: role, Zone: "UTC"})
	}
	_, err := st.rooms.ChangeOrg(t.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) {
		return []org.Change{
			user("ada", people.Admin), user("kim", people.Member), user("lee", people.Member), user("oli", people.Observer),
			org.Put(people.Team{ID: "t1", Slug: "ops", Name: "Operations", Members: []id.User{"lee", "ada"}}),
		}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func sqliteFile(t *testing.T) store.Config {
	return store.Config{Path: filepath.Join(t.TempDir(), "watchroom.db")}
}

func (st *station) actor(u id.User) people.Actor {
	st.Helper()
	o, err := st.store.Org(context.Background())
	if err != nil {
		st.Fatal(err)
	}
	return people.Actor{User: u, Name: o.Users[u].Name, Role: o.Users[u].Role, Origin: timeline.Chat}
}

// node starts a runner; the returned function stops it as the server does.
func (st *station) node(holder string) (stop func()) {
	r := st.runner(holder)
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() {
		if err := r.Run(ctx); err != nil {
			st.Error(err)
		}
	})
	return func() {
		cancel()
		parts.Wait()
	}
}

func (st *station) runner(holder string) *Runner {
	return New(Config{
		Store: st.store, Desk: st.desk, Files: st.files, Log: slog.New(slog.DiscardHandler), Holder: holder, Host: "host-" + holder, Interval: st.interval,
	})
}

// give is somebody typing a command in the organisation's timeline.
func (st *station) give(u id.User, line string, change ...func(*Ask)) invocation.Invocation {
	st.Helper()
	actor := st.actor(u)
	seq, err := st.rooms.Answer(context.Background(), dispatch.Line{Text: "(" + string(u) + " types a command)"}) // observers could not say it
	if err != nil {
		st.Fatal(err)
	}
	inv, err := store.InTx(context.Background(), st.store, func(tx *store.Tx) (invocation.Invocation, error) {
		return st.accept(tx, actor, line, append(change, func(a *Ask) { a.Message = seq })...)
	})
	if err != nil {
		st.Fatalf("%s: %v", line, err)
	}
	return inv
}

func (st *station) accept(tx *store.Tx, actor people.Actor, line string, change ...func(*Ask)) (invocation.Invocation, error) {
	p, err := st.court.parse(line, tx.Now)
	if err != nil {
		return invocation.Invocation{}, err
	}
	ask := Ask{Parsed: p, Raw: "!" + line, Actor: actor, Username: string(actor.User), RoomName: "timeline"}
	for _, c := range change {
		c(&ask)
	}
	j, err := st.court.Judge(tx, invocation.Invocation{}, line, actor)
	if err != nil {
		return invocation.Invocation{}, err
	}
	return st.desk.Accept(tx, ask, j.Verdict)
}

// press is somebody pressing a button.
func (st *station) press(u id.User, token string) (invocation.Invocation, error) {
	st.Helper()
	actor := st.actor(u)
	return st.desk.Press(context.Background(), actor, token, func(tx *store.Tx, line string, e timeline.Entry) (invocation.Invocation, error) {
		return st.accept(tx, actor, line, func(a *Ask) { a.Room, a.Thread = e.Room, e.Thread })
	})
}

func (st *station) now(n id.Invocation) invocation.Invocation {
	st.Helper()
	inv, err := st.store.Invocation(context.Background(), n)
	if err != nil {
		st.Fatal(err)
	}
	return inv
}

func (st *station) wantState(n id.Invocation, want invocation.State) invocation.Invocation {
	st.Helper()
	inv := st.now(n)
	if inv.State != want {
		st.Errorf("%s is %s because %s (%s), want %s", inv.Line, inv.State, inv.Cause, inv.Why, want)
	}
	return inv
}

// said is what the bot says about commands, as it stands now: each message with
// its thread, in any room.
func (st *station) said() []timeline.Entry {
	st.Helper()
	all, err := st.store.Entries(context.Background(), store.EntryFilter{AllRooms: true, Kinds: []timeline.Kind{timeline.MessagePosted}, Limit: 1000})
	if err != nil {
		st.Fatal(err)
	}
	return slices.DeleteFunc(all, func(e timeline.Entry) bool { return e.Payload.(timeline.Message).Invocation == "" })
}

func (st *station) wantSaid(want ...string) {
	st.Helper()
	var got []string
	for _, e := range st.said() {
		got = append(got, e.Payload.(timeline.Message).Text)
	}
	if !slices.Equal(got, want) {
		st.Errorf("the bot says\n%s\nwant\n%s", strings.Join(got, "\n---\n"), strings.Join(want, "\n---\n"))
	}
}

// count counts the entries of a kind.
func (st *station) count(kind timeline.Kind) int {
	st.Helper()
	all, err := st.store.Entries(context.Background(), store.EntryFilter{AllRooms: true, Kinds: []timeline.Kind{kind}, Limit: 1000})
	if err != nil {
		st.Fatal(err)
	}
	return len(all)
}

// events are the kinds of the audit of one command.
func (st *station) events(n id.Invocation) []invocation.EventKind {
	st.Helper()
	all, err := st.store.EventsOf(context.Background(), n)
	if err != nil {
		st.Fatal(err)
	}
	var kinds []invocation.EventKind
	for i, e := range all {
		if e.Kind == invocation.EventDelivered {
			if i != len(all)-1 || e.Message == 0 {
				st.Errorf("the answer is event %d of %d: %+v", i+1, len(all), e)
			}
			continue // it is the last of every story
		}
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (st *station) wantEvents(n id.Invocation, want ...invocation.EventKind) {
	st.Helper()
	if got := st.events(n); !slices.Equal(got, want) {
		st.Errorf("events %v, want %v", got, want)
	}
}

// audit checks what holds after every story.
func (st *station) audit() {
	st.Helper()
	ctx := context.Background()
	if good, broken, err := st.store.CheckAudit(ctx); err != nil || broken != 0 || good == 0 {
		st.Errorf("CheckAudit() = %d, %d, %v", good, broken, err)
	}
	all, err := st.store.Invocations(ctx, store.InvocationFilter{Limit: 1000})
	if err != nil {
		st.Fatal(err)
	}
	running, over := map[id.Invocation]bool{}, map[id.Invocation]bool{}
	for _, inv := range all {
		running[inv.ID], over[inv.ID] = inv.State == invocation.Running, inv.State.Over()
		if inv.State.Over() && inv.Sealed != "" {
			st.Errorf("%s is over and has secrets", inv.Line)
		}
	}
	for _, e := range st.said() {
		for line := range buttons(e) {
			if say, _ := st.desk.replies(people.Actor{}, "", line); say != nil && over[e.Payload.(timeline.Message).Invocation] {
				st.Errorf("the button %q is still there, and its command is over", line)
			}
		}
	}
	locks, err := st.store.Locks(ctx)
	if err != nil {
		st.Fatal(err)
	}
	for _, l := range locks {
		if l.Kind == invocation.ForRun && !running[l.Invocation] {
			st.Errorf("%s is locked by a run that is over", l.Name)
		}
	}
}

// buttons are the lines and tokens of a message.
func buttons(e timeline.Entry) map[string]string {
	found := map[string]string{}
	if doc := e.Payload.(timeline.Message).Doc; doc != nil {
		for _, b := range doc.Blocks {
			for _, a := range b.Actions {
				found[a.Line] = a.Token
			}
		}
	}
	return maps.Clone(found)
}
