package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options of a server.
type Options struct {
	// Fast trades durability for speed: no fsync. Never for tests of what
	// survives a crash.
	Fast bool
}

// Server is a PostgreSQL that this process started.
type Server struct {
	url  string
	dir  string
	log  *logTail
	proc *os.Process
	done chan struct{} // closed when the postmaster has been waited for
	stop sync.Once
}

const (
	startTries   = 5 // a free port may be taken by somebody else before the server has it
	startTimeout = 60 * time.Second
	stopTimeout  = 10 * time.Second
	pollEvery    = 20 * time.Millisecond
)

// Start makes a new cluster in a temporary directory and runs a server on it.
// ctx bounds the start only; the caller stops the server. Should this process
// be killed, the kernel stops the server in its place (Linux).
func Start(ctx context.Context, opts Options) (*Server, error) {
	bin, err := binaries(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	server, err := start(ctx, bin, dir, opts)
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	return server, nil
}

// URL is the address of the server's maintenance database, as its superuser.
func (s *Server) URL() string { return s.url }

// Stop ends the server and removes its files. Stopping twice is harmless.
func (s *Server) Stop() {
	s.stop.Do(func() {
		// Fast shutdown first; immediate and then plain killing only when it does not answer.
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
			_ = s.proc.Signal(sig)
			select {
			case <-s.done:
			case <-time.After(stopTimeout):
				continue
			}
			break
		}
		_ = os.RemoveAll(s.dir)
	})
}

func start(ctx context.Context, bin, dir string, opts Options) (*Server, error) {
	attr, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	// The C locale sorts as SQLite does and exists on every machine.
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "--pgdata", data, "--username", "postgres",
		"--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, attr
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, bytes.TrimSpace(out))
	}
	for try := 1; ; try++ {
		s, err := run(ctx, bin, dir, data, attr, opts)
		if err == nil || try == startTries || ctx.Err() != nil {
			return s, err
		}
	}
}

func run(ctx context.Context, bin, dir, data string, attr *syscall.SysProcAttr, opts Options) (*Server, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	args := []string{"-D", data, "-p", strconv.Itoa(port), "-k", dir, "-h", "127.0.0.1",
		"-c", "max_connections=200", "-c", "timezone=UTC", "-c", "log_min_messages=warning"}
	if opts.Fast {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	log := &logTail{}
	cmd := exec.Command(filepath.Join(bin, "postgres"), args...) //nolint:noctx // outlives the context of its start; Stop ends it
	cmd.Dir, cmd.SysProcAttr = dir, attr
	cmd.Stdout, cmd.Stderr = log, log
	cmd.WaitDelay = stopTimeout

	s := &Server{
		url:  fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port),
		dir:  dir,
		log:  log,
		done: make(chan struct{}),
	}
	started := make(chan error)
	go func() {
		defer close(s.done)
		// The kernel watches the thread that forked, not the process: keep it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	s.proc = cmd.Process
	if err := s.ready(ctx); err != nil {
		_ = s.proc.Kill()
		<-s.done
		return nil, err
	}
	return s, nil
}

// ready waits until the server answers.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.url)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.done:
			return fmt.Errorf("the server ended:\n%s", s.log)
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w\n%s", errors.Join(ctx.Err(), err), s.log)
		case <-tick.C:
		}
	}
}

// unprivileged returns how to run PostgreSQL, which refuses to run as root:
// as root we become somebody else and give him dir.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the tests, which stop the server themselves
	dieWithParent(attr)
	if os.Geteuid() != 0 {
		return attr, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(errUID, errGID); err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return attr, os.Chown(dir, int(uid), int(gid))
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody to run it as")
}

func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

// logTail keeps the last words of the server.
type logTail struct {
	mu  sync.Mutex
	buf []byte
}

const logKept = 8 << 10

func (l *logTail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf = append(l.buf, p...)
	if over := len(l.buf) - logKept; over > 0 {
		l.buf = append(l.buf[:0], l.buf[over:]...)
	}
	return len(p), nil
}

func (l *logTail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(bytes.TrimSpace(l.buf))
}
