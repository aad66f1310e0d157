package victorops

import (
	"context"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/store"
)

// resumable is how old a line may be that a robot gets after it was away: a
// restart of the server, a broken connection. What is older it never gets.
const resumable = 2 * time.Minute

// A robot has two rows among the cursors: the last line that has arrived at its
// side, and how often it has signed in, by which a session knows that another
// node serves the robot now.
func placeOf(r id.Robot) string  { return "robot:" + string(r) }
func loginsOf(r id.Robot) string { return "robot:" + string(r) + ":logins" }

// enter begins a session: after which entry it goes on, and its number.
func enter(ctx context.Context, s *store.Store, r id.Robot) (after, login id.Seq, err error) {
	now, err := s.Now(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("sign in robot %s: %w", r, err)
	}
	recent, err := s.SeqAt(ctx, now.Add(-resumable))
	if err != nil {
		return 0, 0, fmt.Errorf("sign in robot %s: %w", r, err)
	}
	err = s.Do(ctx, func(tx *store.Tx) error {
		place, err := tx.Cursor(placeOf(r))
		if err != nil {
			return err
		}
		if login, err = tx.Cursor(loginsOf(r)); err != nil {
			return err
		}
		login++
		after = resume(place, recent, tx.Seq())
		tx.SetCursor(placeOf(r), after)
		tx.SetCursor(loginsOf(r), login)
		return nil
	})
	if err != nil {
		return 0, 0, fmt.Errorf("sign in robot %s: %w", r, err)
	}
	return after, login, nil
}

// resume says after which entry a robot goes on whose place is known: 0 when it
// was never here. A place after the head is from before a backup was restored.
func resume(place, recent, head id.Seq) id.Seq {
	if place == 0 || place > head {
		return head
	}
	return max(place, recent)
}

// arrived keeps the place of a session. It returns errTakenOver when the robot
// has signed in again since.
func arrived(ctx context.Context, s *store.Store, r id.Robot, login, seq id.Seq) error {
	return s.Do(ctx, func(tx *store.Tx) error {
		now, err := tx.Cursor(loginsOf(r))
		if err != nil {
			return fmt.Errorf("keep the place of robot %s: %w", r, err)
		}
		if now != login {
			return errTakenOver
		}
		tx.SetCursor(placeOf(r), seq)
		return nil
	})
}
