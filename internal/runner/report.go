package runner

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// The figures of reporting.
const (
	livingAfter = time.Second     // a run that is over by then is told by its end alone
	tellEvery   = 2 * time.Second // at most one change of the living message in this time
	maxSaid     = 50              // further messages of one run
	maxSaying   = 500             // characters of progress
	maxFiles    = 10
)

// report takes what a run says before it ends, and tells it, not too often.
type report struct {
	runner *Runner
	run    *run
	news   chan struct{}

	mu      sync.Mutex // guards all below
	percent int
	text    string
	say     []said // to be said
	count   int    // said, and to be said
	dropped int
	files   []timeline.File
	over    bool
}

var _ program.Reporter = (*report)(nil)

func newReport(r *Runner, one *run) *report {
	return &report{runner: r, run: one, news: make(chan struct{}, 1), percent: -1}
}

// Progress implements program.Reporter.
func (p *report) Progress(percent int, text string) {
	p.mu.Lock()
	p.percent, p.text = percent, clean(p.run.hide(text), maxSaying)
	p.mu.Unlock()
	p.tellSoon()
}

// Say implements program.Reporter.
func (p *report) Say(text string, doc *timeline.Document) {
	text = shorten(output(p.run.hide(text), program.MaxOutput), 0, false)
	p.mu.Lock()
	if p.count >= maxSaid || p.over || text == "" && doc == nil {
		p.dropped++
	} else {
		p.count++
		p.say = append(p.say, said{text: text, doc: fits(p.run.hideIn(doc))})
	}
	p.mu.Unlock()
	p.tellSoon()
}

// File implements program.Reporter.
func (p *report) File(name string, content io.Reader) error {
	p.mu.Lock()
	full := len(p.files) >= maxFiles || p.over
	p.mu.Unlock()
	switch {
	case p.runner.Files == nil:
		return fault.Conflict(phrase.T("runner.file.none_kept"))
	case full:
		return fault.TooLarge(phrase.T("runner.file.many", maxFiles))
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	f, err := p.runner.Files.Keep(ctx, name, content)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files = append(p.files, f)
	return nil
}

func (p *report) tellSoon() {
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// close makes what a program says from now on nobody's concern.
func (p *report) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
}

func (p *report) kept() []timeline.File {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.files
}

// tell tells what there is, until the run is over; what is still to be said is
// said then.
func (p *report) tell(ctx context.Context) {
	wait := time.NewTimer(livingAfter)
	defer wait.Stop()
	select { // whatever it says at once can wait a moment: most are over soon
	case <-ctx.Done():
	case <-wait.C:
		p.tellOnce(ctx, true)
	}
	for ctx.Err() == nil {
		wait.Reset(tellEvery)
		select {
		case <-ctx.Done():
		case <-wait.C:
		}
		select {
		case <-ctx.Done():
		case <-p.news:
			p.tellOnce(ctx, false)
		}
	}
	p.close()
	p.tellRest(context.WithoutCancel(ctx))
}

// tellOnce brings the living message up to date.
func (p *report) tellOnce(ctx context.Context, first bool) {
	p.mu.Lock()
	in, say := invocation.Progress{Percent: p.percent, Text: p.text}, p.say
	p.say = nil
	p.mu.Unlock()
	if !first && len(say) == 0 && in.Percent < 0 && in.Text == "" {
		return
	}
	if err := p.write(context.WithoutCancel(ctx), &in, say); err != nil {
		p.runner.Log.ErrorContext(ctx, "tell progress", "invocation", p.run.inv.ID, "err", err)
		p.mu.Lock()
		p.say = append(say, p.say...)
		p.mu.Unlock()
	}
}

// tellRest says what was not said yet when the run ended.
func (p *report) tellRest(ctx context.Context) {
	p.mu.Lock()
	say := p.say
	if p.dropped > 0 {
		say = append(say, said{text: phrase.N("runner.dropped", p.dropped)})
	}
	p.say = nil
	p.mu.Unlock()
	if len(say) == 0 {
		return
	}
	if err := p.write(ctx, nil, say); err != nil {
		p.runner.Log.ErrorContext(ctx, "tell what a command said", "invocation", p.run.inv.ID, "err", err)
	}
}

// write saves progress, if any, and says what is to be said.
func (p *report) write(ctx context.Context, in *invocation.Progress, say []said) error {
	d := p.runner.Desk
	return p.runner.Store.Do(ctx, func(tx *store.Tx) error {
		inv, err := tx.Invocation(p.run.inv.ID)
		if err != nil {
			return err
		}
		if inv.Attempt != p.run.inv.Attempt || inv.State != invocation.Running {
			return nil // it is not ours any more
		}
		if in != nil {
			dec := invocation.Decide(inv, *in, invocation.Facts{}, tx.Now)
			dec.Tell = true
			if inv, err = d.save(tx, dec); err != nil {
				return err
			}
		}
		for _, s := range say {
			if err := d.further(tx, &inv, s); err != nil {
				return err
			}
		}
		return nil
	})
}
