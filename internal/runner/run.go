package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/jsontext"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Rehearser is a program that can show what a command would do. Of any other,
// a dry run runs nothing.
type Rehearser interface {
	Rehearses(commandID string) bool
}

// run is one run of this node.
type run struct {
	inv     invocation.Invocation // as it began
	program program.Program
	request program.Request
	end     context.CancelCauseFunc
	report  *report
}

// start runs in the background.
func (r *Runner) start(work context.Context, one *run) {
	ctx, end := context.WithCancelCause(work)
	one.end, one.report = end, newReport(r, one)
	r.mu.Lock()
	r.runs[one.inv.ID] = one
	r.mu.Unlock()
	r.busy.Go(func() {
		defer func() {
			end(nil)
			r.mu.Lock()
			delete(r.runs, one.inv.ID)
			r.mu.Unlock()
		}()
		r.runAndRecord(ctx, work, one)
	})
}

func (r *Runner) runAndRecord(ctx, work context.Context, one *run) {
	began := time.Now()
	telling := make(chan struct{})
	teller, hush := context.WithCancel(work)
	go func() {
		defer close(telling)
		one.report.tell(teller)
	}()
	result, err := r.run(ctx, one)
	hush()
	<-telling
	in := r.ended(work, one, result, err, context.Cause(ctx))
	state := r.record(work, one, in)
	if r.Observe != nil {
		r.Observe(one.inv.Command, state, time.Since(began))
	}
}

// errNoEnd is a program that goes on after it was told to end.
var errNoEnd = errors.New("it did not end when it was told to")

