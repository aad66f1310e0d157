// Package rest makes one HTTP call to a provider and says, in the words of
// notify.Failure, what went wrong on the way.
//
// It promises that an error contains neither path nor query of the URL, nor a
// header, nor any secret that it is told of: all of them carry credentials with
// some providers. It follows no redirect, because a redirect would carry them
// elsewhere. What an answer means is for the provider to judge; retries are for
// the outbox.
package rest

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/outbound"
	"github.com/watchroom/watchroom/internal/phrase"
)

const (
	timeout   = 20 * time.Second // for a call that was given no earlier deadline
	maxAnswer = 1 << 20          // bytes; a longer answer is cut
	maxWait   = time.Hour        // the longest Retry-After that is believed
)

// Answer is what the other side said.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // at most 1 MiB
}

// OK reports whether the status is one of success.
func (a Answer) OK() bool { return a.Status >= 200 && a.Status < 300 }

// Client is a copy of c that follows no redirect; nil stands for a client
// without any guard.
func Client(c *http.Client) *http.Client {
	var own http.Client
	if c != nil {
		own = *c
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// Do makes the call; the error quotes none of secrets. It is a *notify.Failure,
// and temporary: whatever is on the way to a service may be better in a minute.
// Only an address that outbound refuses is a permanent failure. Where it is a
// setting of ours that was called, and not what a person typed: Ours.
func Do(c *http.Client, req *http.Request, secrets ...string) (Answer, error) {
	ctx := req.Context()
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	resp, err := c.Do(req.WithContext(ctx))
	if err != nil {
		return Answer{}, trouble(req.URL.Host, err, secrets)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return Answer{}, trouble(req.URL.Host, err, secrets)
	}
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// Ours makes a failure that will not pass by itself one for the operator: the
// address that was called is a setting of this server.
func Ours(err error) error {
	f, ok := errors.AsType[*notify.Failure](err)
	if !ok {
		return err
	}
	if _, stays := errors.AsType[lasting](f.Err); !f.Permanent && !stays {
		return err
	}
	own := *f
	own.Permanent, own.Config = false, true
	return &own
}

// lasting is an error that another try will not mend, where the address is right.
type lasting struct{ error }

func (l lasting) Unwrap() error { return l.error }

// trouble judges a call that got no answer.
func trouble(host string, err error, secrets []string) *notify.Failure {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // the wrapping quotes the whole URL
	}
	f := &notify.Failure{Err: hide(err, secrets)}
	unknown, isDNS := errors.AsType[*net.DNSError](err)
	_, wrongCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknownAuthority := errors.AsType[x509.UnknownAuthorityError](err)
	_, notTLS := errors.AsType[tls.RecordHeaderError](err)
	slow, isNet := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, outbound.ErrRefused):
		f.Permanent, f.Reason = true, phrase.T("notify.fail.refused", host)
	case isDNS && unknown.IsNotFound:
		f.Err, f.Reason = lasting{f.Err}, phrase.T("notify.fail.unknown_host", host)
	case wrongCertificate || unknownAuthority || notTLS:
		f.Err, f.Reason = lasting{f.Err}, phrase.T("notify.fail.tls", host)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), isNet && slow.Timeout():
		f.Reason = phrase.T("notify.fail.timeout", host)
	default:
		f.Reason = phrase.T("notify.fail.connect", host)
	}
	return f
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
	if clean := Says(err.Error(), secrets...); clean != Says(err.Error()) {
		return &hidden{clean, err}
	}
	return err
}

// RetryAfter is what the answer asks us to wait: seconds, or a date, which is
// read against the answer's own Date. 0 when it does not say; never more than
// an hour.
func (a Answer) RetryAfter() time.Duration {
	text := strings.TrimSpace(a.Header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return Wait(time.Duration(min(seconds, maxWait.Seconds()) * float64(time.Second)))
	}
	until, err := http.ParseTime(text)
	now, errNow := http.ParseTime(a.Header.Get("Date"))
	if err != nil || errNow != nil {
		return 0
	}
	return Wait(until.Sub(now))
}

// Wait is d within what is believed: from nothing to an hour.
func Wait(d time.Duration) time.Duration { return max(0, min(d, maxWait)) }

// Stray judges an answer that the service itself did not write, such as a
// proxy's error page: another try may help, for the proxy knows nothing of the
// address. Only a lasting redirect is final; the right address is in it.
func (a Answer) Stray(host string) *notify.Failure {
	switch a.Status {
	case http.StatusMovedPermanently, http.StatusPermanentRedirect:
		return &notify.Failure{Permanent: true, Reason: phrase.T("notify.fail.moved", host)}
	default:
		return &notify.Failure{RetryAfter: a.RetryAfter(), Reason: phrase.T("notify.fail.stray", host, a.Status)}
	}
}

// Failure judges a status that has the same meaning everywhere: 429 and 408
// wait, 5xx may pass, 401, 403 and a redirect are for the operator. nil for any
// other status. says is the provider's own words, without secrets.
func (a Answer) Failure(provider, says string) *notify.Failure {
	f := &notify.Failure{RetryAfter: a.RetryAfter(), Reason: Refusal(provider, a.Status, says)}
	switch {
	case a.Status == http.StatusTooManyRequests, a.Status == http.StatusRequestTimeout, a.Status >= 500:
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden:
		f.Config = true
	case a.Status >= 300 && a.Status < 400:
		f.Config = true
		f.Reason = phrase.T("notify.fail.redirect", provider, a.Status)
	default:
		return nil
	}
	return f
}

// Refusal is the sentence for an answer that is no success.
func Refusal(provider string, status int, says string) string {
	return phrase.T("notify.fail.answer", provider, strings.TrimSpace(fmt.Sprintf("%d %s", status, cmp.Or(says, http.StatusText(status)))))
}

// maxSaid is how much of a provider's own words is kept, in characters.
const maxSaid = 300

// Says makes one line of what a provider said, without what it may have quoted
// of our secrets, and without marks that turn text around.
func Says(text string, secrets ...string) string {
	for _, s := range secrets {
		if s == "" {
			continue
		}
		for _, spelling := range []string{s, url.PathEscape(s), url.QueryEscape(s)} {
			text = strings.ReplaceAll(text, spelling, "***")
		}
	}
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\ufffd"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\ufeff'
	}), " ")
	if utf8.RuneCountInString(text) <= maxSaid {
		return text
	}
	return strings.TrimSpace(string([]rune(text)[:maxSaid-1])) + "…"
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
