package httpd

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/phrase"
)

// ownImages is the img-src of every page: nothing is loaded from another host,
// unless a page says otherwise: see AllowImages.
const ownImages = "img-src 'self' data:"

// SecurityHeaders sets what every response says to browsers: a content security
// policy without inline scripts and styles and without other hosts, no
// sniffing, no framing, no referrer to other sites. https adds HSTS.
//
// Responses are private and revalidated unless a handler says otherwise, so
// that no shared proxy shows one person's page to another.
func SecurityHeaders(https bool) Middleware {
	policy := strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		ownImages,
		"connect-src 'self'",
		"font-src 'self'",
		"form-action 'self'",
		"frame-ancestors 'none'",
		"base-uri 'none'",
		"manifest-src 'self'",
		"worker-src 'self'",
	}, "; ")
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Security-Policy", policy)
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Referrer-Policy", "same-origin")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Cache-Control", "private, no-cache")
			if https {
				h.Set("Strict-Transport-Security", "max-age=31536000")
			}
			next.ServeHTTP(w, r)
		})
	}
}

// AllowImages lets the page that is about to be written load pictures from
// origins such as "https://grafana.example", because its reader has asked for it.
func AllowImages(h http.Header, origins []string) {
	if len(origins) > 0 {
		policy := h.Get("Content-Security-Policy")
		h.Set("Content-Security-Policy", strings.Replace(policy, ownImages, ownImages+" "+strings.Join(origins, " "), 1))
	}
}

// CrossSite refuses unsafe requests that a browser sends on behalf of another
// site, which would carry the cookie of whoever sits in front of it. exempt are
// ServeMux patterns where no cookie counts. Requests with a bearer token and
// without any cookie pass too: a foreign page cannot send that header without
// our leave. With a cookie they are looked at like all others, for a page is
// judged by it whatever else the request brings (a proxy in front may add a token).
func CrossSite(publicURL *url.URL, exempt []string, show Renderer) (Middleware, error) {
	protection := http.NewCrossOriginProtection()
	if publicURL != nil {
		// Behind a proxy that rewrites Host, Origin would not match it.
		if err := protection.AddTrustedOrigin(publicURL.Scheme + "://" + publicURL.Host); err != nil {
			return nil, fmt.Errorf("public url %s: %w", publicURL, err)
		}
	}
	for _, pattern := range exempt {
		protection.AddInsecureBypassPattern(pattern)
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, bearer := auth.Bearer(r)
			if byTokenAlone := bearer && r.Header.Get("Cookie") == ""; !byTokenAlone && protection.Check(r) != nil {
				render(w, r, show, ProblemOf(fault.Forbidden(phrase.T("auth.http.cross_site"))))
				return
			}
			next.ServeHTTP(w, r)
		})
	}, nil
}

// DefaultBodyLimit is 1 MiB, enough for any alert or form.
const DefaultBodyLimit int64 = 1 << 20

// slowest is the pace in bytes a second below which a body is given up, and
// patience what everybody gets on top.
const (
	slowest  = 32 << 10
	patience = 20 * time.Second
)

// LimitBody bounds a request's body in length, by limit (nil: DefaultBodyLimit
// for all), and in time. Reading beyond fails with *http.MaxBytesError, which
// an Adapter answers with 413.
func LimitBody(limit func(*http.Request) int64) Middleware {
	if limit == nil {
		limit = func(*http.Request) int64 { return DefaultBodyLimit }
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Body == nil || r.Body == http.NoBody {
				next.ServeHTTP(w, r)
				return
			}
			n := limit(r)
			// The server sets it anew before the next request on the connection.
			// A writer without deadlines (a test's) has no slow sender either.
			deadline := time.Now().Add(patience + time.Duration(n/slowest)*time.Second)
			_ = http.NewResponseController(w).SetReadDeadline(deadline)
			r2 := r.WithContext(r.Context()) // a handler's request is not ours to change
			r2.Body = http.MaxBytesReader(w, r.Body, n)
			next.ServeHTTP(w, r2)
		})
	}
}

// ReadBody returns the whole body of r. The errors are the sender's: too large,
// or cut off on the way.
func ReadBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, err
	}
	if err != nil {
		return nil, fault.Invalid("", phrase.T("auth.http.body_cut")).Because(err)
	}
	return body, nil
}
