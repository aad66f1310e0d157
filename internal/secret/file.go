package secret

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Open reads the key from keyFile and makes it first when there is none. The
// file appears whole or not at all, and of two processes that start together
// both use the same key. A file that others may read is closed to them.
func Open(keyFile string) (*Box, error) {
	text, err := os.ReadFile(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(keyFile, NewKey()+"\n"); err != nil {
			return nil, fmt.Errorf("create secret key: %w", err)
		}
		text, err = os.ReadFile(keyFile) // perhaps another process was first
	}
	if err != nil {
		return nil, fmt.Errorf("read secret key: %w", err)
	}
	box, err := FromText(string(text))
	if err != nil {
		return nil, fmt.Errorf("read secret key %s: %w", keyFile, err)
	}
	if info, err := os.Stat(keyFile); err == nil && info.Mode().Perm()&0o077 != 0 {
		// A secret mounted read-only cannot be closed further; its mode is the operator's business then.
		_ = os.Chmod(keyFile, 0o600)
	}
	return box, nil
}

// create writes a new file beside name and moves it there unless name has
// appeared meanwhile.
func create(name, text string) (err error) {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.WriteString(text)
	if err == nil {
		err = tmp.Sync() // a key lost at a power cut takes every sealed secret with it
	}
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	// A link, unlike a rename, never replaces a key that another process made.
	switch err := os.Link(tmp.Name(), name); {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil: // a file system without hard links
		if err := os.Rename(tmp.Name(), name); err != nil {
			return err
		}
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	// Some file systems cannot sync a directory; the key is in place all the same.
	_ = d.Sync()
	return d.Close()
}
