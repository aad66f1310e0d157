package blob

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
)

func script(t *testing.T, body string) Scanner {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scan")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o700); err != nil { //nolint:gosec // it is to run
		t.Fatal(err)
	}
	s, err := NewScanner(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScan(t *testing.T) {
	t.Setenv("WATCHROOM_ADMIN_PASSWORD", "topsecret")
	file := filepath.Join(t.TempDir(), "a file; rm -rf $HOME")
	if err := os.WriteFile(file, []byte("EICAR"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, script string
		code         fault.Code // "" is clean
		says         string
	}{
		{"clean", "exit 0", "", ""},
		{"it reads the file", `grep -q EICAR "$1" && exit 0; exit 2`, "", ""},
		{"the path is the only argument", `[ $# = 1 ] && [ -f "$1" ]`, "", ""},
		{"it gets none of our secrets", `env | grep -q -i -e watchroom -e topsecret && exit 2; exit 0`, "", ""},
		{"infected", "echo 'Eicar-Test-Signature FOUND'; echo more; exit 1", fault.CodeInvalid, "The file was refused: Eicar-Test-Signature FOUND"},
		{"infected, without a word", "exit 1", fault.CodeInvalid, "The file was refused: the virus scanner found something in it"},
		{"a reason that steers the terminal", `printf '\033[31mbad\007\n'; exit 1`, fault.CodeInvalid, "The file was refused: bad"},
		{"an endless reason", "head -c 3000 /dev/zero | tr '\\0' x; exit 1", fault.CodeInvalid, "The file was refused: " + strings.Repeat("x", scanReason-1) + "…"},
		{"an error of the scanner", "echo no database >&2; exit 2", fault.CodeUnavailable, "The file could not be checked"},
		{"it dies", "kill -9 $$", fault.CodeUnavailable, "The file could not be checked"},
		{"endless output", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; n=$((n+1)); [ $n -gt 20000 ] && exit 0; done", "", ""},
		{"a child that holds the pipe", "sleep 30 & exit 0", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := script(t, c.script).Scan(t.Context(), file)
			if fault.CodeOf(err) != c.code || !strings.HasPrefix(fault.MessageOf(err), c.says) || (err == nil) != (c.code == "") {
				t.Errorf("Scan: %v, want %s %s", err, c.code, c.says)
			}
		})
	}
}

func TestScanEnds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	slow := script(t, "trap '' TERM; sleep 300 & wait; sleep 300")
	slow.limit = 50 * time.Millisecond
	if err := slow.Scan(t.Context(), file); !fault.Is(err, fault.CodeUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a scan without end: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := script(t, "exit 0").Scan(ctx, file); !fault.Is(err, fault.CodeUnavailable) {
		t.Errorf("a scan for nobody: %v", err)
	}
}

func TestNewScanner(t *testing.T) {
	none, err := NewScanner("")
	if err != nil || none.Scan(t.Context(), "/nowhere") != nil {
		t.Errorf("without a program: %v", err)
	}
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{plain, filepath.Dir(plain), "/no/such/program", "no-such-program-anywhere"} {
		if _, err := NewScanner(command); err == nil {
			t.Errorf("NewScanner(%q) says nothing", command)
		}
	}
	gone := script(t, "exit 0")
	if err := os.Remove(gone.command); err != nil {
		t.Fatal(err)
	}
	if err := gone.Scan(t.Context(), plain); !fault.Is(err, fault.CodeUnavailable) {
		t.Errorf("a program that is gone: %v", err)
	}
}
