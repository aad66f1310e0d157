package house_test

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// floor is one level of the house. A package imports only packages of the
// floors below its own; those of its own floor only where together says so.
// A directory below a package ("web/view") belongs to its package's floor and
// may always be imported by that package, and the other way round.
type floor struct {
	name     string
	packages []string // below internal/
	together bool
	pure     bool // no outside world: see forbidden
}

// floors is the house from the bottom up. Every package of the module is here;
// a new one is added where it belongs, which is as far down as its work allows.
var floors = []floor{
	{name: "ground", pure: true, packages: []string{"id", "phrase", "fault", "jsontext"}},
	{name: "vocabulary", pure: true, packages: []string{"timeline"}},
	{name: "field", pure: true, together: true, packages: []string{
		"alert", "people", "oncall", "escalation", "routing", "org", "incident", "story",
		"paging", "maintenance", "heartbeat", "explain", "room", "command", "invocation",
	}},
	{name: "means", together: true, packages: []string{
		"store", "notify", "outbound", "secret", "config", "pgtest", "strictyaml", "ical", "program", "permit", "markdown", "blob", "otp",
	}},
	{name: "machinery", together: true, packages: []string{"dispatch", "outbox", "timer", "lease", "search", "live", "watch", "herald", "runner", "retention"}},
	{name: "service", together: true, packages: []string{"auth", "account", "httpd", "health", "orgfile", "demo", "builtin", "bot", "upload"}},
	{name: "provider", packages: []string{
		"notify/email", "notify/twilio", "notify/vonage", "notify/gateway", "notify/hook", "notify/ntfy", "notify/gotify", "notify/pushover",
		"notify/telegram", "notify/webpush",
		"script", "chatopsrpc", "slash",
	}},
	{name: "attendance", together: true, packages: []string{"carrier", "track", "selfwatch"}}, // carrier is the one place that knows all providers
	{name: "edge", packages: []string{
		"api", "web", "mailbox", "orghttp", "beat", "feed", "hooks",
		"ingest/victorops", "chat/victorops",
	}},
	{name: "wiring", packages: []string{"app", "notifytest"}}, // notifytest brings edges together, for tests
	{name: "program", packages: []string{"cmd", "bench", "house"}},
}

// timelineKnows is the whole of what the vocabulary may import of ours: style §2.
var timelineKnows = []string{"id"}

// place finds the floor of the package in dir ("internal/web/view") and the
// package of the table it belongs to ("web"); index -1 when it has none.
func place(dir string) (index int, pkg string) {
	name := strings.TrimPrefix(dir, "internal/")
	index = -1
	for i, f := range floors {
		for _, p := range f.packages {
			if (name == p || strings.HasPrefix(name, p+"/")) && len(p) > len(pkg) {
				index, pkg = i, p // the longest match: notify/email is not notify
			}
		}
	}
	return index, pkg
}

func TestEveryPackageHasItsPlace(t *testing.T) {
	missing := map[string]bool{}
	for _, s := range sources(t) {
		if i, _ := place(s.pkg); i < 0 && !missing[s.pkg] {
			missing[s.pkg] = true
			t.Errorf("%s: say where it belongs: add it to the table in internal/house/floors_test.go", s.pkg)
		}
	}
}

func TestImportsPointDown(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue // a test may look at anything
		}
		from, pkg := place(s.pkg)
		for _, imported := range s.imports() {
			dir, ok := inHouse(imported)
			if !ok {
				continue
			}
			to, target := place(dir)
			if from < 0 || to < 0 || pkg == target {
				continue // a package without a place is reported by TestEveryPackageHasItsPlace
			}
			switch {
			case to > from:
				t.Errorf("%s imports %s: arrows point down, and %s is above %s", s.name, dir, floors[to].name, floors[from].name)
			case to == from && !floors[from].together:
				t.Errorf("%s imports %s: packages of the floor %q never import one another; app brings them together", s.name, dir, floors[to].name)
			case pkg == "timeline" && !slices.Contains(timelineKnows, target):
				t.Errorf("%s imports %s: timeline knows only %v", s.name, dir, timelineKnows)
			}
		}
	}
}

// TestTestSupportStaysInTests keeps packages such as pgtest out of the program.
func TestTestSupportStaysInTests(t *testing.T) {
	for _, s := range sources(t) {
		if _, pkg := place(s.pkg); s.test || supportsTests(s.pkg) || supportsTests(pkg) || pkg == "bench" {
			continue
		}
		for _, imported := range s.imports() {
			if dir, ok := inHouse(imported); imported == "testing" || ok && supportsTests(dir) {
				t.Errorf("%s imports %s: that is for tests", s.name, imported)
			}
		}
	}
}

func supportsTests(dir string) bool { return strings.HasSuffix(path.Base(dir), "test") }

// owners says which packages alone may import something of the outside world;
// an entry covers the packages below the named one.
var owners = map[string][]string{
	"database/sql":             {"store", "bench"}, // bench measures the engines without us
	"modernc.org/sqlite":       {"store", "bench"},
	"github.com/jackc/pgx":     {"store", "pgtest", "bench"},
	"github.com/pressly/goose": {"store"},
}

func TestOnlyTheStoreTouchesTheDatabase(t *testing.T) {
	for _, s := range sources(t) {
		_, pkg := place(s.pkg)
		for _, imported := range s.imports() {
			for outside, may := range owners {
				if below(imported, outside) && !slices.Contains(may, pkg) && pkg != "" {
					t.Errorf("%s imports %s: that is for %v alone", s.name, imported, may)
				}
			}
		}
	}
}

// below reports whether p is dir or something inside it.
func below(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }
