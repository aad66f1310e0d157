package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/orghttp"
	"github.com/watchroom/watchroom/internal/people"
)

// output runs a command and returns what it printed as its result.
func output(run func(*console) error) (string, error) {
	var out, notes bytes.Buffer
	err := run(&console{strings.NewReader(""), &out, &notes})
	return out.String(), err
}

// The same files, sent to a server: the same difference, the same mistakes with
// the same file and line, and secrets from this side.
func TestRemote(t *testing.T) {
	ctx := t.Context()
	t.Setenv("ALERTMANAGER_KEY", "0123456789abcdef0123")
	dir := t.TempDir()
	a := access{Storage: config.Storage{Data: dir}, Site: config.Default().Site}
	var out bytes.Buffer
	c := &console{strings.NewReader(""), &out, &out}
	err := a.with(ctx, c, true, func(n *node) error {
		apply, export := orghttp.Handlers(n.deps())
		mux := http.NewServeMux()
		mux.Handle("POST /api/v1/org/apply", apply)
		mux.Handle("GET /api/v1/org/export", export)
		server := httptest.NewServer(mux)
		defer server.Close()

		seed := applyCmd{Files: []string{write(t, dir, "seed.yaml", "users:\n  - {username: root, email: kim@example.org, role: admin}\n")}, Access: a}
		if err := seed.Run(ctx, c); err != nil {
			return err
		}
		root, err := n.user(ctx, "root")
		if err != nil {
			return err
		}
		token, _, err := n.accounts.CreateToken(ctx, people.Operator(), root.ID, "test", nil)
		if err != nil {
			return err
		}
		r := remote{URL: server.URL + "/", Token: token}

		dry := applyCmd{Files: []string{"../../examples/org.yaml"}, Remote: r, Prune: true, DryRun: true}
		if text, err := output(func(c *console) error { return dry.Run(ctx, c) }); err != nil || !strings.Contains(text, "Nothing was changed") {
			t.Errorf("dry run: %v\n%s", err, text)
		}
		all := applyCmd{Files: []string{"../../examples/org.yaml"}, Remote: r, Prune: true}
		text, err := output(func(c *console) error { return all.Run(ctx, c) })
		if err != nil || !strings.Contains(text, "+ user kim\n") || !strings.Contains(text, "- user root\n") || !strings.Contains(text, "/invite/") || strings.Contains(text, "0123456789abcdef0123") {
			t.Errorf("apply: %v\n%s", err, text)
		}
		if _, ok, err := dispatch.New(n.store, nil, slog.New(slog.DiscardHandler)).Integration(ctx, "0123456789abcdef0123"); !ok || err != nil {
			t.Errorf("the key from this side's environment opens nothing: %v", err)
		}

		// root is gone, and so is the token.
		if _, err := output(func(c *console) error { return all.Run(ctx, c) }); err == nil {
			t.Error("the token of a deleted user works")
		}
		kim, err := n.user(ctx, "kim")
		if err != nil {
			return err
		}
		if r.Token, _, err = n.accounts.CreateToken(ctx, people.Operator(), kim.ID, "test", nil); err != nil {
			return err
		}
		local, err := output(func(c *console) error { return (&exportCmd{Access: a}).Run(ctx, c) })
		if err != nil {
			return err
		}
		if text, err := output(func(c *console) error { return (&exportCmd{Remote: r}).Run(ctx, c) }); err != nil || text != local {
			t.Errorf("export: %v\n%s", err, text)
		}
		bad := applyCmd{Files: []string{write(t, dir, "bad.yaml", "teams:\n  - slug: x\n    members: [zoe]\n")}, Remote: r}
		if _, err := output(func(c *console) error { return bad.Run(ctx, c) }); err == nil || !strings.Contains(err.Error(), `bad.yaml:3: there is no user "zoe"`) {
			t.Errorf("a mistake: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
