package pgtest

import (
	"net/url"
	"strings"
	"testing"
)

// Refuse ends every connection to the database of a URL and lets nobody in
// until what it returns is called: to whoever uses it the server is gone.
func Refuse(tb testing.TB, databaseURL string) (admit func()) {
	tb.Helper()
	change(tb, databaseURL, "ALTER DATABASE %s ALLOW_CONNECTIONS false")
	return func() {
		tb.Helper()
		change(tb, databaseURL, "ALTER DATABASE %s ALLOW_CONNECTIONS true")
	}
}

// Freeze makes the database of a URL one that can only be read, as a replica
// is, until what it returns is called.
func Freeze(tb testing.TB, databaseURL string) (thaw func()) {
	tb.Helper()
	change(tb, databaseURL, "ALTER DATABASE %s SET default_transaction_read_only = on")
	return func() {
		tb.Helper()
		change(tb, databaseURL, "ALTER DATABASE %s RESET default_transaction_read_only")
	}
}

// change alters a database and ends the connections to it, which know it as it was.
func change(tb testing.TB, databaseURL, alter string) {
	tb.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		tb.Fatalf("read the URL of a database: %v", err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	server, err := withDatabase(databaseURL, "postgres")
	if err != nil {
		tb.Fatal(err)
	}
	for _, statement := range []string{
		strings.ReplaceAll(alter, "%s", name),
		"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '" + name + "'",
	} {
		if err := admin(server, statement); err != nil {
			tb.Fatalf("%s: %v", statement, err)
		}
	}
}
