package account_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const password = "correct horse battery"

// house is a service with a clock that the test moves.
type house struct {
	*account.Service
	store *store.Store
	box   *secret.Box

	mu  sync.Mutex
	now time.Time // guarded by mu
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) later(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

var from = account.Client{Address: "192.0.2.7:4711", Agent: "Firefox"}

// each runs a test on both engines.
func each(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			box := secrettest.Box(t)
			h := &house{box: box, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
			if engine == "sqlite" {
				h.store = storetest.Open(t, storetest.Clock(h.clock))
			} else {
				h.store = storetest.OpenPostgres(t, storetest.Clock(h.clock))
			}
			h.Service = h.node()
			test(t, h)
		})
	}
}

// node is a service of its own over the same database.
func (h *house) node() *account.Service {
	return account.New(h.store, h.box, account.Options{
		PublicURL: "https://watch.example.org/", MailConfigured: true, Clock: h.clock,
		Passwords: auth.NewPasswords(auth.Params{Memory: 64, Time: 1, Threads: 1}),
		Log:       slog.New(slog.DiscardHandler),
	})
}

// setUp makes the administrator Kim and returns their session.
func (h *house) setUp(t *testing.T) account.Grant {
	t.Helper()
	token, needed, err := h.SetupToken(t.Context())
	if err != nil || !needed {
		t.Fatalf("SetupToken = needed %v, %v", needed, err)
	}
	g, err := h.Setup(t.Context(), token, account.Setup{
		OrgName: "Harbour", Name: "Kim Doe", Username: "kim", Email: "kim@example.org", Zone: "Europe/Berlin", Password: password,
	}, from)
	if err != nil {
		t.Fatalf("Setup: %v", err)
	}
	return g
}

func (h *house) actor(t *testing.T, g account.Grant) people.Actor {
	t.Helper()
	a, _, err := h.Authenticate(t.Context(), g.Cookie)
	if err != nil {
		t.Fatalf("Authenticate: %v", err)
	}
	return a
}

// notices opens every mail that waits, the newest last.
func (h *house) notices(t *testing.T) (found []notify.Notice) {
	t.Helper()
	waiting, err := h.store.Waiting(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range waiting {
		plain, err := h.box.Open(d.Body.Sealed)
		if err != nil {
			t.Fatalf("open notice: %v", err)
		}
		var n notify.Notice
		if err := json.Unmarshal([]byte(plain), &n); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(d.Body.Sealed, "watch.example.org") || d.Kind != store.NoticeMail || d.Body.Address == "" || d.ExpiresAt.IsZero() {
			t.Errorf("delivery %+v is not a sealed notice", d)
		}
		found = append(found, n)
	}
	return found
}

func wantCode(t *testing.T, what string, err error, want fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != want {
		t.Errorf("%s: error %v (code %q), want code %q", what, err, got, want)
	}
}

func token(t *testing.T, link, path string) string {
	t.Helper()
	text, ok := strings.CutPrefix(link, "https://watch.example.org"+path)
	if !ok || text == "" {
		t.Fatalf("link %q does not begin with %s", link, path)
	}
	return text
}

func TestSetupMakesAServerThatPagesItsAdministrator(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		old, _, err := h.SetupToken(ctx)
		if err != nil {
			t.Fatal(err)
		}
		g := h.setUp(t)
		a := h.actor(t, g)
		if a.Role != people.Admin || a.Name != "Kim Doe" {
			t.Errorf("actor = %+v, want the administrator Kim Doe", a)
		}
		wantCode(t, "an older set-up token", h.SetupValid(ctx, old), fault.CodeNotFound)
		if _, needed, err := h.SetupToken(ctx); needed || err != nil {
			t.Errorf("SetupToken after set-up = needed %v, %v", needed, err)
		}
		o, err := h.store.Org(ctx)
		if err != nil {
			t.Fatal(err)
		}
		r := o.Route("anything")
		if !r.Found || len(r.Policy.Steps) != 1 || r.Policy.Steps[0].Targets[0].User != a.User || r.Policy.Repeat != 3 {
			t.Errorf("default route = %+v, want the administrator at once and three times more", r)
		}
		if o.Settings.Name != "Harbour" || !o.Settings.WarningsOpen || len(o.Integrations) != 1 || !o.Users[a.User].Reachable() {
			t.Errorf("organisation = %+v, integrations %v", o.Settings, o.Integrations)
		}
		for _, i := range o.Integrations {
			if key, err := h.box.Open(i.Sealed); err != nil || secret.Hash(key) != i.KeyHash {
				t.Errorf("key of the integration: %v", err)
			}
		}
		entries, err := h.store.Entries(ctx, store.EntryFilter{})
		if err != nil || len(entries) != 4 {
			t.Errorf("timeline has %d entries (%v), want user, policy, integration and settings", len(entries), err)
		}
	})
}

func TestSetupRefusals(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		tok, _, err := h.SetupToken(ctx)
		if err != nil {
			t.Fatal(err)
		}
		good := account.Setup{Email: "kim@example.org", Password: password}
		_, err = h.Setup(ctx, "nonsense", good, from)
		wantCode(t, "an unknown token", err, fault.CodeNotFound)
		for field, f := range map[string]account.Setup{
			"password": {Email: "kim@example.org", Password: "short"},
			"email":    {Email: "nobody", Password: password},
			"username": {Email: "kim@example.org", Username: "no blanks", Password: password},
			"zone":     {Email: "kim@example.org", Zone: "Mars/Base", Password: password},
		} {
			_, err := h.Setup(ctx, tok, f, from)
			if e, ok := err.(*fault.Error); !ok || e.Field != field { //nolint:errorlint // the very error is what a form shows
				t.Errorf("Setup(%+v) = %v, want a fault of field %s", f, err, field)
			}
		}
		h.later(account.SetupLife)
		_, err = h.Setup(ctx, tok, good, from)
		wantCode(t, "a token that is too old", err, fault.CodeNotFound)
	})
}

func TestCreateAdminOnlyOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		made, err := h.CreateAdmin(ctx, account.Setup{Email: "ops@example.org", Password: password})
		if err != nil || !made {
			t.Fatalf("CreateAdmin = %v, %v", made, err)
		}
		made, err = h.CreateAdmin(ctx, account.Setup{Email: "other@example.org", Password: password})
		if err != nil || made {
			t.Errorf("CreateAdmin a second time = %v, %v", made, err)
		}
		if _, err := h.SignIn(ctx, "OPS@example.org ", password, from); err != nil {
			t.Errorf("SignIn: %v", err)
		}
	})
}

func TestOrganisationWithoutAPasswordCanStillBeSetUp(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		user, _, err := h.Invite(ctx, people.Operator(), account.Invitation{Name: "Kim", Email: "kim@example.org", Role: people.Admin})
		if err != nil {
			t.Fatal(err)
		}
		a := h.actor(t, h.setUp(t))
		if a.User != user.ID {
			t.Errorf("set-up made %s, want the person %s of the same address", a.User, user.ID)
		}
	})
}
