package outbox

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// provider notes what it is given; answer decides about the n-th page, from 1.
type provider struct {
	mu     sync.Mutex
	pages  []notify.Page // guarded by mu
	answer func(ctx context.Context, n int) error
}

// Send implements notify.Provider.
func (p *provider) Send(ctx context.Context, page notify.Page) (notify.Receipt, error) {
	p.mu.Lock()
	p.pages = append(p.pages, page)
	n := len(p.pages)
	p.mu.Unlock()
	if p.answer == nil {
		return notify.Receipt{}, nil
	}
	return notify.Receipt{}, p.answer(ctx, n)
}

func (p *provider) asked() []notify.Page {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.pages)
}

type noLinks struct{}

func (noLinks) Incident(id.Incident) string { return "" }
func (noLinks) Action(string, id.Incident, time.Time, id.User, time.Time) string {
	return ""
}

func (noLinks) Drill(string) string { return "" }

// station is intake, planner and sender on one store; Kim is paged for every alert.
type station struct {
	*testing.T
	store    *store.Store
	dispatch *dispatch.Dispatcher
	planner  *Planner
	sender   *Sender
	provider *provider
}

// newStation opens the store that cfg says; it is closed when the test ends.
func newStation(t *testing.T, cfg store.Config, p *provider) *station {
	t.Helper()
	s := storetest.OpenAt(t, cfg)
	box := secrettest.Box(t)
	log := slog.New(slog.DiscardHandler)
	st := &station{T: t, store: s, dispatch: dispatch.New(s, box, log), provider: p}
	st.planner = NewPlanner(s, log, time.Second)
	st.sender = NewSender(s, st.dispatch, only(p), box, noLinks{}, log, id.New(), time.Second)
	_, err := st.dispatch.ChangeOrg(t.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) {
		return []org.Change{
			org.Put(people.User{ID: "kim", Username: "kim", Name: "Kim", Email: "kim@example.org", Role: people.Admin, Zone: "UTC",
				Contacts: []people.Contact{contact("c1", "kim@example.org")}}),
			org.Put(escalation.Policy{ID: "p", Slug: "p", Name: "P", RepeatAfter: escalation.DefaultRepeatAfter,
				Steps: []escalation.Step{{Targets: []escalation.Target{{User: "kim"}}}}}),
			org.Put(org.Settings{Name: "Example", DefaultPolicy: "p", SnoozeMorningAt: "09:00"}),
		}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// run starts every part; the returned function stops them.
func (st *station) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	for _, run := range []func(context.Context) error{st.dispatch.Run, st.planner.Run, st.sender.Run} {
		parts.Go(func() {
			if err := run(ctx); err != nil {
				st.Error(err)
			}
		})
	}
	return func() {
		cancel()
		parts.Wait()
	}
}

func (st *station) alert(entity string) {
	st.Helper()
	_, err := st.dispatch.Accept(context.Background(), alert.Alert{Type: alert.Critical, EntityID: entity, Title: entity})
	if err != nil {
		st.Fatal(err)
	}
}

func (st *station) states(n id.Incident) []store.DeliveryState {
	st.Helper()
	all, err := st.store.Deliveries(context.Background(), n)
	if err != nil {
		st.Fatal(err)
	}
	var states []store.DeliveryState
	for _, d := range all {
		states = append(states, d.State)
	}
	return states
}

func sqliteFile(t *testing.T) store.Config {
	return store.Config{Path: filepath.Join(t.TempDir(), "watchroom.db")}
}

// A storm about a very large team is planned in several transactions, and far
// behind entries that ask for nothing no time is lost.
func TestPlannerTakesAsMuchAsFits(t *testing.T) {
	st := newStation(t, sqliteFile(t), &provider{})
	var users []org.Change
	var all []id.User
	for i := range 600 {
		u := id.User(fmt.Sprintf("u%d", i))
		all = append(all, u)
		address := string(u) + "@example.org"
		users = append(users, org.Put(people.User{ID: u, Username: string(u), Name: string(u), Email: address, Role: people.Member, Zone: "UTC",
			Contacts: []people.Contact{contact(id.Contact(u), address)}}))
	}
	if _, err := st.dispatch.ChangeOrg(t.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) { return users, nil }); err != nil {
		t.Fatal(err)
	}
	const steps = 10
	err := st.store.Do(t.Context(), func(tx *store.Tx) error {
		for range 3 * planAtOnce {
			tx.Append(timeline.Entry{Kind: timeline.MessagePosted, Payload: timeline.Message{Text: "hello"}})
		}
		for range steps {
			tx.Append(timeline.Entry{Kind: timeline.StepStarted, Incident: 1, Payload: timeline.Step{Users: all}})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var made []int
	for more := true; ; {
		waiting, err := st.store.Waiting(t.Context(), 10_000)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, len(waiting))
		if !more {
			break
		}
		if more, err = st.planner.runOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if want := []int{2400, 4800, 6000}; !slices.Equal(made, want) {
		t.Errorf("the deliveries after each transaction are %v, want %v", made, want)
	}
}

// A page that nobody in the process works on any more must not stay claimed
// for as long as the process lives: here its claim was committed and the
// answer to the commit was lost.
func TestAClaimThatNobodyWorksOnRunsOut(t *testing.T) {
	cfg := sqliteFile(t)
	synctest.Test(t, func(t *testing.T) {
		st := newStation(t, cfg, &provider{})
		err := st.store.Do(t.Context(), func(tx *store.Tx) error {
			tx.AddDelivery(store.Delivery{Key: "test", Kind: store.NoticeMail, DueAt: tx.Now, ExpiresAt: tx.Now.Add(time.Hour), Contact: "c",
				Body: store.DeliveryBody{Method: "email", Address: "kim@example.org", Sealed: st.sender.box.Seal("{}")}})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if claimed, err := st.sender.claim(t.Context()); err != nil || len(claimed) != 1 {
			t.Fatalf("claim() = %v, %v", claimed, err)
		}
		stop := st.run()
		defer stop()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(st.provider.asked()); n != 1 {
			t.Errorf("the page was sent %d times, want once", n)
		}
	})
}

// A notice that was sealed with a key we no longer have is given up.
func TestANoticeThatCannotBeReadIsGivenUp(t *testing.T) {
	st := newStation(t, sqliteFile(t), &provider{})
	err := st.store.Do(t.Context(), func(tx *store.Tx) error {
		tx.AddDelivery(store.Delivery{Key: "test", Kind: store.NoticeMail, DueAt: tx.Now, ExpiresAt: tx.Now.Add(time.Hour), Contact: "c",
			Body: store.DeliveryBody{Method: "email", Address: "kim@example.org", Sealed: "of another key"}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.sender.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, err := st.store.Waiting(t.Context(), 10); err != nil || len(left) != 0 || len(st.provider.asked()) != 0 {
		t.Errorf("%+v still waits, %v", left, err)
	}
}

// A provider with a bug is like one that cannot be reached.
func TestAProviderThatPanicsIsTriedAgain(t *testing.T) {
	cfg := sqliteFile(t)
	synctest.Test(t, func(t *testing.T) {
		p := &provider{answer: func(_ context.Context, n int) error {
			if n == 1 {
				panic("a bug")
			}
			return nil
		}}
		st := newStation(t, cfg, p)
		stop := st.run()
		defer stop()
		st.alert("disk")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n, states := len(p.asked()), st.states(1); n != 2 || len(states) != 1 || states[0] != store.Sent {
			t.Errorf("the provider was asked %d times and the page is %v, want twice and sent", n, states)
		}
	})
}

// The server stops in time although nobody can write down what was on the wire.
func TestSenderStopsWhenTheStoreIsAway(t *testing.T) {
	cfg := sqliteFile(t)
	synctest.Test(t, func(t *testing.T) {
		asked, answer := make(chan struct{}), make(chan struct{})
		st := newStation(t, cfg, &provider{answer: func(context.Context, int) error {
			close(asked)
			<-answer
			return nil
		}})
		stop := st.run()
		st.alert("disk")
		<-asked
		away, back := make(chan struct{}), make(chan struct{})
		var elsewhere sync.WaitGroup
		elsewhere.Go(func() {
			err := st.store.Do(context.Background(), func(*store.Tx) error {
				close(away)
				select {
				case <-back:
				case <-time.After(time.Hour):
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		<-away
		close(answer)
		synctest.Wait()
		ended := time.Now()
		stop()
		if took := time.Since(ended); took > time.Minute {
			t.Errorf("stopping took %s", took)
		}
		close(back)
		elsewhere.Wait()
	})
}

// With PostgreSQL its clock decides: the clock of this machine, here that of
// the bubble, is a quarter of a century late.
func TestAPageLeavesWhateverOurClockSays(t *testing.T) {
	cfg := store.Config{Database: pgtest.URL(t)}
	synctest.Test(t, func(t *testing.T) {
		p := &provider{answer: func(_ context.Context, n int) error {
			if n == 1 {
				return &notify.Failure{Reason: "451 later"}
			}
			return nil
		}}
		st := newStation(t, cfg, p)
		stop := st.run()
		defer stop()
		st.alert("disk")
		clock := func() time.Time { // the server's: it goes on while the bubble's leaps
			now, err := st.store.Now(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return now
		}
		for end := clock().Add(20 * time.Second); len(p.asked()) < 2 || st.states(1)[0] != store.Sent; {
			if clock().After(end) {
				t.Fatalf("the provider was asked %d times and the page is %v, want twice and sent", len(p.asked()), st.states(1))
			}
			<-time.After(10 * time.Millisecond)
		}
	})
}

// Entries do not go back in time when the clock does, and what is due by them is due.
func TestAPageLeavesAfterTheClockWasSetBack(t *testing.T) {
	cfg := sqliteFile(t)
	synctest.Test(t, func(t *testing.T) {
		back := new(atomic.Int64)
		cfg.Clock = func() time.Time { return time.Now().Add(-time.Duration(back.Load())) }
		st := newStation(t, cfg, &provider{})
		back.Store(int64(time.Hour))
		stop := st.run()
		defer stop()
		st.alert("disk")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if states := st.states(1); len(states) != 1 || states[0] != store.Sent {
			t.Errorf("the page is %v, want sent", states)
		}
	})
}

// After a restore the numbers begin anew, and with them the same incident and
// entry may ask for another page: mail servers drop a second mail with the key of the first.
func TestAPageAfterARestoreIsAnotherPage(t *testing.T) {
	cfg := sqliteFile(t)
	synctest.Test(t, func(t *testing.T) {
		p := &provider{}
		st := newStation(t, cfg, p)
		var backup bytes.Buffer
		if err := st.store.Backup(t.Context(), &backup); err != nil {
			t.Fatal(err)
		}
		stop := st.run()
		defer stop()
		st.alert("disk")
		time.Sleep(time.Second)
		if err := st.store.Restore(t.Context(), &backup); err != nil {
			t.Fatal(err)
		}
		st.alert("link")
		time.Sleep(time.Second)
		synctest.Wait()
		pages := p.asked()
		if len(pages) != 2 || pages[0].Incidents[0].Number != 1 || pages[1].Incidents[0].Number != 1 || pages[0].Key == pages[1].Key {
			t.Errorf("the pages before and after are %+v, want two with different keys", pages)
		}
	})
}

// A bug that a round of a loop meets ends neither the loop nor the server.
func TestLoopsOutliveAPanic(t *testing.T) {
	cfg := sqliteFile(t)
	synctest.Test(t, func(t *testing.T) {
		broken := new(atomic.Bool)
		cfg.Clock = func() time.Time {
			if broken.Load() {
				panic("a bug")
			}
			return time.Now()
		}
		st := newStation(t, cfg, &provider{})
		stop := st.run()
		defer stop()
		st.alert("disk")
		broken.Store(true)
		time.Sleep(10 * time.Second)
		broken.Store(false)
		st.alert("link")
		time.Sleep(30 * time.Second)
		synctest.Wait()
		for n := range id.Incident(2) {
			if states := st.states(n + 1); len(states) != 1 || states[0] != store.Sent {
				t.Errorf("the page of incident %d is %v, want sent", n+1, states)
			}
		}
	})
}

// only carries mail, and nothing else.
func only(p notify.Provider) Carriers {
	return func(_ *org.Org, method, _ string) []Carrier {
		if method != "email" {
			return nil
		}
		return []Carrier{{Provider: p}}
	}
}
