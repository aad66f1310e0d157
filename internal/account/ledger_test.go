package account_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/fault"
)

// TestNodesCountTogether: whoever guesses gets no more tries from several nodes
// than from one, also when they ask all of them at once.
func TestNodesCountTogether(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, g := t.Context(), h.setUp(t)
		actor, session, err := h.Authenticate(ctx, g.Cookie)
		if err != nil {
			t.Fatal(err)
		}
		p, _ := h.enrol(t, g)
		nodes := []*account.Service{h.Service, h.node(), h.node()}
		// let through is how many of many tries, spread over the nodes, were looked at.
		looked := func(try func(*account.Service) error) int {
			var n atomic.Int32
			var all sync.WaitGroup
			for i := range 30 {
				all.Go(func() {
					switch err := try(nodes[i%len(nodes)]); {
					case fault.Is(err, fault.CodeInvalid), fault.Is(err, fault.CodeUnauthenticated):
						n.Add(1)
					case !fault.Is(err, fault.CodeTooMany):
						t.Errorf("a wrong try: %v", err)
					}
				})
			}
			all.Wait()
			return int(n.Load())
		}
		half, err := h.SignIn(ctx, "kim", password, from)
		if err != nil {
			t.Fatal(err)
		}
		for what, try := range map[string]func(*account.Service) error{
			"sign in":         func(s *account.Service) error { _, err := s.SignIn(ctx, "kim", "guess", from); return err },
			"second factor":   func(s *account.Service) error { _, err := s.FinishSignIn(ctx, half.Cookie, "000000", from); return err },
			"change password": func(s *account.Service) error { return s.ChangePassword(ctx, actor, "guess", "another long password") },
		} {
			if n := looked(try); n != 5 {
				t.Errorf("%s: %d tries were looked at, want 5", what, n)
			}
		}
		asked := looked(func(s *account.Service) error {
			if err := s.Forgot(ctx, "kim@example.org", from); err != nil {
				return err
			}
			return fault.Invalid("", "")
		})
		if asked != 3 {
			t.Errorf("forgotten password: %d mails, want 3", asked)
		}
		h.later(30 * time.Second)
		if n := looked(func(s *account.Service) error { _, err := s.SignIn(ctx, "kim", "guess", from); return err }); n != 1 {
			t.Errorf("half a minute later %d tries were looked at, want 1", n)
		}
		h.later(time.Minute)
		if _, err := nodes[1].SignIn(ctx, "kim", password, from); err != nil {
			t.Errorf("whoever knows the password: %v", err)
		}
		if n := looked(func(s *account.Service) error { _, err := s.SignIn(ctx, "kim", "guess", from); return err }); n < 4 {
			t.Errorf("after a success %d tries were looked at", n)
		}
		if _, err := nodes[2].StepUp(ctx, actor, session, p.code(t), from); err != nil {
			t.Errorf("a right code after a while: %v", err)
		}
		if err := h.Clean(ctx); err != nil {
			t.Fatal(err)
		}
	})
}
