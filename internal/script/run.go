package script

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Run implements program.Program.
func (c *Command) Run(ctx context.Context, r program.Request, out program.Reporter) (program.Result, error) {
	args, refusal := c.argv(r)
	switch {
	case refusal != "":
		return program.Result{Outcome: program.Usage, Text: refusal, Why: refusal}, nil
	case r.DryRun && !c.DryRun:
		return failed(phrase.T("script.no_dry_run")), nil
	}
	ctx, cancel := context.WithDeadline(ctx, c.deadline(r))
	defer cancel()
	folder, err := os.MkdirTemp(c.options.Temp, "watchroom-script-")
	if err != nil {
		return failed(phrase.T("script.no_folder")), nil
	}
	defer remove(folder)
	s := start{
		Path: filepath.Join(c.folder, c.name), Args: args, Env: c.environment(r, folder), Dir: folder, Limits: c.Limits.or(Standard),
	}
	if s.User, err = c.account(folder); err != nil {
		return failed(phrase.T("script.no_account", c.options.User)), nil
	}
	deadline, _ := ctx.Deadline()
	stdin, err := c.stdin(r, deadline)
	if err != nil {
		return program.Result{}, err
	}
	return c.execute(ctx, s, stdin, c.masker(r), out)
}

// deadline is what the request says, or what the manifest gives from now on.
func (c *Command) deadline(r program.Request) time.Time {
	if !r.Deadline.IsZero() {
		return r.Deadline
	}
	return time.Now().Add(cmp.Or(c.Declaration.Timeout, command.DefaultTimeout))
}

// account looks up whom to run as and gives them the working folder.
func (c *Command) account(folder string) (*account, error) {
	if c.options.User == "" {
		return nil, nil
	}
	u, err := user.Lookup(c.options.User)
	if err != nil {
		return nil, err
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	return &account{uid, gid}, errors.Join(err1, err2, os.Chown(folder, uid, gid))
}

// changed reports that the files are not those that were read.
func (c *Command) changed() bool {
	root, err := os.OpenRoot(c.folder)
	if err != nil {
		return true
	}
	defer root.Close()
	now, err := digest(root, c.name, manifestName(root, c.name))
	return err != nil || now != c.Declaration.Version
}

func failed(text string) program.Result {
	return program.Result{Outcome: program.Failed, Text: text, Why: text}
}

// execute is a run from the last look at the file to the end of everything.
func (c *Command) execute(ctx context.Context, s start, stdin []byte, m *secret.Masker, out program.Reporter) (program.Result, error) {
	folder, err := os.OpenRoot(s.Dir)
	if err != nil {
		return program.Result{}, err
	}
	defer folder.Close()
	run := &run{command: c, ctx: ctx, errors: newTail(m), dir: s.Dir, limits: s.Limits}
	if run.listener = newPlain(m, out); c.Output == Lines {
		run.listener = newTalk(m, out, folder)
	}
	if ctx.Err() != nil {
		run.asked = true
		return run.result(end{Started: true}, answer{}), nil
	}
	if c.changed() {
		return failed(phrase.T("script.changed")), nil
	}
	if run.process, err = launch(s); err != nil {
		c.options.Log.ErrorContext(ctx, "start script", "script", c.name, "err", err)
		return failed(phrase.T("script.not_started", cause(err))), nil
	}
	e, said := run.follow(stdin)
	if run.process.end.Orphaned {
		return program.Result{}, errors.New("script " + c.name + ": " + e.Error)
	}
	if e.Survived {
		c.options.Log.WarnContext(ctx, "a process of a script could not be killed", "script", c.name)
	}
	return run.result(e, said), nil
}

// run is one running script.
type run struct {
	command  *Command
	ctx      context.Context //nolint:containedctx // of this one call
	process  *process
	listener listener
	errors   *tail
	dir      string
	limits   Limits

	bytes  atomic.Int64 // said so far
	once   sync.Once
	over   over   // the limit that ended it, as we saw; set before stopped is closed
	reason string // the sentence for which we ended it
	asked  bool   // to end, because ctx did
}

// stop ends it for a reason of ours; only the first counts.
func (r *run) stop(over over, reason string, kill bool) {
	r.once.Do(func() {
		r.over, r.reason = over, reason
		if kill {
			r.process.kill()
		} else {
			go r.terminate()
		}
	})
}

// terminate asks, waits and insists.
func (r *run) terminate() {
	r.process.term()
	select {
	case <-r.process.done:
	case <-time.After(r.command.options.Grace):
		r.process.kill()
	}
}

// follow feeds it and listens to it until it has ended.
func (r *run) follow(stdin []byte) (end, answer) {
	p := r.process
	var readers sync.WaitGroup
	readers.Go(func() { r.read(p.fromOut, r.listener.write, r.listener.trouble) })
	readers.Go(func() { r.read(p.frmErr, r.errors.stream.Write, func() string { return "" }) })
	go func() { // one that never reads stops us until the pipe is closed below
		_, _ = p.toIn.Write(stdin)
		_ = p.toIn.Close()
	}()
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	ended := r.ctx.Done()
wait:
	for {
		select {
		case <-p.done:
			break wait
		case <-ended:
			ended, r.asked = nil, true
			go r.terminate()
		case <-look.C:
			if over := r.limits.crowded(r.dir); over != "" {
				r.stop(over, "", true)
			}
		}
	}
	_ = p.fromOut.SetReadDeadline(time.Now().Add(drain))
	_ = p.frmErr.SetReadDeadline(time.Now().Add(drain))
	readers.Wait()
	p.close()
	p.kill()
	return p.end, r.listener.close()
}

// read hands on what comes through a pipe, all of it together up to the limit.
func (r *run) read(from io.Reader, to func([]byte), trouble func() string) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && r.bytes.Add(int64(n)) > program.MaxOutput {
			r.stop(overOutput, "", true)
			_, _ = io.Copy(io.Discard, from)
			return
		}
		to(buf[:n])
		if why := trouble(); why != "" {
			r.stop("", why, false)
		}
		if err != nil {
			return
		}
	}
}

