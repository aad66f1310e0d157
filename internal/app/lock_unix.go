//go:build unix

package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lock makes sure that one process alone serves a folder: two would each think
// the other dead and page twice. The lock goes with the process, however it ends.
func lock(path string) (unlock func() error, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open data folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil { //nolint:gosec // a file descriptor fits
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errors.New("another watchroom serves it already, and with SQLite one alone may")
		}
		return nil, errors.Join(fmt.Errorf("lock data folder %s: %w", filepath.Dir(path), err), f.Close())
	}
	return f.Close, nil
}
