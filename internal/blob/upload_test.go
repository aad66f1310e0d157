package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/watchroom/watchroom/internal/fault"
)

func TestIntake(t *testing.T) {
	dir := t.TempDir()
	in := Intake{
		Dir: dir, Policy: Policy{MaxBytes: 100, Refuse: Executables()}, Inspector: NewInspector(1),
		Scanner: script(t, `grep -q EICAR "$1" && { echo Eicar; exit 1; }; exit 0`),
	}
	u, err := in.Receive(t.Context(), "../disk.log", strings.NewReader("disk full\n"))
	if err != nil {
		t.Fatal(err)
	}
	if u.Name != "disk.log" || u.Type != TypeText || u.Size != 10 || u.Lines != "disk full" || u.Sum != sha256.Sum256([]byte("disk full\n")) {
		t.Errorf("received %+v", u)
	}
	to, err := OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	key := Key(u.Sum, "01h")
	if err := errors.Join(u.Keep(t.Context(), to, key), u.Close()); err != nil {
		t.Fatal(err)
	}
	r, _, err := to.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "disk full\n" {
		t.Errorf("kept %q, %v", got, err)
	}

	for _, c := range []struct {
		name string
		body io.Reader
		code fault.Code
	}{
		{"too large", strings.NewReader(strings.Repeat("x", 101)), fault.CodeTooLarge},
		{"empty", strings.NewReader(""), fault.CodeInvalid},
		{"a program", strings.NewReader("\x7fELF"), fault.CodeInvalid},
		{"infected", strings.NewReader("EICAR"), fault.CodeInvalid},
		{"the sender hangs up", io.MultiReader(strings.NewReader("x"), iotest.ErrReader(io.ErrUnexpectedEOF)), fault.CodeInternal},
	} {
		if _, err := in.Receive(t.Context(), "a", c.body); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := in.Receive(ctx, "a", strings.NewReader("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("after its context: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
