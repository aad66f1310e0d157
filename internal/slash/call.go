package slash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/outbound"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
)

// maxAnswer is the longest answer that is read, in bytes.
const maxAnswer = 256 << 10

// Run implements program.Program: one POST, and no second.
func (c *Command) Run(ctx context.Context, r program.Request, _ program.Reporter) (program.Result, error) {
	if r.DryRun {
		return failed(phrase.T("slash.no_dry_run")), nil
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	if !r.Deadline.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, r.Deadline)
		defer cancel()
	}
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	body := c.form(r).Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.URL, strings.NewReader(body))
	if err != nil {
		return failed(phrase.T("slash.bad_url")), nil
	}
	req.GetBody = nil // not even the transport sends it twice
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json, text/plain")
	if c.cfg.Secret != "" {
		timestamp, signature := Sign(c.cfg.Secret, c.now(), body)
		req.Header.Set("X-Slack-Request-Timestamp", timestamp)
		req.Header.Set("X-Slack-Signature", signature)
	}
	if c.cfg.Token != "" && c.cfg.Format == Mattermost {
		req.Header.Set("Authorization", "Token "+c.cfg.Token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unanswered(ctx, err, sent.Load())
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return c.unanswered(ctx, err, true)
	}
	return c.read(resp, text), nil
}

func failed(text string) program.Result {
	return program.Result{Outcome: program.Failed, Text: text, Why: text}
}

// read makes a result of what came back.
func (c *Command) read(resp *http.Response, text []byte) program.Result {
	switch {
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return failed(phrase.T("slash.status", resp.StatusCode, http.StatusText(resp.StatusCode)))
	case len(text) > maxAnswer:
		return failed(phrase.T("slash.too_long", maxAnswer>>10))
	}
	a, err := parse(resp.Header.Get("Content-Type"), text, c.cfg.Format)
	if err != nil {
		return failed(phrase.T("slash.not_readable"))
	}
	return program.Result{Outcome: program.Succeeded, Text: a.Text, Doc: a.Doc, Private: a.Private}
}

// unanswered is a call of which we do not know the end. Nothing changes by
// looking, so for a command that only reads it is an end like any other.
func (c *Command) unanswered(ctx context.Context, err error, sent bool) (program.Result, error) {
	why := trouble(err)
	stopped, late := errors.Is(ctx.Err(), context.Canceled), errors.Is(ctx.Err(), context.DeadlineExceeded)
	switch reads := c.cfg.Risk == command.Reads; {
	case stopped && (reads || !sent):
		return program.Result{Outcome: program.Cancelled, Text: phrase.T("slash.cancelled"), Why: phrase.T("slash.cancelled")}, nil
	case !sent && errors.Is(err, outbound.ErrRefused): // the same address is refused for ever
		return failed(phrase.Sentence(why)), nil
	case !sent:
		why = phrase.Sentence(why)
		return program.Result{Outcome: program.Later, Text: why, Why: why}, nil
	case reads && late:
		why = phrase.Sentence(why)
		return program.Result{Outcome: program.TimedOut, Text: why, Why: why}, nil
	case reads:
		return failed(phrase.Sentence(why)), nil
	}
	return failed(phrase.T("slash.unknown", why)), fmt.Errorf("call webhook %s: no answer: %w", c.cfg.Name, withoutURL(err))
}

// trouble is why there was no answer, without the address, which may hold a secret.
func trouble(err error) string {
	err = withoutURL(err)
	switch {
	case errors.Is(err, outbound.ErrRefused):
		return phrase.T("slash.private")
	case errors.Is(err, context.DeadlineExceeded):
		return phrase.T("slash.timeout")
	default:
		return phrase.T("slash.unreachable")
	}
}

func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}
