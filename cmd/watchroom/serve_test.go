package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/watchroom/watchroom/internal/config"
)

// A new server prints the set-up link, answers, and ends without an error.
func TestServe(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	cmd := serveCmd{Config: config.Default()}
	cmd.Config.Data, cmd.Config.Listen = t.TempDir(), "127.0.0.1:0"
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := cmd.Run(ctx, &console{strings.NewReader(""), w, w})
		done <- err
		_ = w.CloseWithError(io.EOF)
	}()
	lines := bufio.NewScanner(r)
	link, address := "", ""
	for address == "" && lines.Scan() {
		if _, token, ok := strings.Cut(lines.Text(), "/setup?token="); ok {
			link = "/setup?token=" + token
		}
		if _, rest, ok := strings.Cut(lines.Text(), "msg=serving listen="); ok {
			address, _, _ = strings.Cut(rest, " ")
		}
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	if link == "" || address == "" {
		stop()
		t.Fatalf("it printed the link %q and the address %q and ended with %v", link, address, <-done)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+link, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("GET of the set-up link: %s, %v", resp.Status, err)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// A server that cannot listen has made nothing.
func TestServeWhereSomebodyListens(t *testing.T) {
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	cmd := serveCmd{Config: config.Default()}
	cmd.Config.Data, cmd.Config.Listen = filepath.Join(t.TempDir(), "data"), ln.Addr().String()
	if err := cmd.Run(t.Context(), &console{strings.NewReader(""), io.Discard, io.Discard}); err == nil || !strings.Contains(err.Error(), cmd.Config.Listen) {
		t.Errorf("Run = %v, want an error that names %s", err, cmd.Config.Listen)
	}
	if _, err := os.Stat(cmd.Config.Data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its folder: %v, want none", err)
	}
}

// A demo listens on this machine alone, and else where it is told to, also at the
// address that other commands have anyway.
func TestWhereADemoListens(t *testing.T) {
	for _, c := range []struct {
		what, env string
		args      []string
		want      string
	}{
		{"nothing said", "", []string{"demo"}, "localhost:8080"},
		{"a flag", "", []string{"demo", "--listen", ":8080"}, ":8080"},
		{"the environment", ":8080", []string{"demo"}, ":8080"},
		{"no demo", "", []string{"serve"}, ":8080"},
	} {
		t.Run(c.what, func(t *testing.T) {
			if c.env != "" {
				t.Setenv("WATCHROOM_LISTEN", c.env)
			}
			var all commands
			parser, err := kong.New(&all)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parser.Parse(c.args); err != nil {
				t.Fatal(err)
			}
			got := all.Demo.Site.Listen
			if c.args[0] == "serve" {
				got = all.Serve.Config.Listen
			}
			if got != c.want {
				t.Errorf("%v listens on %q, want %q", c.args, got, c.want)
			}
		})
	}
}

// The page about the command line names every command and every flag.
func TestTheDocumentIsComplete(t *testing.T) {
	text, err := os.ReadFile(filepath.FromSlash("../../docs/cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	parser, err := kong.New(&commands{}, kong.Name("watchroom"))
	if err != nil {
		t.Fatal(err)
	}
	var visit func(n *kong.Node)
	visit = func(n *kong.Node) {
		if n.Type == kong.CommandNode && len(n.Children) == 0 && !strings.Contains(string(text), "`watchroom "+n.Path()) {
			t.Errorf("docs/cli.md does not say what `watchroom %s` does", n.Path())
		}
		for _, f := range n.Flags {
			if f.Name != "help" && !strings.Contains(string(text), "--"+f.Name) {
				t.Errorf("docs/cli.md does not say what --%s of %q is", f.Name, n.Path())
			}
		}
		for _, child := range n.Children {
			visit(child)
		}
	}
	visit(parser.Model.Node)
}
