package pgtest

import (
	"errors"
	"testing"
)

func TestMajorVersion(t *testing.T) {
	for banner, want := range map[string]int{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n": 15,
		"postgres (PostgreSQL) 19beta1\n":                        19,
		"postgres (PostgreSQL) 9.6.24\n":                         9,
		"something else 15":                                      0,
	} {
		if got := majorVersion(banner); got != want {
			t.Errorf("majorVersion(%q) = %d, want %d", banner, got, want)
		}
	}
}

func TestDebianVersionSortsAsNumber(t *testing.T) {
	if a, b := debianVersion("/usr/lib/postgresql/9.6/bin"), debianVersion("/usr/lib/postgresql/15/bin"); a >= b {
		t.Errorf("9.6 reads as %v and 15 as %v, want it smaller", a, b)
	}
}

func TestMissingPostgreSQLNamesThePackage(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	dir, err := binaries(t.Context())
	// Debian's directory may exist on the machine; without it there is one answer.
	if err != nil && !errors.Is(err, ErrMissing) {
		t.Errorf("binaries = %q, %v; want a directory or ErrMissing", dir, err)
	}
}
