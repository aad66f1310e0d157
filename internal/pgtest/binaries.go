package pgtest

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// MinVersion is the oldest PostgreSQL that Watchroom supports.
const MinVersion = 15

// ErrMissing says what to install.
var ErrMissing = errors.New("PostgreSQL 15 or newer was not found: install Debian's package postgresql, or name a running server in " + Env)

// binaries returns the directory with initdb and postgres: that of the PATH,
// or else the newest of Debian's, which are not on the PATH.
func binaries(ctx context.Context) (string, error) {
	var dirs []string
	if initdb, err := exec.LookPath("initdb"); err == nil {
		dirs = append(dirs, filepath.Dir(initdb))
	}
	debian, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.SortFunc(debian, func(a, b string) int { return cmp.Compare(debianVersion(b), debianVersion(a)) })
	for _, dir := range append(dirs, debian...) {
		if version(ctx, dir) >= MinVersion {
			return dir, nil
		}
	}
	return "", ErrMissing
}

// debianVersion reads the number in /usr/lib/postgresql/<number>/bin; numbers, because "9.6" sorts behind "15" as text.
func debianVersion(bin string) float64 {
	v, err := strconv.ParseFloat(filepath.Base(filepath.Dir(bin)), 64)
	if err != nil {
		return 0
	}
	return v
}

// version is the major version of the server in dir, 0 when there is none that works.
func version(ctx context.Context, dir string) int {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return 0 // client only
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0
	}
	return majorVersion(string(out))
}

// majorVersion reads "postgres (PostgreSQL) 15.18 (Debian …)", "… 19beta1" included.
func majorVersion(banner string) int {
	m := regexp.MustCompile(`\(PostgreSQL\) (\d+)`).FindStringSubmatch(banner)
	if m == nil {
		return 0
	}
	v, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return v
}
