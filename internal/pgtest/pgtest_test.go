package pgtest_test

import (
	"bufio"
	"context"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/watchroom/watchroom/internal/pgtest"
)

// childEnv makes this test binary play a process that starts a server and is then killed.
const childEnv = "PGTEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		server, err := pgtest.Start(context.Background(), pgtest.Options{Fast: true})
		if err != nil {
			panic(err)
		}
		_, _ = os.Stdout.WriteString(server.URL() + "\n")
		_, _ = io.Copy(io.Discard, os.Stdin) // until killed
		return
	}
	os.Exit(pgtest.Main(m))
}

func TestURLGivesEachTestADatabaseOfItsOwn(t *testing.T) {
	var first string
	t.Run("use", func(t *testing.T) {
		first = pgtest.URL(t)
		second := pgtest.URL(t)
		query[string](t, first, "CREATE TABLE thing (id int)", "SELECT 'made'")
		if got := query[bool](t, second, "SELECT to_regclass('thing') IS NULL"); !got {
			t.Error("a table made in one database is seen in another")
		}
		if got := query[string](t, first, "SHOW fsync"); got != "on" && os.Getenv(pgtest.Env) == "" {
			t.Errorf("fsync = %q, want on", got)
		}
		// Left open on purpose: a forgotten connection must not keep the database alive.
		conn, err := pgx.Connect(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
	})
	if conn, err := pgx.Connect(t.Context(), first); err == nil {
		_ = conn.Close(t.Context())
		t.Error("the database is still there after its test")
	}
}

func TestStopEndsTheServer(t *testing.T) {
	server, err := pgtest.Start(t.Context(), pgtest.Options{Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := query[string](t, server.URL(), "SHOW fsync"); got != "off" {
		t.Errorf("fsync of a fast server = %q, want off", got)
	}
	dir := query[string](t, server.URL(), "SHOW unix_socket_directories")
	server.Stop()
	server.Stop()
	if conn, err := pgx.Connect(t.Context(), server.URL()); err == nil {
		_ = conn.Close(t.Context())
		t.Error("the server answers after Stop")
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("stat %s after Stop: %v, want it gone", dir, err)
	}
}

func TestTheServerEndsWithAKilledStarter(t *testing.T) {
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childEnv+"=1")
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }()
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	server, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("read the URL of the child's server: %v", err)
	}
	server = strings.TrimSpace(server)
	conn, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	dir := query[string](t, server, "SHOW unix_socket_directories")
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // nobody else is left to do it

	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()

	// An open connection breaks when its server goes; waiting for that needs no polling.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := conn.WaitForNotification(ctx); err == nil || ctx.Err() != nil {
		t.Fatalf("the connection outlives the killed starter: %v", err)
	}
}

func TestURLUsesTheServerOfTheEnvironment(t *testing.T) {
	server, err := url.Parse(os.Getenv(pgtest.Env)) // set by Main at the latest
	if err != nil {
		t.Fatal(err)
	}
	got, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	if got.Host != server.Host || got.RawQuery != server.RawQuery {
		t.Errorf("URL = %s, want a database of %s", got.Redacted(), server.Redacted())
	}
}

// query runs the statements on a connection of its own and returns the single value of the last.
func query[T any](t *testing.T, server string, statements ...string) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	last := len(statements) - 1
	for _, s := range statements[:last] {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	var v T
	if err := conn.QueryRow(t.Context(), statements[last]).Scan(&v); err != nil {
		t.Fatalf("%s: %v", statements[last], err)
	}
	return v
}
