package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Scanner asks a program of the operator about every upload. The program gets
// the path of the file as its only argument and almost no environment; it
// answers with its exit status: 0 nothing found, 1 found something (the first
// line of its output says what). Anything else means that the file was not
// looked at, and then it is refused. The zero Scanner asks nobody.
type Scanner struct {
	command string
	limit   time.Duration
}

// Bounds of a scan.
const (
	scanLimit  = time.Minute
	scanOutput = 4 << 10
	scanReason = 200 // characters
)

// NewScanner returns a Scanner for the program at a path; "" is none.
func NewScanner(command string) (Scanner, error) {
	if command == "" {
		return Scanner{}, nil
	}
	found, err := exec.LookPath(command)
	if err == nil {
		found, err = filepath.Abs(found) // it is not run from here
	}
	if err != nil {
		return Scanner{}, fmt.Errorf("%s: %w", phrase.T("blob.scan.command"), err)
	}
	return Scanner{command: found, limit: scanLimit}, nil
}

// Scan returns nil when the file at path may be kept, else a fault that says why not.
func (s Scanner) Scan(ctx context.Context, path string) error {
	if s.command == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	out, errs := capped{limit: scanOutput}, capped{limit: scanOutput}
	cmd := exec.CommandContext(ctx, s.command, path) //nolint:gosec // the operator's program, with a path of ours
	cmd.Dir = os.TempDir()
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=" + os.TempDir()}
	cmd.Stdout, cmd.Stderr = &out, &errs
	alone(cmd)
	cmd.WaitDelay = time.Second // a child of it may hold the pipes
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		err = fmt.Errorf("scan: %w", ctx.Err())
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it ended well; what it started has our pipe still
		return nil
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		reason := firstLine(out.String())
		if reason == "" {
			reason = phrase.T("blob.scan.unnamed")
		}
		return fault.Invalid("file", phrase.T("blob.scan.infected", reason))
	default:
		err = fmt.Errorf("scan: %w: %s", err, firstLine(errs.String()))
	}
	return fault.Unavailable(phrase.T("blob.scan.failed"), 0).Because(err)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(legible([]byte(s))), "\n")
	if runes := []rune(line); len(runes) > scanReason {
		line = string(runes[:scanReason-1]) + "…"
	}
	return strings.TrimSpace(line)
}

// capped keeps the beginning of what is written and swallows the rest, so that
// a program that talks without end neither fills the memory nor hangs.
type capped struct {
	bytes.Buffer
	limit int
}

func (c *capped) Write(p []byte) (int, error) {
	c.Buffer.Write(p[:min(len(p), max(0, c.limit-c.Len()))])
	return len(p), nil
}