// run runs the program, for as long as it may take.
func (r *Runner) run(ctx context.Context, one *run) (program.Result, error) {
	if one.inv.DryRun {
		if p, ok := one.program.(Rehearser); !ok || !p.Rehearses(one.inv.Command) {
			return r.Desk.rehearse(one.inv), nil
		}
	}
	req := one.request
	if r.Secrets != nil {
		more, err := r.Secrets(ctx, one.inv)
		if err != nil {
			r.Log.ErrorContext(ctx, "secrets of a command", "invocation", one.inv.ID, "err", err)
			if why := fault.MessageOf(err); why != "" { // somebody has to set it, and the same command would not work until then
				return program.Result{Outcome: program.Failed, Text: why, Why: why}, nil
			}
			return program.Result{Outcome: program.Later, Why: phrase.T("runner.secrets_lost")}, nil
		}
		all := maps.Clone(more)
		if all == nil {
			all = map[string]string{}
		}
		maps.Copy(all, req.Secrets)
		req.Secrets = all
	}
	req.Deadline = time.Now().Add(one.inv.Deadline())
	limited, stop := context.WithDeadlineCause(ctx, req.Deadline, errTimeout)
	defer stop()
	type end struct {
		result program.Result
		err    error
	}
	ended := make(chan end, 1)
	go func() {
		var e end
		defer func() { ended <- e }()
		defer func() {
			if p := recover(); p != nil {
				e.err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		e.result, e.err = one.program.Run(limited, req, one.report)
	}()
	wait := func(timer <-chan time.Time) (end, bool) {
		select {
		case e := <-ended:
			return e, true
		case <-timer:
			return end{}, false
		}
	}
	select {
	case e := <-ended:
		return e.result, r.causeOf(limited, e.result, e.err)
	case <-limited.Done():
	}
	e, in := wait(time.After(graceFor))
	if !in {
		one.report.close()
		return program.Result{}, errors.Join(errNoEnd, context.Cause(limited))
	}
	return e.result, r.causeOf(limited, e.result, e.err)
}

// causeOf adds why the context ended to the error of a program that ended
// because of it.
func (r *Runner) causeOf(ctx context.Context, res program.Result, err error) error {
	if err == nil && res.Outcome != program.Cancelled && res.Outcome != program.TimedOut {
		return nil
	}
	if err == nil {
		return nil
	}
	return errors.Join(err, context.Cause(ctx))
}

// ended is what the end of a program means.
func (r *Runner) ended(work context.Context, one *run, res program.Result, err, cause error) invocation.Input {
	inv := one.inv
	interrupted := res.Outcome == program.Cancelled || res.Outcome == program.TimedOut || err != nil
	if errors.Is(cause, errStopped) && interrupted && (err != nil || !inv.Changes()) {
		return invocation.Interrupt{Attempt: inv.Attempt}
	}
	in := invocation.Finish{
		Attempt: inv.Attempt, Outcome: invocation.Outcome(res.Outcome), Why: clean(one.hide(res.Why), maxWhy), Exit: res.Exit,
		Output: output(one.hide(res.Text), program.MaxOutput), Doc: fits(one.hideIn(res.Doc)), Private: res.Private, Files: one.report.kept(),
	}
	switch {
	case err != nil:
		r.Log.ErrorContext(work, "a command broke off", "invocation", inv.ID, "command", inv.Command, "err", one.hide(err.Error()))
		in.Lost, in.Why = true, phrase.T("runner.broken_off")
		if errors.Is(err, errNoEnd) {
			in.Why = phrase.T("runner.no_end")
		}
		if errors.Is(err, errTimeout) && !inv.Changes() {
			in.Lost, in.Outcome = false, invocation.OutcomeTimedOut
		}
	case res.Outcome == program.Cancelled && errors.Is(cause, errStopped):
		in.Why = phrase.T("runner.stopped")
	case res.Outcome == program.Cancelled && cause == nil:
		in.Outcome = invocation.OutcomeTimedOut // nobody else has told it to end
	}
	if r.Files != nil && long(in.Output) {
		name := phrase.T("runner.file", inv.Number)
		f, err := r.Files.Keep(work, name, strings.NewReader(in.Output))
		if err != nil {
			r.Log.ErrorContext(work, "keep output", "invocation", inv.ID, "err", err)
		} else {
			in.Files = append(in.Files, f)
		}
	}
	return in
}

// hide masks the secrets of a run in what it says.
func (one *run) hide(text string) string { return one.masker().Text(text) }

// minSecret is the length from which something is masked: shorter ones stand in
// every text.
const minSecret = 4

func (one *run) masker() *secret.Masker {
	var long []string
	for _, s := range one.request.Secrets {
		if len(s) >= minSecret {
			long = append(long, s)
		}
	}
	return secret.NewMasker(long)
}

// hideIn is hide for a document.
func (one *run) hideIn(doc *timeline.Document) *timeline.Document {
	if doc == nil || len(one.request.Secrets) == 0 {
		return doc
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return nil
	}
	if text, err = jsontext.Replace(text, one.masker().Text); err != nil {
		return nil
	}
	var hidden timeline.Document
	if err := json.Unmarshal(text, &hidden); err != nil {
		return nil
	}
	return &hidden
}

// record takes down how a run ended, however long the database is away.
func (r *Runner) record(work context.Context, one *run, in invocation.Input) invocation.State {
	for {
		state, err := store.InTx(work, r.Store, func(tx *store.Tx) (invocation.State, error) {
			inv, err := tx.Invocation(one.inv.ID)
			if err != nil {
				return "", err
			}
			inv, err = r.Desk.decide(tx, inv, in, invocation.Facts{})
			return inv.State, err
		})
		if err == nil || errors.Is(err, store.ErrNotFound) {
			return state
		}
		r.Log.ErrorContext(work, "record a command", "invocation", one.inv.ID, "err", err)
		select {
		case <-work.Done():
			return invocation.Unknown
		case <-time.After(retry):
		}
	}
}

// rehearse is what a dry run says of a program that cannot show more.
func (d *Desk) rehearse(inv invocation.Invocation) program.Result {
	parts := []string{phrase.T("runner.rehearsal", tick(inv.Line), inv.By.Name, inv.Rule)}
	if inv.Approval.Count > 0 {
		parts = append(parts, phrase.N("runner.rehearsal_approve", inv.Approval.Count))
	}
	if inv.Lock != "" {
		parts = append(parts, phrase.T("runner.rehearsal_lock", inv.Lock))
	}
	text := strings.Join(parts, " ")
	doc := &timeline.Document{Status: timeline.StatusGood, Blocks: []timeline.Block{{Text: text}}}
	if f := d.fields(inv); len(f) > 0 {
		doc.Blocks = append(doc.Blocks, timeline.Block{Fields: f})
	}
	return program.Result{Outcome: program.Succeeded, Text: text, Doc: doc}
}
