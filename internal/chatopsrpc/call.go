package chatopsrpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/outbound"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
)

// maxAnswer is more than a person reads.
const maxAnswer = program.MaxOutput

// call is the body of a POST.
type call struct {
	User        string            `json:"user"`
	Method      string            `json:"method"`
	Params      map[string]string `json:"params"`
	RoomID      string            `json:"room_id"`
	MentionSlug string            `json:"mention_slug,omitempty"`
	MessageID   string            `json:"message_id,omitempty"`
}

// Find returns the program of a command, nil when there is none.
func (s *Service) Find(commandID string) program.Program {
	if commandID == s.rootID() {
		return helper{s}
	}
	state := s.State()
	for _, m := range state.Methods {
		if s.methodID(m.Name) == commandID && !s.cfg.policy(m.Name).Off {
			return &remote{s, m, s.words(m, state.Methods)[1:], state.Listing}
		}
	}
	return nil
}

// helper shows what the service offers.
type helper struct{ s *Service }

// Run implements program.Program. A line that came here matched no method then.
func (h helper) Run(_ context.Context, r program.Request, _ program.Reporter) (program.Result, error) {
	state, line := h.s.State(), strings.TrimSpace(r.Args[LineArg])
	var b strings.Builder
	outcome, why := program.Succeeded, ""
	if line != "" && !strings.EqualFold(line, "help") {
		outcome, why = program.Usage, phrase.T("chatopsrpc.no_match", state.Listing.Namespace)
		b.WriteString(why + "\n\n")
	}
	if state.Listing.Help != "" {
		b.WriteString(state.Listing.Help + "\n\n")
	}
	for _, m := range state.Methods {
		if !h.s.cfg.policy(m.Name).Off {
			fmt.Fprintf(&b, "- `%s` %s\n", h.s.cfg.Prefix, m.summary())
		}
	}
	return program.Result{Outcome: outcome, Text: strings.TrimSpace(b.String()), Why: why}, nil
}

// remote runs one method.
type remote struct {
	s       *Service
	method  Method
	words   []string // behind the prefix
	listing Listing
}

// params reads the line again: as Match had it, or what the tree of commands left
// behind the words.
func (m *remote) params(args map[string]string) (map[string]string, bool) {
	if whole, ok := args[wholeArg]; ok {
		return m.method.match(whole)
	}
	return m.method.match(strings.Join(m.words, " ") + " " + args[LineArg])
}

// Run implements program.Program: one POST, and no second.
func (m *remote) Run(ctx context.Context, r program.Request, _ program.Reporter) (program.Result, error) {
	params, ok := m.params(r.Args)
	switch {
	case !ok:
		return ended(program.Usage, phrase.T("chatopsrpc.no_match", m.listing.Namespace)), nil
	case r.DryRun:
		return ended(program.Failed, phrase.T("chatopsrpc.no_dry_run")), nil
	case r.Username == "":
		return ended(program.Failed, phrase.T("chatopsrpc.no_login")), nil
	}
	c := call{User: r.Username, Method: m.method.Name, Params: params, RoomID: "#" + r.RoomName, MentionSlug: r.Username}
	if r.Message != 0 {
		c.MessageID = strconv.FormatInt(int64(r.Message), 10)
	}
	body, err := json.Marshal(c)
	if err != nil {
		return program.Result{}, fmt.Errorf("encode call: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	if !r.Deadline.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, r.Deadline)
		defer cancel()
	}
	return m.post(ctx, body, r.Username)
}

func ended(outcome program.Outcome, text string) program.Result {
	return program.Result{Outcome: outcome, Text: text, Why: text}
}

// post sends the call. Whether it left is what matters when no answer comes.
func (m *remote) post(ctx context.Context, body []byte, login string) (program.Result, error) {
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	address := m.s.cfg.URL
	if m.method.Path != "" {
		address += "/" + m.method.Path
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return ended(program.Failed, phrase.T("chatopsrpc.method.path", m.method.Path)), nil
	}
	req.GetBody = nil // not even the transport sends it twice
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	if err := sign(req, m.s.key, m.s.cfg.KeyID, body, time.Now()); err != nil {
		return program.Result{}, err
	}
	resp, err := m.s.http.Do(req)
	if err != nil {
		return m.unanswered(ctx, err, sent.Load())
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return m.unanswered(ctx, err, true)
	}
	return read(resp.StatusCode, text, m.listing, login), nil
}

// unanswered is a call of which we do not know the end. Nothing changes by
// looking, so for a method that only reads it is an end like any other.
func (m *remote) unanswered(ctx context.Context, err error, sent bool) (program.Result, error) {
	why := trouble(err)
	switch reads := m.s.cfg.policy(m.method.Name).Risk == command.Reads; {
	case !sent && errors.Is(ctx.Err(), context.Canceled):
		return ended(program.Cancelled, phrase.T("chatopsrpc.cancelled")), nil
	case !sent && errors.Is(err, outbound.ErrRefused): // the same address is refused for ever
		return ended(program.Failed, phrase.Sentence(why)), nil
	case !sent:
		return ended(program.Later, phrase.Sentence(why)), nil
	case reads && errors.Is(ctx.Err(), context.Canceled):
		return ended(program.Cancelled, phrase.T("chatopsrpc.cancelled")), nil
	case reads && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return ended(program.TimedOut, phrase.Sentence(why)), nil
	case reads:
		return ended(program.Failed, phrase.Sentence(why)), nil
	}
	text := phrase.T("chatopsrpc.unknown", why)
	return ended(program.Failed, text), fmt.Errorf("call %s: no answer: %w", m.s.methodID(m.method.Name), err)
}
