package api_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"testing"

	"github.com/watchroom/watchroom/internal/api"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/people"
)

// TestWalk asks every route as everybody. What the handler then says about the
// empty request is not looked at: only whether it was let through.
func TestWalk(t *testing.T) {
	h := newHouse(t)
	type walker struct {
		name   string
		token  string
		cookie string
		actor  people.Actor
	}
	roles := map[string]people.Role{"ada": people.Admin, "max": people.Member, "olga": people.Observer}
	walkers := []walker{{name: "nobody"}, {name: "a wrong token", token: "wr_0000"}, {name: "a cookie of nobody", cookie: "nobody"}}
	for name, role := range roles {
		walkers = append(walkers,
			walker{name: string(role) + " by token", token: h.tokens[name], actor: people.Actor{Role: role}},
			walker{name: string(role) + " by cookie", cookie: name, actor: people.Actor{Role: role}})
		for _, scope := range people.Permissions {
			scopes := []people.Permission{scope}
			walkers = append(walkers, walker{
				name: string(role) + " by token for " + string(scope), token: h.token(name, scope), actor: people.Actor{Role: role, Scopes: scopes},
			})
		}
	}
	h.handler = h.serve(ended{})
	for _, w := range walkers {
		for _, op := range api.Operations {
			path := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(op.Path, "987654321")
			r := httptest.NewRequestWithContext(t.Context(), op.Method, path, http.NoBody)
			judge(t, h, w.name, w.token, w.cookie, w.actor, op, r)
		}
	}
}

func judge(t *testing.T, h *house, name, token, cookie string, actor people.Actor, op api.Operation, r *http.Request) {
	t.Helper()
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: "who", Value: cookie})
	}
	got := send(t, h.handler, r)
	refused := got.Status == http.StatusUnauthorized || got.Status == http.StatusForbidden
	switch {
	case op.Public, actor.Role != "" && (op.Permission == "" || actor.May(op.Permission)):
		if refused || got.Status >= http.StatusInternalServerError {
			t.Errorf("%s: %s: %d, want to be let through\n%s", name, op.Pattern(), got.Status, got.Text)
		}
	case actor.Role == "":
		if got.Status != http.StatusUnauthorized || got.Header.Get("WWW-Authenticate") == "" || got.JSON["code"] != "unauthenticated" {
			t.Errorf("%s: %s: %d %v, want 401 with WWW-Authenticate\n%s", name, op.Pattern(), got.Status, got.Header, got.Text)
		}
	default:
		if got.Status != http.StatusForbidden || got.JSON["code"] != "forbidden" || got.JSON["permission"] != string(op.Permission) {
			t.Errorf("%s: %s: %d, want 403 naming the permission\n%s", name, op.Pattern(), got.Status, got.Text)
		}
	}
}

// ended is a Stream that is over as soon as it began.
type ended struct{}

func (ended) Subscribe(context.Context, id.Seq) (api.Subscription, error) { return ended{}, nil }
func (ended) Next(context.Context) ([]live.Event, error)                  { return nil, io.EOF }
func (ended) Close()                                                      {}

// TestChangesNeedMoreThanReading holds the table itself: nothing that changes
// something is open to whoever may only read.
func TestChangesNeedMoreThanReading(t *testing.T) {
	seen := map[string]bool{}
	for _, op := range api.Operations {
		if op.Method != http.MethodGet && !slices.Contains([]people.Permission{people.Talk, people.Respond, people.Manage, people.OwnSelf, people.Ingest}, op.Permission) {
			t.Errorf("%s needs %q", op.Pattern(), op.Permission)
		}
		if op.Public && op.Permission != "" {
			t.Errorf("%s is public and needs %q", op.Pattern(), op.Permission)
		}
		if seen[op.ID] {
			t.Errorf("operation %s is there twice", op.ID)
		}
		seen[op.ID] = true
	}
}
