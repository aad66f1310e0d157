package store

import (
	"path/filepath"
	"testing"

	"github.com/watchroom/watchroom/internal/invocation"
)

// Whoever has the database in their hands can change the audit, and it shows.
func TestAChangedAuditShows(t *testing.T) {
	for _, c := range []struct {
		name, change string
		broken       int64
	}{
		{"nothing", `SELECT 1`, 0},
		{"another text", `UPDATE invocation_event SET body = REPLACE(body, 'deploy', 'delete') WHERE seq = 3`, 3},
		{"another time", `UPDATE invocation_event SET at = at + 1 WHERE seq = 2`, 2},
		{"of another command", `UPDATE invocation_event SET invocation = 'other' WHERE seq = 4`, 4},
		{"one was taken out", `DELETE FROM invocation_event WHERE seq = 3`, 4},
		{"the first was", `DELETE FROM invocation_event WHERE seq = 1`, 2},
		{"a sum that fits", `UPDATE invocation_event SET sum = (SELECT sum FROM invocation_event WHERE seq = 2) WHERE seq = 3`, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "watchroom.db")})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			err = s.Do(t.Context(), func(tx *Tx) error {
				for range 5 {
					tx.AppendEvent(invocation.Event{Invocation: "i", Kind: invocation.EventReceived, Line: "deploy shop"})
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.write.ExecContext(t.Context(), c.change); err != nil {
				t.Fatal(err)
			}
			if _, broken, err := s.CheckAudit(t.Context()); err != nil || broken != c.broken {
				t.Errorf("CheckAudit() finds %d broken, %v; want %d", broken, err, c.broken)
			}
		})
	}
}
