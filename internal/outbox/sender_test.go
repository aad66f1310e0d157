package outbox

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
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
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
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

func (noLinks) Incident(id.Incident) string                           { return "" }
func (noLinks) Action(string, id.Incident, id.User, time.Time) string { return "" }

// station is intake, planner and sender on one store; Kim is paged for every alert.
type station struct {
	*testing.T
	store    *store.Store
	dispatch *dispatch.Dispatcher
	planner  *Planner
	sender   *Sender
	provider *provider
}

// newStation opens the store that cfg says. It is closed by stop.
func newStation(t *testing.T, cfg store.Config, p *provider) *station {
	t.Helper()
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	box, err := secret.FromText(secret.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	st := &station{T: t, store: s, dispatch: dispatch.New(s, box, log), provider: p}
	st.planner = NewPlanner(s, log, time.Second)
	st.sender = NewSender(s, st.dispatch, map[string]notify.Provider{"email": p}, box, noLinks{}, log, id.New(), time.Second)
	_, err = st.dispatch.ChangeOrg(t.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) {
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

// run starts every part; the returned function stops them and closes the store.
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
		if err := st.store.Close(); err != nil {
			st.Error(err)
		}
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
