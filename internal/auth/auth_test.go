package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/secret"
)

// accounts is a folder of people in memory: login → PHC text; users are named after their login.
type accounts struct {
	phc map[string]string
	err error
}

func (a accounts) Credentials(_ context.Context, login string) (id.User, string, error) {
	if a.err != nil {
		return "", "", a.err
	}
	text, ok := a.phc[login]
	if !ok {
		return "", "", fault.NotFound("No such account.")
	}
	return id.User(login), text, nil
}

func (a accounts) ReplacePassword(_ context.Context, user id.User, previous, next string) error {
	if a.phc[string(user)] != previous {
		return errors.New("changed meanwhile")
	}
	a.phc[string(user)] = next
	return nil
}

func TestSignIn(t *testing.T) {
	p := NewPasswords(cheap)
	text, err := p.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	people := accounts{phc: map[string]string{"ada@example.com": text, "invited@example.com": "", "broken@example.com": "x"}}
	for _, c := range []struct {
		name, login, password string
		people                accounts
		want                  id.User
		code                  fault.Code
	}{
		{"right", "ada@example.com", "correct horse", people, "ada@example.com", ""},
		{"the login in any case, with spaces", " Ada@Example.COM ", "correct horse", people, "ada@example.com", ""},
		{"wrong password", "ada@example.com", "battery staple", people, "", fault.CodeUnauthenticated},
		{"empty password", "ada@example.com", "", people, "", fault.CodeUnauthenticated},
		{"nobody of that name", "eve@example.com", "correct horse", people, "", fault.CodeUnauthenticated},
		{"empty name", "", "", people, "", fault.CodeUnauthenticated},
		{"no password chosen yet", "invited@example.com", "", people, "", fault.CodeUnauthenticated},
		{"a damaged row is our trouble", "broken@example.com", "x", people, "", fault.CodeInternal},
		{"the store is away", "ada@example.com", "correct horse", accounts{err: errors.New("disk on fire")}, "", fault.CodeInternal},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := NewAuthenticator(c.people, p, NewThrottle(nil), slog.New(slog.DiscardHandler))
			got, err := a.SignIn(t.Context(), c.login, c.password, home, noon)
			if got != c.want || fault.CodeOf(err) != c.code {
				t.Errorf("SignIn(%q, %q) = %q, %v, want %q, %q", c.login, c.password, got, err, c.want, c.code)
			}
			if c.code == fault.CodeUnauthenticated && err.Error() != "unauthenticated: This address and password do not belong together." {
				t.Errorf("the answer tells something: %v", err)
			}
		})
	}
}

func TestSignInUpgradesAnOldHash(t *testing.T) {
	old := NewPasswords(Params{Memory: 32, Time: 1, Threads: 1})
	text, err := old.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	people := accounts{phc: map[string]string{"ada": text}}
	a := NewAuthenticator(people, NewPasswords(cheap), NewThrottle(nil), slog.New(slog.DiscardHandler))
	for range 2 {
		if user, err := a.SignIn(t.Context(), "ada", "correct horse", home, noon); user != "ada" || err != nil {
			t.Fatalf("SignIn = %q, %v", user, err)
		}
	}
	if got := people.phc["ada"]; !strings.Contains(got, "m=64,") {
		t.Errorf("stored hash is %q, want today's costs", got)
	}
}

func TestSignInIsThrottled(t *testing.T) {
	people := accounts{phc: map[string]string{}}
	for _, login := range []string{"nobody@example.com", "Nobody@example.com"} {
		a := NewAuthenticator(people, NewPasswords(cheap), NewThrottle(nil), slog.New(slog.DiscardHandler))
		for range 5 {
			if _, err := a.SignIn(t.Context(), login, "guess", home, noon); fault.CodeOf(err) != fault.CodeUnauthenticated {
				t.Fatalf("SignIn: %v", err)
			}
		}
		_, err := a.SignIn(t.Context(), strings.ToUpper(login), "guess", home, noon)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Code != fault.CodeTooMany || f.RetryAfter != 30*time.Second || !strings.Contains(f.Message, "30 seconds") {
			t.Errorf("sixth attempt: %#v, want 30 seconds to wait", err)
		}
	}
}

func TestSignInForSomebodyWhoHasLeft(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := NewAuthenticator(accounts{}, NewPasswords(cheap), NewThrottle(nil), slog.New(slog.DiscardHandler))
	_, err := a.SignIn(ctx, "ada", "x", netip.Addr{}, noon)
	if fault.CodeOf(err) != fault.CodeUnavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("SignIn = %v, want unavailable because canceled", err)
	}
}

func TestInWords(t *testing.T) {
	for _, c := range []struct {
		wait time.Duration
		want string
	}{
		{0, "1 second"},
		{time.Second, "1 second"},
		{1001 * time.Millisecond, "2 seconds"},
		{90 * time.Second, "90 seconds"},
		{91 * time.Second, "2 minutes"},
		{10 * time.Minute, "10 minutes"},
	} {
		if got := inWords(c.wait); got != c.want {
			t.Errorf("inWords(%v) = %q, want %q", c.wait, got, c.want)
		}
	}
}

func TestNewToken(t *testing.T) {
	token, hash := NewToken()
	other, _ := NewToken()
	if len(token) != 32 || hash != secret.Hash(token) || token == other {
		t.Errorf("NewToken = %q, %q; then %q", token, hash, other)
	}
}

func TestCookies(t *testing.T) {
	for _, c := range []struct {
		name    string
		cookies Cookies
		do      func(Cookies, http.ResponseWriter)
		want    string
	}{
		{"https", Cookies{Secure: true}, func(c Cookies, w http.ResponseWriter) { c.Set(w, "abc", noon) },
			"__Host-watchroom=abc; Path=/; Expires=Sun, 22 Nov 2026 12:00:00 GMT; HttpOnly; Secure; SameSite=Lax"},
		{"http", Cookies{}, func(c Cookies, w http.ResponseWriter) { c.Set(w, "abc", noon) },
			"watchroom=abc; Path=/; Expires=Sun, 22 Nov 2026 12:00:00 GMT; HttpOnly; SameSite=Lax"},
		{"cleared", Cookies{}, Cookies.Clear, "watchroom=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"},
	} {
		w := httptest.NewRecorder()
		c.do(c.cookies, w)
		if got := w.Header().Get("Set-Cookie"); got != c.want {
			t.Errorf("%s: Set-Cookie: %s, want %s", c.name, got, c.want)
		}
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Header.Set("Cookie", c.want)
		if got, want := c.cookies.Token(r), strings.TrimSuffix(strings.SplitAfter(c.want, ";")[0][len(c.cookies.Name())+1:], ";"); got != want {
			t.Errorf("%s: Token = %q, want %q", c.name, got, want)
		}
	}
	if got := (Cookies{}).Token(httptest.NewRequest(http.MethodGet, "/", http.NoBody)); got != "" {
		t.Errorf("Token without a cookie = %q", got)
	}
}

func TestBearer(t *testing.T) {
	for _, c := range []struct {
		header, token string
		ok            bool
	}{
		{"", "", false},
		{"Bearer abc", "abc", true},
		{"bearer  abc ", "abc", true},
		{"Bearer ", "", false},
		{"Bearer", "", false},
		{"Basic abc", "", false},
		{"Bearerabc", "", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Header.Set("Authorization", c.header)
		if token, ok := Bearer(r); token != c.token || ok != c.ok {
			t.Errorf("Bearer(%q) = %q, %v, want %q, %v", c.header, token, ok, c.token, c.ok)
		}
	}
}
