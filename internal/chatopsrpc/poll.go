package chatopsrpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/outbound"
	"github.com/watchroom/watchroom/internal/phrase"
)

// How often a listing is read.
const (
	pollEvery   = 10 * time.Second
	pollAtMost  = time.Hour
	pollTimeout = 20 * time.Second
)

// pause is how long to wait after a look: always the same while it goes well,
// half as much again after each failure.
func pause(last time.Duration, failed bool) time.Duration {
	if !failed || last == 0 {
		return pollEvery
	}
	return min(last+last/2, pollAtMost)
}

// Run reads the listing until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	wait := time.Duration(0)
	for {
		err := s.Poll(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "read a ChatOps RPC listing", "prefix", s.cfg.Prefix, "err", err)
		}
		wait = pause(wait, err != nil)
		s.mu.Lock()
		s.state.Next = time.Now().Add(wait)
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// Poll reads the listing once. While it cannot be read, what was read last counts.
func (s *Service) Poll(ctx context.Context) error {
	text, etag, err := s.fetch(ctx)
	var next State
	if err == nil && text != nil {
		next.Listing, next.Methods, next.Rejected, err = parseListing(text)
	}
	s.mu.Lock()
	changed := false
	switch {
	case err != nil:
		s.state.Err = err.Error()
	case text == nil: // 304
		s.state.Err, s.state.At = "", time.Now()
	default:
		changed = !same(s.state, next)
		next.At, next.Next, s.etag = time.Now(), s.state.Next, etag
		s.state = next
	}
	s.mu.Unlock()
	if changed {
		s.changed()
	}
	return err
}

func same(a, b State) bool {
	return !a.At.IsZero() && a.Listing == b.Listing && slices.Equal(a.Rejected, b.Rejected) &&
		slices.EqualFunc(a.Methods, b.Methods, func(a, b Method) bool { return a.version == b.version && a.Help == b.Help })
}

// fetch returns nil without an error when nothing has changed.
func (s *Service) fetch(ctx context.Context) (text []byte, etag string, err error) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.cfg.URL, http.NoBody)
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Accept", "application/json")
	s.mu.Lock()
	if s.etag != "" {
		req.Header.Set("If-None-Match", s.etag)
	}
	s.mu.Unlock()
	if err := sign(req, s.key, s.cfg.KeyID, nil, time.Now()); err != nil {
		return nil, "", err
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, "", errors.New(trouble(err))
	}
	defer resp.Body.Close()
	text, err = io.ReadAll(io.LimitReader(resp.Body, maxListing+1))
	switch {
	case err != nil:
		return nil, "", errors.New(trouble(err))
	case resp.StatusCode == http.StatusNotModified:
		return nil, "", nil
	case resp.StatusCode != http.StatusOK:
		if f, ok := readFailure(text); ok {
			return nil, "", fmt.Errorf("%d: %s", resp.StatusCode, f)
		}
		return nil, "", errors.New(phrase.T("chatopsrpc.listing.status", resp.StatusCode))
	case len(text) > maxListing:
		return nil, "", errors.New(phrase.T("chatopsrpc.listing.too_long", maxListing>>10))
	case !isJSON(resp, text):
		return nil, "", errors.New(phrase.T("chatopsrpc.listing.not_json"))
	}
	return text, resp.Header.Get("ETag"), nil
}

func isJSON(resp *http.Response, text []byte) bool {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return kind != "text/html" && len(text) > 0 && bytes.TrimSpace(text)[0] == '{'
}

// trouble is why there was no answer, without the address.
func trouble(err error) string {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	switch {
	case errors.Is(err, outbound.ErrRefused):
		return phrase.T("chatopsrpc.private")
	case errors.Is(err, context.DeadlineExceeded):
		return phrase.T("chatopsrpc.timeout")
	default:
		return phrase.T("chatopsrpc.unreachable", limit(err.Error(), 200))
	}
}
