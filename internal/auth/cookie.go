package auth

import (
	"net/http"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/secret"
)

// NewToken returns a random token of 160 bits for a session, an API token, a
// reset or an invitation, and the hash under which to store it. The token is
// given out once and kept nowhere.
func NewToken() (token, hash string) {
	token = id.Secret(20)
	return token, secret.Hash(token)
}

// Cookies reads and writes the session cookie.
type Cookies struct {
	// Secure says that browsers come over https (the public URL does). The
	// cookie then has the __Host- prefix, so that no sibling host can set it.
	Secure bool
	// Of is "" for sessions, and else the name of what is a step before one.
	Of string
}

// Name returns the cookie's name.
func (c Cookies) Name() string {
	name := "watchroom"
	if c.Of != "" {
		name += "-" + c.Of
	}
	if c.Secure {
		return "__Host-" + name
	}
	return name
}

// Token returns the session token that r carries, or "".
func (c Cookies) Token(r *http.Request) string {
	cookie, err := r.Cookie(c.Name())
	if err != nil {
		return ""
	}
	return cookie.Value
}

// Set gives the browser token until expires.
func (c Cookies) Set(w http.ResponseWriter, token string, expires time.Time) {
	http.SetCookie(w, c.cookie(token, expires, 0))
}

// Clear takes the token away from the browser.
func (c Cookies) Clear(w http.ResponseWriter) {
	http.SetCookie(w, c.cookie("", time.Time{}, -1))
}

func (c Cookies) cookie(value string, expires time.Time, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: c.Name(), Value: value, Path: "/", Expires: expires, MaxAge: maxAge,
		HttpOnly: true, Secure: c.Secure,
		// Lax, not Strict: whoever follows the link in a page must arrive signed in.
		SameSite: http.SameSiteLaxMode,
	}
}

// Bearer returns the token in r's Authorization header. A request with one is
// judged by that token alone where tokens count (the API), never by its cookie
// as well: without a cookie such requests skip the protection against other sites.
func Bearer(r *http.Request) (token string, ok bool) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	token = strings.TrimSpace(token)
	return token, token != ""
}
