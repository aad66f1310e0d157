package push

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/outbound"
	"github.com/watchroom/watchroom/internal/phrase"
)

// maxReply is more than any of these services ever answers to a message.
const maxReply = 1 << 20

// Reply is a whole answer over HTTP, whatever its status.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Client returns a copy of c, or of the default client for nil, that takes a
// redirect for an answer. A followed redirect would turn the POST into a GET,
// report success, and could carry the token to another host.
func Client(c *http.Client) *http.Client {
	own := http.Client{}
	if c != nil {
		own = *c
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// Exchange sends req and reads the answer. An error is a *notify.Failure that
// names the host but neither path, query nor any of secrets. Only an address
// that outbound refuses is a permanent failure: everything else on the way to a
// service may be better in a minute.
func Exchange(client *http.Client, req *http.Request, secrets ...string) (Reply, error) {
	resp, err := client.Do(req)
	if err != nil {
		return Reply{}, unreachable(req.URL.Host, err, secrets)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return Reply{}, unreachable(req.URL.Host, err, secrets)
	}
	return Reply{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// Ours turns a final failure into one for the operator, where the address that
// was called is a setting of this server and not what a person typed.
func Ours(err error) error {
	if f, ok := errors.AsType[*notify.Failure](err); ok && f.Permanent {
		own := *f
		own.Permanent, own.Config = false, true
		return &own
	}
	return err
}

func unreachable(host string, err error, secrets []string) *notify.Failure {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // the wrapping quotes the whole URL
	}
	f := &notify.Failure{Err: hide(err, secrets)}
	unknown, isDNS := errors.AsType[*net.DNSError](err)
	var slow net.Error
	switch {
	case errors.Is(err, outbound.ErrRefused):
		f.Permanent, f.Reason = true, phrase.T("notify.fail.refused", host)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		f.Reason = phrase.T("notify.fail.timeout", host)
	case isDNS && unknown.IsNotFound:
		f.Reason = phrase.T("notify.fail.unknown_host", host)
	default:
		f.Reason = phrase.T("notify.fail.connect", host)
	}
	return f
}

// maxWait is the longest wait that is believed: a page waits no longer anyway.
const maxWait = time.Hour

// RetryAfter is what the answer asks for, at most an hour, or 0. A date is read
// against the answer's own date, so that our clock does not matter.
func (r Reply) RetryAfter() time.Duration {
	asked := strings.TrimSpace(r.Header.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(asked, 10, 32); err == nil {
		return Wait(time.Duration(seconds) * time.Second)
	}
	at, err := http.ParseTime(asked)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(r.Header.Get("Date"))
	if err != nil {
		return 0
	}
	return Wait(at.Sub(now))
}

// Wait is d within what is believed: from nothing to an hour.
func Wait(d time.Duration) time.Duration { return min(max(0, d), maxWait) }

// Stray judges an answer that the service itself did not write, such as a
// proxy's error page: another try may help, for the proxy knows nothing of the
// address. Only a lasting redirect is final; the right address is in it.
func (r Reply) Stray(host string) *notify.Failure {
	switch r.Status {
	case http.StatusMovedPermanently, http.StatusPermanentRedirect:
		return &notify.Failure{Permanent: true, Reason: phrase.T("notify.fail.moved", host)}
	default:
		return &notify.Failure{RetryAfter: r.RetryAfter(), Reason: phrase.T("notify.fail.stray", host, r.Status)}
	}
}

// Scrub makes a service's words fit for a record: one line, without secrets.
func Scrub(s string, secrets ...string) string {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		for _, spelling := range []string{secret, url.PathEscape(secret), url.QueryEscape(secret)} {
			s = strings.ReplaceAll(s, spelling, "***")
		}
	}
	return Line(s, 300)
}

// hidden is an error whose text had a secret in it. What it is can still be
// asked with errors.Is; the error itself is out of reach.
type hidden struct {
	text  string
	inner error
}

func (h *hidden) Error() string        { return h.text }
func (h *hidden) Is(target error) bool { return errors.Is(h.inner, target) }

func hide(err error, secrets []string) error {
	whole := Line(err.Error(), 300)
	if clean := Scrub(err.Error(), secrets...); clean != whole {
		return &hidden{clean, err}
	}
	return err
}

// WebURL parses an address that must be http or https with a host, and without
// credentials in it: those belong into Page.Secret, where nothing shows them.
func WebURL(raw string) (*url.URL, bool) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return nil, false
	}
	return u, true
}

// HeaderSafe says whether s can stand in a header: visible ASCII without spaces.
func HeaderSafe(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}
