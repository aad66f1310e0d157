package script

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/watchroom/watchroom/internal/program"
)

// manifestFlag makes an executable print its manifest.
const manifestFlag = "--chatops-manifest"

// Install asks the executable file, in its folder, for its manifest, checks it
// and writes it beside the executable. The answer is that of this moment: from
// now on the file counts, and both are pinned by hash like any other.
func Install(ctx context.Context, file string, o Options) (*Command, error) {
	dir, name := filepath.Dir(file), filepath.Base(file)
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := open(root, name, true)
	if err != nil {
		return nil, err
	}
	_ = f.Close()
	text, err := ask(ctx, filepath.Join(dir, name), o.filled())
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", name, manifestFlag, err)
	}
	c, err := parse(name, name+" "+manifestFlag, text)
	if err != nil {
		return nil, err
	}
	manifest := name + manifestSuffix
	if err := root.WriteFile(manifest, text, 0o644); err != nil {
		return nil, err
	}
	c.folder, c.options = dir, o.filled()
	c.Declaration.Version, err = digest(root, name, manifest)
	return c, err
}

// ask runs the executable for its manifest, under the usual limits, with nothing of ours.
func ask(ctx context.Context, path string, o Options) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c := &Command{options: o}
	text, err := c.prints(ctx, path, []string{manifestFlag}, program.Request{}, nil, maxManifest)
	if err == nil && len(text) == 0 {
		err = errors.New("it printed nothing")
	}
	return text, err
}

// prints is what the executable prints when it is asked something about itself,
// at most a little more than most bytes: no secrets, no standard input, and the
// limits of a run.
func (c *Command) prints(ctx context.Context, path string, args []string, r program.Request, more []string, most int64) ([]byte, error) {
	folder, err := os.MkdirTemp(c.options.Temp, "watchroom-script-")
	if err != nil {
		return nil, err
	}
	defer remove(folder)
	s := start{Path: path, Args: args, Env: append(c.environment(r, folder), more...), Dir: folder, Limits: c.Limits.or(Standard)}
	if s.User, err = c.account(folder); err != nil {
		return nil, err
	}
	p, err := launch(s)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, p.kill)()
	_ = p.toIn.Close()
	var says bytes.Buffer
	_, _ = io.Copy(&says, io.LimitReader(p.fromOut, most+1))
	p.kill() // it has said what there is to say
	<-p.done
	p.close()
	switch {
	case !p.end.Started:
		return nil, errors.New(p.end.Error)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return says.Bytes(), nil
}
