package hubottest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// adapterDir is our adapter, which is tested as a package that was installed.
const adapterDir = "../../../../adapters/hubot"

// installFor bounds what npm may take.
const installFor = 5 * time.Minute

// hubot is the folder where Hubot, ws and our adapter are installed. It is made
// once for what is installed there, and kept: npm is asked only the first time.
func hubot(t *testing.T) (dir string) {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is not there: this test runs a real Hubot; make need names what to install", program)
		}
	}
	files := []string{"testdata/package.json", "testdata/package-lock.json"}
	err := filepath.WalkDir(adapterDir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	for _, path := range files {
		sum.Write(read(t, path))
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache = filepath.Join(cache, "watchroom-test")
	dir = filepath.Join(cache, "hubot-"+hex.EncodeToString(sum.Sum(nil))[:16])
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	fresh, err := os.MkdirTemp(cache, "install-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(fresh) }) // when it has not become dir
	for _, path := range files[:2] {
		write(t, filepath.Join(fresh, filepath.Base(path)), read(t, path))
	}
	ctx, cancel := context.WithTimeout(t.Context(), installFor)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = fresh
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v: it needs a registry, once\n%s", err, out)
	}
	for _, path := range files[2:] {
		to, err := filepath.Rel(adapterDir, path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(fresh, "node_modules", "hubot-watchroom", to), read(t, path))
	}
	if err := os.Rename(fresh, dir); err != nil {
		if _, there := os.Stat(dir); there != nil { // another test was quicker
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// startHubot runs a Hubot with the test's scripts until the test ends.
func startHubot(t *testing.T, environment []string, arguments ...string) {
	t.Helper()
	installed := hubot(t)
	work := t.TempDir()
	if err := os.Symlink(filepath.Join(installed, "node_modules"), filepath.Join(work, "node_modules")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"scripts/test.mjs", "victorops.mjs"} {
		write(t, filepath.Join(work, name), read(t, filepath.Join("testdata", name)))
	}
	program := filepath.Join(work, "node_modules", "hubot", "bin", "hubot")
	cmd := exec.CommandContext(t.Context(), "node", append([]string{program, "--disable-httpd"}, arguments...)...) //nolint:gosec // what the test has installed
	cmd.Dir, cmd.Env = work, append(os.Environ(), environment...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Wait() // it is interrupted by the end of the test's context
		if t.Failed() {
			t.Logf("hubot said:\n%s", out.String())
		}
	})
}

// The adapter's own tests, which Node runs.
func TestAdapter(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "node", "--test", "test/adapter.test.mjs")
	cmd.Dir = adapterDir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("node --test: %v\n%s", err, out)
	}
}
