package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const crashing = "WATCHROOM_TEST_CRASH_FOLDER"

// dying is content during which the process dies as by kill -9.
type dying struct{ *strings.Reader }

func (d dying) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	if err != nil { // all is written, nothing is named
		me, _ := os.FindProcess(os.Getpid())
		_ = me.Kill()
		select {}
	}
	return n, err
}

// A process dies when all bytes are written and the file has no name yet.
func TestCrashBeforeRename(t *testing.T) {
	content := "hello"
	key := Key(sha256.Sum256([]byte(content)), "")
	if dir := os.Getenv(crashing); dir != "" { // we are the one who dies
		f, err := OpenFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Fatal(f.Put(t.Context(), key, dying{strings.NewReader(content)}, int64(len(content))))
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashBeforeRename$")
	cmd.Env = append(os.Environ(), crashing+"="+dir)
	if out, err := cmd.CombinedOutput(); err == nil || strings.Contains(string(out), "FAIL") {
		t.Fatalf("it did not die: %v\n%s", err, out)
	}
	left, err := filepath.Glob(filepath.Join(dir, incoming, "*"))
	if err != nil || len(left) != 1 {
		t.Fatalf("left behind: %v, %v, want one file", left, err)
	}
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, _, err := f.Open(t.Context(), key); !errors.Is(err, ErrNotFound) {
		t.Errorf("Open after the crash: %v, want ErrNotFound", err)
	}
	if err := f.Put(t.Context(), key, strings.NewReader(content), int64(len(content))); err != nil {
		t.Fatalf("Put after the crash: %v", err)
	}
	// The next start after a day removes what is left; a young file may be in work.
	if _, err := os.Stat(left[0]); err != nil {
		t.Errorf("a young file is gone: %v", err)
	}
	if err := f.prepare(time.Now().Add(staleFor)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left[0]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an old file is still there: %v", err)
	}
}

func TestFolderLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	key := Key(sha256.Sum256([]byte("hello")), "")
	if err := f.Put(t.Context(), key, strings.NewReader("hallo"), 5); !errors.Is(err, errChanged) {
		t.Errorf("Put of other content: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Put(ctx, key, strings.NewReader("hello"), 5); !errors.Is(err, context.Canceled) {
		t.Errorf("Put after its context: %v", err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, incoming)); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Whoever can write into the folder cannot make us read or write elsewhere.
func TestFolderFollowsNoLinkOut(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	content := []byte("hello")
	key := Key(sha256.Sum256(content), "")
	if err := os.Symlink(outside, filepath.Join(dir, key[:2])); err != nil {
		t.Fatal(err)
	}
	if err := f.Put(t.Context(), key, bytes.NewReader(content), 5); err == nil {
		t.Error("Put went through a link")
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("outside: %v, %v", left, err)
	}
	secret := filepath.Join(outside, key[2:4], key)
	if err := os.MkdirAll(filepath.Dir(secret), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(secret, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if r, _, err := f.Open(t.Context(), key); err == nil {
		t.Errorf("Open went through a link (%v)", r.Close())
	}
	if err := f.Delete(t.Context(), key); err == nil {
		t.Error("Delete went through a link")
	}
	if _, err := os.Stat(secret); err != nil {
		t.Errorf("what is outside: %v", err)
	}
}

func TestOpenFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFolder(file); err == nil {
		t.Error("a file is no folder")
	}
	dir := filepath.Join(t.TempDir(), "a", "b")
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the new folder: %v, %v", info, err)
	}
	if err := errors.Join(f.Check(t.Context()), f.Close()); err != nil {
		t.Error(err)
	}
}
