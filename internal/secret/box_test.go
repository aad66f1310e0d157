package secret

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func newBox(tb testing.TB) *Box {
	tb.Helper()
	box, err := FromText(NewKey())
	if err != nil {
		tb.Fatal(err)
	}
	return box
}

// fixedBox has the same key in every run, for corpora and golden texts.
func fixedBox(tb testing.TB) *Box {
	tb.Helper()
	box, err := FromText(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, KeySize)))
	if err != nil {
		tb.Fatal(err)
	}
	return box
}

func TestSealAndOpen(t *testing.T) {
	box := newBox(t)
	for _, plain := range []string{"", "x", "smtp://user:pass@host", strings.Repeat("é\x00", 5000)} {
		sealed := box.Seal(plain)
		if !strings.HasPrefix(sealed, "v1.") || (len(plain) > 1 && strings.Contains(sealed, plain)) {
			t.Errorf("Seal(%.20q) = %.40q", plain, sealed)
		}
		if again := box.Seal(plain); again == sealed {
			t.Errorf("Seal(%.20q) gave the same text twice", plain)
		}
		if got, err := box.Open(sealed); got != plain || err != nil {
			t.Errorf("Open(Seal(%.20q)) = %.20q, %v", plain, got, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	box := newBox(t)
	sealed := box.Seal("webhook key")
	for _, c := range []struct{ name, text string }{
		{"nothing", ""},
		{"no version", strings.TrimPrefix(sealed, "v1.")},
		{"another version", "v2." + strings.TrimPrefix(sealed, "v1.")},
		{"only the version", "v1."},
		{"plain text", "webhook key"},
		{"cut", sealed[:len(sealed)-1]},
		{"lengthened", sealed + "A"},
		{"a line end inside", sealed[:9] + "\n" + sealed[9:]},
		{"another alphabet", "v1.+/+/"},
		{"another key's", newBox(t).Seal("webhook key")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := box.Open(c.text); got != "" || !errors.Is(err, ErrInvalid) {
				t.Errorf("Open(%q) = %q, %v, want ErrInvalid", c.text, got, err)
			}
		})
	}
	for i := len(version); i < len(sealed); i++ {
		changed := []byte(sealed)
		changed[i] ^= 1
		if got, err := box.Open(string(changed)); err == nil {
			t.Errorf("Open with character %d changed = %q", i, got)
		}
	}
}

func TestFromText(t *testing.T) {
	raw := bytes.Repeat([]byte{0xfb, 0xff}, KeySize/2) // has + and / in the standard alphabet
	want := base64.StdEncoding.EncodeToString(raw)
	sealed := must(t)(FromText(want)).Seal("x")
	for _, c := range []struct {
		name, text string
		ok         bool
	}{
		{"standard", want, true},
		{"with a line end", " " + want + "\r\n", true},
		{"unpadded", strings.TrimRight(want, "="), true},
		{"URL alphabet", base64.URLEncoding.EncodeToString(raw), true},
		{"empty", "", false},
		{"too short", base64.StdEncoding.EncodeToString(raw[:31]), false},
		{"too long", base64.StdEncoding.EncodeToString(append(raw, 1)), false},
		{"a pass phrase", "correct horse battery staple", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			box, err := FromText(c.text)
			if (err == nil) != c.ok {
				t.Fatalf("FromText(%q): %v, want ok %v", c.text, err, c.ok)
			}
			if err != nil {
				if c.text != "" && strings.Contains(err.Error(), c.text) {
					t.Errorf("error shows the key: %v", err)
				}
				return
			}
			if got, err := box.Open(sealed); got != "x" || err != nil {
				t.Errorf("the key differs: Open = %q, %v", got, err)
			}
		})
	}
}

func must(t *testing.T) func(*Box, error) *Box {
	return func(b *Box, err error) *Box {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

func TestDerive(t *testing.T) {
	box := fixedBox(t)
	seen := map[string]string{string(box.key[:]): "the key itself"}
	for _, purpose := range []string{"", "seal", "link", "link2", "session"} {
		key := string(box.Derive(purpose))
		if other, twice := seen[key]; twice || len(key) != KeySize {
			t.Errorf("Derive(%q) has %d bytes and equals %q", purpose, len(key), other)
		}
		seen[key] = purpose
		if key != string(fixedBox(t).Derive(purpose)) {
			t.Errorf("Derive(%q) differs from box to box", purpose)
		}
	}
}

// What is in databases must stay readable.
func TestOpenReadsWhatWasSealedBefore(t *testing.T) {
	const sealed = "v1.3VYQHK3flipTnr7FtZrzXSNPlJ_LQtOlOrEI0lm0IcOUdZX8qA"
	if got, err := fixedBox(t).Open(sealed); got != "watchroom" || err != nil {
		t.Errorf("Open = %q, %v", got, err)
	}
}

func TestHash(t *testing.T) {
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2
	if got := Hash("abc"); got != want {
		t.Errorf("Hash(abc) = %s, want %s", got, want)
	}
}

func TestOpenMakesTheKeyOnce(t *testing.T) {
	name := filepath.Join(t.TempDir(), "new", "secret.key")
	boxes := make([]*Box, 8)
	var wg sync.WaitGroup
	for i := range boxes {
		wg.Go(func() {
			box, err := Open(name)
			if err != nil {
				t.Errorf("Open: %v", err)
				return
			}
			boxes[i] = box
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	for i, box := range boxes {
		if box.key != boxes[0].key {
			t.Errorf("process %d has another key", i)
		}
	}
	if again := must(t)(Open(name)); again.key != boxes[0].key {
		t.Error("the second start has another key")
	}
	left, err := os.ReadDir(filepath.Dir(name))
	if err != nil || len(left) != 1 {
		t.Errorf("left in the folder: %v, %v, want the key alone", left, err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v, want mode 0600", info, err)
	}
}

func TestOpenClosesTheFileToOthers(t *testing.T) {
	name := filepath.Join(t.TempDir(), "secret.key")
	if err := os.WriteFile(name, []byte(NewKey()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, 0o644); err != nil { //nolint:gosec // that is the point
		t.Fatal(err)
	}
	must(t)(Open(name))
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v, want mode 0600", info, err)
	}
}

func TestOpenRefusesADamagedFile(t *testing.T) {
	for _, text := range []string{"", "garbage", NewKey()[:20]} {
		name := filepath.Join(t.TempDir(), "secret.key")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(name); err == nil {
			t.Errorf("Open with %q in the file gave a box", text)
		}
		if left, err := os.ReadFile(name); err != nil || string(left) != text {
			t.Errorf("Open changed the damaged file to %q, %v", left, err)
		}
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("Open of a folder gave a box")
	}
}

func FuzzOpen(f *testing.F) {
	box := fixedBox(f)
	f.Add("")
	f.Add("v1.")
	f.Add(box.Seal("x"))
	f.Fuzz(func(t *testing.T, text string) {
		plain, err := box.Open(text)
		if err != nil && (plain != "" || !errors.Is(err, ErrInvalid)) {
			t.Errorf("Open(%q) = %q, %v", text, plain, err)
		}
		if got, err := box.Open(box.Seal(text)); got != text || err != nil {
			t.Errorf("Open(Seal(%q)) = %q, %v", text, got, err)
		}
	})
}
