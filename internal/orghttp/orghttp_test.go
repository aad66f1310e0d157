package orghttp

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/orgfile"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
	"github.com/watchroom/watchroom/internal/store/storetest"
)

const files = `users:
  - {username: kim, email: kim@example.org, role: admin}
  - {username: lee, email: lee@example.org}
  - {username: obs, email: obs@example.org, role: observer}
teams:
  - {slug: web, members: [kim]}
`

type fixture struct {
	deps   Deps
	server *httptest.Server
	tokens map[string]string // by what they may do
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	s := storetest.Open(t)
	box := secrettest.Box(t)
	log := slog.New(slog.DiscardHandler)
	f := &fixture{deps: Deps{Store: s, Dispatch: dispatch.New(s, box, log), Accounts: account.New(s, box, account.Options{PublicURL: "http://w", Log: log}), Log: log}}
	doc, err := orgfile.Parse([]orgfile.File{{Name: "f", Text: []byte(files)}}, orgfile.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	result, err := Apply(t.Context(), f.deps, people.Operator(), doc, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Applied) != 4 || len(result.Invitations) != 3 || !strings.HasPrefix(result.Invitations[0].Link, "http://w/invite/") {
		t.Errorf("applied %+v", result)
	}
	apply, export := Handlers(f.deps)
	mux := http.NewServeMux()
	mux.Handle("POST /api/v1/org/apply", apply)
	mux.Handle("GET /api/v1/org/export", export)
	f.server = httptest.NewServer(mux)
	t.Cleanup(f.server.Close)
	f.tokens = map[string]string{"": "", "wrong": "wr_nonsense"}
	o, err := s.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		user   string
		scopes []people.Permission
	}{
		"admin": {"kim", nil}, "manage": {"kim", []people.Permission{people.Manage}}, "read": {"kim", []people.Permission{people.Read}},
		"member": {"lee", nil}, "observer": {"obs", nil},
	} {
		u, _ := o.UserByName(c.user)
		if f.tokens[name], _, err = f.deps.Accounts.CreateToken(t.Context(), people.Operator(), u.ID, name, c.scopes); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (f *fixture) do(t *testing.T, method, path, token, contentType, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, f.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

func (f *fixture) export(t *testing.T) string {
	t.Helper()
	o, err := f.deps.Store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return string(orgfile.Export(o).Encode())
}

func TestWhoMay(t *testing.T) {
	f := newFixture(t)
	for token, want := range map[string][2]int{ // apply, export
		"": {401, 401}, "wrong": {401, 401}, "admin": {200, 200}, "manage": {200, 403}, "read": {403, 403}, "member": {403, 403}, "observer": {403, 403},
	} {
		if got, answer := f.do(t, http.MethodPost, "/api/v1/org/apply?dry_run", f.tokens[token], "application/yaml", files); got != want[0] {
			t.Errorf("apply with the token %q: %d %s, want %d", token, got, answer, want[0])
		}
		if got, answer := f.do(t, http.MethodGet, "/api/v1/org/export", f.tokens[token], "", ""); got != want[1] {
			t.Errorf("export with the token %q: %d %s, want %d", token, got, answer, want[1])
		}
	}
}

func TestApplyAndExport(t *testing.T) {
	f := newFixture(t)
	before := f.export(t)
	const change = "teams:\n  - {slug: web, name: The web, members: [kim, lee]}\n"
	const diff = "~ team web\n    name: web → The web\n    members: [kim] → [kim, lee]\n"
	for _, c := range []struct {
		query   string
		changes bool
	}{{"?dry_run=true", false}, {"?dry_run", false}, {"", true}} {
		code, answer := f.do(t, http.MethodPost, "/api/v1/org/apply"+c.query, f.tokens["admin"], "application/yaml", change)
		var got Result
		if err := json.Unmarshal([]byte(answer), &got); err != nil || code != http.StatusOK {
			t.Fatalf("apply%s: %d %s", c.query, code, answer)
		}
		if d := cmp.Diff(diff, got.Diff); d != "" || len(got.Applied) != 1 || got.Applied[0].Action != "changed" || got.DryRun == c.changes {
			t.Errorf("apply%s: %s", c.query, answer)
		}
		if changed := f.export(t) != before; changed != c.changes {
			t.Errorf("apply%s: changed = %v", c.query, changed)
		}
	}
	if code, answer := f.do(t, http.MethodGet, "/api/v1/org/export", f.tokens["admin"], "", ""); code != http.StatusOK || answer != f.export(t) {
		t.Errorf("export: %d %s", code, answer)
	}
	code, answer := f.do(t, http.MethodPost, "/api/v1/org/apply", f.tokens["admin"], "application/yaml", f.export(t))
	if want := `{"dry_run":false,"applied":[],"diff":"","invitations":[],"warnings":["Warning: after this no administrator can sign in. kim is the only one, and has no password yet. ` +
		`Hand over the link of the invitation, or run: watchroom user password kim"]}` + "\n"; code != http.StatusOK || answer != want {
		t.Errorf("applying the export: %d %s, want %s", code, answer, want)
	}
}

// Not even a robot that leaves it names a private room to who is not in it.
func TestAppliedNamesNoRoomsOfOthers(t *testing.T) {
	f := newFixture(t)
	doc, err := orgfile.Parse([]orgfile.File{{Name: "f", Text: []byte("rooms: [{slug: plans, kind: private, members: [lee]}]\nrobots: [{name: Hubot, room: plans}]\n")}}, orgfile.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Apply(t.Context(), f.deps, people.Operator(), doc, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{"?dry_run", ""} {
		code, answer := f.do(t, http.MethodPost, "/api/v1/org/apply"+query, f.tokens["admin"], "application/yaml", "robots: []")
		if code != http.StatusOK || !strings.Contains(answer, "Hubot") || strings.Contains(answer, "plans") {
			t.Errorf("apply%s: %d %s", query, code, answer)
		}
	}
}

func TestNewUsersAreInvited(t *testing.T) {
	f := newFixture(t)
	const more = `  - {username: new, email: new@example.org}
  - {username: gone, email: gone@example.org, disabled: true}
`
	users, _, _ := strings.Cut(files, "teams:")
	for _, c := range []struct {
		query string
		want  int
	}{{"?dry_run", 0}, {"", 1}} {
		_, answer := f.do(t, http.MethodPost, "/api/v1/org/apply"+c.query, f.tokens["admin"], "application/yaml", users+more)
		var got Result
		if err := json.Unmarshal([]byte(answer), &got); err != nil || len(got.Invitations) != c.want || len(got.Applied) != 2 {
			t.Errorf("apply%s: %s", c.query, answer)
		}
	}
	_, answer := f.do(t, http.MethodPost, "/api/v1/org/apply?no_invite=1", f.tokens["admin"], "application/yaml", users+more+"  - {username: quiet, email: quiet@example.org}\n")
	if !strings.Contains(answer, `"invitations":[]`) || !strings.Contains(answer, "quiet") {
		t.Errorf("no_invite: %s", answer)
	}
}

func TestRefusals(t *testing.T) {
	f := newFixture(t)
	t.Setenv("SERVER_SECRET", "0123456789abcdef0123")
	before := f.export(t)
	const key = "integrations:\n  - {name: x, key: "
	for _, c := range []struct {
		name, query, contentType, body string
		code                           int
		want                           string
	}{
		{"a mistake", "", "application/yaml", "teams:\n  - slug: x\n    nme: y\n", 400, `body:3: a team has no \"nme\"`},
		{"an unknown reference", "", "application/yaml", "teams:\n  - slug: x\n    members: [zoe]\n", 400, `body:3: there is no user \"zoe\"`},
		{"what only the whole can tell", "", "application/yaml", "users: []\n", 400, "the last administrator"},
		{"the server's environment", "", "application/yaml", key + "\"${SERVER_SECRET}\"}\n", 400, "not by the server"},
		{"the server's environment, in JSON", "", "application/json", asJSON(t, Request{Files: []RequestFile{{"a.yaml", key + "\"${SERVER_SECRET}\"}\n"}}}), 400, "a.yaml:2: key: the environment variable SERVER_SECRET is not set"},
		{"the server's files", "", "application/json", asJSON(t, Request{Files: []RequestFile{{"a.yaml", key + "{file: key}}\n"}}}), 400, "its content was not sent"},
		{"unknown members", "", "application/json", `{"file":[]}`, 400, "could not be read"},
		{"no truth value", "?dry_run=maybe", "application/yaml", "", 400, `"field":"dry_run"`},
		{"too long", "", "application/yaml", strings.Repeat("#", MaxBody+1), 413, "longer than"},
	} {
		code, answer := f.do(t, http.MethodPost, "/api/v1/org/apply"+c.query, f.tokens["admin"], c.contentType, c.body)
		if code != c.code || !strings.Contains(answer, c.want) {
			t.Errorf("%s: %d %.300s, want %d with %s", c.name, code, answer, c.code, c.want)
		}
	}
	if f.export(t) != before {
		t.Error("a refused request has changed something")
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSecretsThatWereSent(t *testing.T) {
	f := newFixture(t)
	q := Request{
		Files:       []RequestFile{{"a.yaml", "integrations:\n  - {name: x, key: \"${K}\"}\n"}, {"b.yaml", "integrations:\n  - {name: y, key: {file: k}}\n"}},
		Env:         map[string]string{"K": "0123456789abcdef-env"},
		SecretFiles: []SecretFile{{In: "b.yaml", Name: "k", Text: "0123456789abcdef-file\n"}},
	}
	code, answer := f.do(t, http.MethodPost, "/api/v1/org/apply", f.tokens["admin"], "application/json", asJSON(t, q))
	if code != http.StatusOK || strings.Contains(answer, "0123456789abcdef") {
		t.Fatalf("apply: %d %s", code, answer)
	}
	for _, key := range []string{"0123456789abcdef-env", "0123456789abcdef-file"} {
		if _, ok, err := f.deps.Dispatch.Integration(t.Context(), key); !ok || err != nil {
			t.Errorf("the key %s opens nothing: %v", key, err)
		}
	}
}

// A file that leaves no administrator with a password is applied, and says so.
func TestNobodyLeftToSignIn(t *testing.T) {
	f := newFixture(t)
	o, err := f.deps.Store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kim, _ := o.UserByName("kim")
	if err := f.deps.Accounts.SetPassword(t.Context(), people.Operator(), kim.ID, "correct horse battery staple"); err != nil {
		t.Fatal(err)
	}
	const other = "  - {username: mia, email: mia@example.org, role: admin}\n"
	for _, c := range []struct{ intent, query, users, want string }{
		{"kim stays", "?dry_run", files, ""},
		{"kim stays, beside one without", "?dry_run", "users:\n" + other + "  - {username: kim, email: kim@example.org, role: admin}\n", ""},
		{"no word of users", "?dry_run", "teams: []\n", ""},
		{"kim is disabled, in a dry run", "?dry_run", "users:\n" + other, "mia is the only one"},
		{"kim is deleted", "?dry_run&prune", "users:\n" + other + "teams: []\n", "mia is the only one"},
		{"kim is no administrator any more", "?dry_run", "users:\n" + other + "  - {username: kim, email: kim@example.org}\n", "mia is the only one"},
		{"two without", "?dry_run", "users:\n" + other + "  - {username: lee, email: lee@example.org, role: admin}\n", "None of them (lee, mia)"},
		{"kim is disabled", "", "users:\n" + other, "run: watchroom user password mia"},
	} {
		code, answer := f.do(t, http.MethodPost, "/api/v1/org/apply"+c.query, f.tokens["admin"], "application/yaml", c.users)
		var got Result
		if err := json.Unmarshal([]byte(answer), &got); err != nil || code != http.StatusOK {
			t.Fatalf("%s: %d %s", c.intent, code, answer)
		}
		said := strings.Join(got.Warnings, "\n")
		if c.want == "" && said != "" || !strings.Contains(said, c.want) {
			t.Errorf("%s: warnings %q, want %q", c.intent, said, c.want)
		}
	}
}
