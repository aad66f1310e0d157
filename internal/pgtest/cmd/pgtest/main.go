// Command pgtest runs a command beside a PostgreSQL of its own, so that all
// test binaries of one run share a server:
//
//	pgtest [-fast] -- go test ./...
//
// The command finds the server in WATCHROOM_TEST_POSTGRES. When that is
// already set, nothing is started. The exit status is the command's.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/watchroom/watchroom/internal/pgtest"
)

func main() {
	fast := flag.Bool("fast", false, "no fsync")
	flag.Parse()
	status, err := run(flag.Args(), pgtest.Options{Fast: *fast})
	if err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
	}
	os.Exit(status)
}

func run(args []string, opts pgtest.Options) (status int, err error) {
	if len(args) == 0 {
		return 2, errors.New("give the command to run, after --")
	}
	// Ctrl-C reaches the command by itself; a signal to us alone is passed on.
	// Either way it ends first and the server after it.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = os.Environ()
	if os.Getenv(pgtest.Env) == "" {
		server, err := pgtest.Start(ctx, opts)
		if err != nil {
			return 1, err
		}
		defer server.Stop()
		cmd.Env = append(cmd.Env, pgtest.Env+"="+server.URL())
	}
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return exit.ExitCode(), nil // it has said why itself
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
