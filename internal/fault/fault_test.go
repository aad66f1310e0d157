package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCodeAndMessage(t *testing.T) {
	for _, c := range []struct {
		name    string
		err     error
		code    Code
		message string
	}{
		{"nothing went wrong", nil, "", ""},
		{"a foreign error is internal and says nothing", io.ErrUnexpectedEOF, CodeInternal, ""},
		{"a bare fault", NotFound("No such team."), CodeNotFound, "No such team."},
		{"a wrapped fault", fmt.Errorf("load: %w", Conflict("Ada was first.")), CodeConflict, "Ada was first."},
		{"a joined fault", errors.Join(io.EOF, Forbidden("No.")), CodeForbidden, "No."},
		{"the outermost of two", Conflict("outer").Because(NotFound("inner")), CodeConflict, "outer"},
		{"internal hides its cause", Internal(errors.New("password is hunter2")), CodeInternal, ""},
		{"too many", TooMany("Slow down.", time.Second), CodeTooMany, "Slow down."},
		{"too large", TooLarge("Too long."), CodeTooLarge, "Too long."},
		{"unavailable", Unavailable("Later.", 0), CodeUnavailable, "Later."},
		{"unauthenticated", Unauthenticated("Sign in."), CodeUnauthenticated, "Sign in."},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := CodeOf(c.err); got != c.code {
				t.Errorf("CodeOf(%v) = %q, want %q", c.err, got, c.code)
			}
			if got := MessageOf(c.err); got != c.message {
				t.Errorf("MessageOf(%v) = %q, want %q", c.err, got, c.message)
			}
			if c.err != nil && !Is(c.err, c.code) {
				t.Errorf("Is(%v, %q) = false", c.err, c.code)
			}
		})
	}
}

func TestBecauseKeepsTheCauseAndTheOriginal(t *testing.T) {
	plain := Invalid("name", "A name is needed.")
	err := plain.Because(io.EOF)
	if !errors.Is(err, io.EOF) || plain.Err != nil {
		t.Errorf("Because: Is(EOF) = %v, original cause %v", errors.Is(err, io.EOF), plain.Err)
	}
	if got, want := err.Error(), "invalid: name: A name is needed.: EOF"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}

func TestWithCopies(t *testing.T) {
	one := Conflict("Taken.").With("by", "ada")
	two := one.With("at", 7)
	if diff := cmp.Diff(map[string]any{"by": "ada"}, one.Extra); diff != "" {
		t.Errorf("With changed its receiver (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"by": "ada", "at": 7}, two.Extra); diff != "" {
		t.Errorf("With (-want +got):\n%s", diff)
	}
}
