// Package rest makes one HTTP call to a provider and says, in the words of
// notify.Failure, what went wrong on the way.
//
// It promises that an error contains neither the query of the URL nor a header:
// both carry credentials with some providers. It follows no redirect, because a
// redirect would carry them elsewhere. What an answer means is for the provider
// to judge; retries are for the outbox.
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
	"strconv"
	"strings"
	"time"
	"unicode"

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

// Do makes the call. An error is a *notify.Failure, temporary, and with Config
// when only the operator can help.
func Do(c *http.Client, req *http.Request) (Answer, error) {
	ctx, cancel := context.WithTimeout(req.Context(), timeout)
	defer cancel()
	resp, err := c.Do(req.WithContext(ctx))
	if err != nil {
		return Answer{}, trouble(req.URL.Host, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return Answer{}, trouble(req.URL.Host, err)
	}
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// trouble judges a call that got no answer.
func trouble(host string, err error) *notify.Failure {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // the wrapping quotes the URL, with its query
	}
	f := &notify.Failure{Err: err}
	unknown, isDNS := errors.AsType[*net.DNSError](err)
	_, wrongCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknownAuthority := errors.AsType[x509.UnknownAuthorityError](err)
	_, notTLS := errors.AsType[tls.RecordHeaderError](err)
	slow, isNet := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, outbound.ErrRefused):
		f.Config, f.Reason = true, phrase.T("sms.http.private", host)
	case isDNS && unknown.IsNotFound:
		f.Config, f.Reason = true, phrase.T("sms.http.unknown_host", host)
	case wrongCertificate || unknownAuthority || notTLS:
		f.Config, f.Reason = true, phrase.T("sms.http.tls", host)
	case errors.Is(err, context.DeadlineExceeded), isNet && slow.Timeout():
		f.Reason = phrase.T("sms.http.timeout", host)
	default:
		f.Reason = phrase.T("sms.http.unreachable", host)
	}
	return f
}

// RetryAfter is what the answer asks us to wait: seconds, or a date, which is
// read against the answer's own Date. 0 when it does not say; never more than
// an hour.
func (a Answer) RetryAfter() time.Duration {
	text := strings.TrimSpace(a.Header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return max(0, min(time.Duration(min(seconds, maxWait.Seconds())*float64(time.Second)), maxWait))
	}
	until, err := http.ParseTime(text)
	now, errNow := http.ParseTime(a.Header.Get("Date"))
	if err != nil || errNow != nil {
		return 0
	}
	return max(0, min(until.Sub(now), maxWait))
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
		f.Reason = phrase.T("sms.http.redirect", provider, a.Status)
	default:
		return nil
	}
	return f
}

// Refusal is the sentence for an answer that is no success.
func Refusal(provider string, status int, says string) string {
	return phrase.T("sms.http.answer", provider, strings.TrimSpace(fmt.Sprintf("%d %s", status, cmp.Or(says, http.StatusText(status)))))
}

// Says makes a line of at most 200 characters of what a provider said, without
// what it may have quoted of our secrets.
func Says(text string, secrets ...string) string {
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "***")
			text = strings.ReplaceAll(text, url.QueryEscape(s), "***")
		}
	}
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\ufffd"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	n := 0
	for i := range text {
		if n++; n > 200 {
			return strings.TrimSpace(text[:i]) + "…"
		}
	}
	return text
}
