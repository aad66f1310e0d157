// Package pgtest gives tests a real PostgreSQL. Every test that asks gets a
// fresh, empty database of its own; nobody shares rows with anybody.
//
// The server is the one named by WATCHROOM_TEST_POSTGRES (the URL of a
// superuser), or one that is started here, from the binaries of the machine, in
// a temporary directory, on loopback only, and stopped with the test binary
// whatever becomes of it. It keeps fsync on, because durability is part of what
// is tested. The command in cmd/pgtest shares one server between test binaries.
//
// Without PostgreSQL a test fails with the name of the package to install; it
// is never skipped, because what is skipped in CI is not tested at all.
package pgtest

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Env names the variable with the URL of a running server, whose user may
// create databases.
const Env = "WATCHROOM_TEST_POSTGRES"

// adminTimeout bounds making or dropping one database; a loaded machine with
// a slow disk takes seconds for the checkpoint inside.
const adminTimeout = time.Minute

// URL returns the postgres:// URL of a new, empty database. It is dropped when
// the test ends, with whatever is still connected to it.
//
// A package that calls this more than once calls Main from its TestMain:
// without it and without a server in the environment each call starts a server
// for its test alone, which costs seconds.
func URL(tb testing.TB) string {
	tb.Helper()
	server := os.Getenv(Env)
	if server == "" {
		own, err := Start(tb.Context(), Options{})
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(own.Stop)
		server = own.URL()
	}
	name := "watchroom_test_" + strings.ToLower(rand.Text())
	u, err := withDatabase(server, name)
	if err != nil {
		tb.Fatalf("read %s: %v", Env, err)
	}
	// template0, because nobody can be connected to it: PostgreSQL refuses to copy a database that is in use.
	if err := admin(server, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		tb.Fatalf("create a database for the test: %v", err)
	}
	tb.Cleanup(func() {
		if err := admin(server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("drop the database of the test: %v", err)
		}
	})
	return u
}

// Main runs the tests of a package with one server for all of them, unless the
// environment names one already, and returns the exit status:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
// When no server can be started the tests run all the same, and those that
// need one say what is missing.
func Main(m *testing.M) int {
	if !flag.Parsed() {
		flag.Parse()
	}
	if os.Getenv(Env) != "" || listing() {
		return m.Run()
	}
	server, err := Start(context.Background(), Options{})
	if err != nil {
		return m.Run() // URL tries once more and reports to the test that asks
	}
	defer server.Stop()
	if err := os.Setenv(Env, server.URL()); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		return 1
	}
	return m.Run()
}

// listing reports whether the test binary was only asked for the names of its tests.
func listing() bool {
	f := flag.Lookup("test.list")
	return f != nil && f.Value.String() != ""
}

func withDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", fmt.Errorf("%q is not a postgres:// URL", u.Redacted())
	}
	u.Path = "/" + name
	return u.String(), nil
}

// admin runs one statement outside any transaction. It has its own deadline,
// because the context of a test is already over when it cleans up.
func admin(server, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	if closeErr := conn.Close(ctx); err == nil {
		err = closeErr
	}
	return err
}
