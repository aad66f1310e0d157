package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// node is a running server, a process of its own.
type node struct {
	addr    string
	started time.Duration // from the start of the process to the first healthy answer
	cmd     *exec.Cmd
	stdin   io.Closer
	ended   chan error
}

// startTimeout bounds a start.
const startTimeout = time.Minute

// startNode runs a node on a place and returns when it answers.
func (r *run) startNode(ctx context.Context, p place, smtpURL string) (*node, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start a node: %w", err)
	}
	n := &node{ended: make(chan error, 1)}
	if n.addr, err = freeAddress(ctx); err != nil {
		return nil, fmt.Errorf("start a node: %w", err)
	}
	args := []string{"serve", "-data", p.data, "-database", p.database, "-listen", n.addr, "-smtp", smtpURL}
	if r.Profile != "" {
		args = append(args, "-profile", filepath.Join(r.Profile, "node-"+filepath.Base(p.data)+"-"+r.site.engine()+".pprof"))
	}
	n.cmd = exec.Command(program, args...) //nolint:noctx // stop ends it, and so does the end of this process
	n.cmd.Stderr = os.Stderr
	if n.stdin, err = n.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start a node: %w", err)
	}
	began := time.Now()
	if err := n.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a node: %w", err)
	}
	go func() { n.ended <- n.cmd.Wait() }()
	if err := n.healthy(ctx, began.Add(startTimeout)); err != nil {
		return nil, errors.Join(err, n.stop())
	}
	n.started = time.Since(began)
	return n, nil
}

func freeAddress(ctx context.Context) (string, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

// healthy waits until the node says that it and its store are well.
func (n *node) healthy(ctx context.Context, until time.Time) error {
	request := []byte("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
	for time.Now().Before(until) {
		c, err := dial(ctx, n.addr)
		if err == nil {
			status, err := c.do(request)
			c.close()
			if err == nil && status == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-n.ended:
			n.ended <- err
			return fmt.Errorf("the node ended: %w", err)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Millisecond):
		}
	}
	return errors.New("the node does not become healthy")
}

// stop ends the node as an operator would, and waits for it.
func (n *node) stop() error {
	_ = n.stdin.Close()
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-n.ended:
		if err != nil {
			return fmt.Errorf("stop the node: %w", err)
		}
		return nil
	case <-time.After(startTimeout):
		return errors.Join(errors.New("the node does not stop"), n.cmd.Process.Kill(), <-n.ended)
	}
}

// footprint is how much of a process is in memory, in bytes.
type footprint struct {
	now, most int64
	program   int64 // of now, the pages of the program's own file, which the machine may take back at any time
}

func (n *node) memory() (f footprint, err error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(n.cmd.Process.Pid) + "/status")
	if err != nil {
		return f, fmt.Errorf("read the memory of the node: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		if len(fields) == 0 {
			continue
		}
		kb, _ := strconv.ParseInt(fields[0], 10, 64)
		switch name {
		case "VmRSS":
			f.now = kb << 10
		case "VmHWM":
			f.most = kb << 10
		case "RssFile":
			f.program = kb << 10
		}
	}
	return f, nil
}

// cpu is what the process has used of the cores so far.
func (n *node) cpu() (time.Duration, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(n.cmd.Process.Pid) + "/stat")
	if err != nil {
		return 0, fmt.Errorf("read the times of the node: %w", err)
	}
	_, rest, _ := strings.Cut(string(text), ") ") // after the name, which may have spaces
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("read the times of the node: too few fields")
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	const tick = 10 * time.Millisecond // USER_HZ is 100 everywhere
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

// withNode runs f beside a node on a fresh place, and takes both away.
func (r *run) withNode(ctx context.Context, smtpURL string, f func(*node, place) error) (err error) {
	p, err := r.site.fresh(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.site.discard(context.WithoutCancel(ctx), p)) }()
	n, err := r.startNode(ctx, p, smtpURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.stop()) }()
	return f(n, p)
}