// crowded reports a working folder with too much in it.
func (l Limits) crowded(dir string) over {
	files, size, found := 0, int64(0), over("")
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // it went away while we looked, or we may not look
		}
		if files++; files > l.Files+1 { // the folder itself is one
			found = overFiles
			return fs.SkipAll
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			if size += info.Size(); size > l.Disk {
				found = overDisk
				return fs.SkipAll
			}
		}
		return nil
	})
	return found
}

// remove deletes a working folder, also what the script made unreadable.
func remove(dir string) {
	if os.RemoveAll(dir) == nil {
		return
	}
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, _ error) error {
		if e != nil && e.IsDir() {
			_ = os.Chmod(path, 0o700) //nolint:gosec // a folder, about to be deleted
		}
		return nil
	})
	_ = os.RemoveAll(dir)
}

// result puts into words how it ended.
func (r *run) result(e end, said answer) program.Result {
	if !e.Started {
		return failed(phrase.T("script.not_started", e.Error))
	}
	last := r.errors.text()
	if last != "" {
		r.command.options.Log.DebugContext(r.ctx, "script wrote to stderr", "script", r.command.name, "text", last)
	}
	res := program.Result{Text: said.text, Doc: said.doc, Private: said.private, Exit: e.Exit}
	if res.Outcome, res.Why = r.verdict(e); res.Outcome == program.Succeeded {
		return res
	}
	said.add(res.Why)
	if last != "" {
		said.add(fenced(last))
		res.Why += " " + last[strings.LastIndexByte(last, '\n')+1:]
	}
	res.Text, res.Doc = said.text, said.doc
	return res
}

// add puts a piece of Markdown at the end.
func (a *answer) add(piece string) {
	a.text = strings.TrimSpace(a.text + "\n\n" + piece)
	if a.doc != nil {
		a.doc.Blocks = append(a.doc.Blocks, timeline.Block{Text: piece})
	}
}

// verdict is the outcome and why: what we did to it comes before what it says of itself.
func (r *run) verdict(e end) (program.Outcome, string) {
	switch over := cmp.Or(r.over, e.Over); {
	case over != "":
		return program.Failed, r.limits.sentence(over)
	case r.reason != "":
		return program.Failed, r.reason
	case r.asked && errors.Is(r.ctx.Err(), context.DeadlineExceeded):
		return program.TimedOut, phrase.T("script.timed_out")
	case r.asked:
		return program.Cancelled, phrase.T("script.cancelled")
	case e.Signal != "":
		return program.Failed, phrase.T("script.signal", e.Signal)
	}
	switch e.Exit {
	case 0:
		return program.Succeeded, ""
	case 2:
		return program.Usage, phrase.T("script.usage")
	case 75:
		return program.Later, phrase.T("script.later")
	default:
		return program.Failed, phrase.T("script.exit", e.Exit)
	}
}

// sentence says which limit it was.
func (l Limits) sentence(o over) string {
	switch o {
	case overCPU:
		return phrase.T("script.over.cpu", l.CPU)
	case overMemory:
		return phrase.T("script.over.memory", config.Size(l.Memory))
	case overProcesses:
		return phrase.T("script.over.processes", l.Processes)
	case overFiles:
		return phrase.T("script.over.files", l.Files)
	case overDisk:
		return phrase.T("script.over.disk", config.Size(l.Disk))
	default:
		return phrase.T("script.over.output", config.Size(program.MaxOutput))
	}
}
