package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/api"
	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/people"
)

// A running server answers what the store itself would.
func TestRemoteOnCall(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	a := access{Storage: config.Storage{Data: dir}, Site: config.Default().Site}
	var out bytes.Buffer
	c := &console{strings.NewReader(""), &out, &out}
	const org = `
settings: {name: Example, default_policy: p}
users: [{username: kim, name: Kim, email: kim@example.org, role: admin}, {username: alex, name: Alex, email: alex@example.org}]
rotations: [{name: On duty, zone: Europe/Berlin, layers: [{members: [kim], every: 1 week, handoff_at: "09:00", start: 2026-01-05}]}]
policies: [{slug: p, steps: [{page: [{rotation: on-duty}]}]}]
routing_keys: [{name: db, policy: p}]
`
	err := a.with(ctx, c, true, func(n *node) error {
		seed := applyCmd{Files: []string{write(t, dir, "org.yaml", org)}, Access: a}
		if err := seed.Run(ctx, c); err != nil {
			return err
		}
		mux := http.NewServeMux()
		err := api.Register(mux, api.Deps{
			Store: n.store, Dispatch: n.dispatch, Accounts: n.accounts, Log: slog.New(slog.DiscardHandler), AssetURL: func(name string) string { return name },
			Authenticate: func(*http.Request) (people.Actor, error) { return people.Actor{}, fault.Unauthenticated("no browser") },
		})
		if err != nil {
			return err
		}
		server := httptest.NewServer(mux)
		defer server.Close()
		alex, err := n.user(ctx, "alex")
		if err != nil {
			return err
		}
		token, _, err := n.accounts.CreateToken(ctx, people.Operator(), alex.ID, "test", nil)
		if err != nil {
			return err
		}
		r := remote{URL: server.URL, Token: token}
		same := func(what string, there, here interface {
			Run(c *console) error
		}) {
			t.Helper()
			far, errFar := output(there.Run)
			near, errNear := output(here.Run)
			if errFar != nil || errNear != nil || far != near || far == "" {
				t.Errorf("%s: a server says %v\n%s\nthe store %v\n%s", what, errFar, far, errNear, near)
			}
		}
		const at = "2027-03-28T02:30:00+01:00"
		onCall := func(r remote) bound {
			return func(c *console) error { return (&onCallCmd{At: at, Remote: r, Storage: a.Storage}).Run(ctx, c) }
		}
		explained := func(r remote) bound {
			return func(c *console) error {
				return (&explainCmd{RoutingKey: "db", Severity: "CRITICAL", At: at, Zone: "Europe/Berlin", Remote: r, Storage: a.Storage}).Run(ctx, c)
			}
		}
		same("oncall", onCall(r), onCall(remote{}))
		same("explain", explained(r), explained(remote{}))

		if text, err := output(func(c *console) error { return (&takeCmd{Rotation: "On duty", Remote: r}).Run(ctx, c) }); err != nil || text != "Alex is on call in On duty until it is handed back.\n" {
			t.Errorf("take: %v\n%s", err, text)
		}
		if text, err := output(func(c *console) error { return (&onCallCmd{Remote: r}).Run(ctx, c) }); err != nil || !strings.Contains(text, "Alex (instead of Kim)") {
			t.Errorf("oncall: %v\n%s", err, text)
		}
		if _, err := output(func(c *console) error { return (&takeCmd{Rotation: "On duty", Remote: r}).Run(ctx, c) }); err == nil || !strings.Contains(err.Error(), "already") {
			t.Errorf("taken twice: %v", err)
		}
		if text, err := output(func(c *console) error { return (&handBackCmd{Rotation: "on-duty", Remote: r}).Run(ctx, c) }); err != nil || text != "Kim is on call in On duty again.\n" {
			t.Errorf("hand back: %v\n%s", err, text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// bound is a command with everything but its console.
type bound func(*console) error

// Run runs it.
func (b bound) Run(c *console) error { return b(c) }
