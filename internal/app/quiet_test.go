package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/store"
)

func TestTheLogTellsOnceThatTheDatabaseIsAway(t *testing.T) {
	gone := fmt.Errorf("follow: %w", &store.Away{Why: store.Unreachable, Err: errors.New("no route\n\tto host")})
	for _, c := range []struct {
		name  string
		level slog.Level
		away  bool
		attrs []any
		want  bool
	}{
		{"a loop, of the database", slog.LevelInfo, true, []any{"err", gone}, false},
		{"a loop, when everything is to be told", slog.LevelDebug, true, []any{"err", gone}, true},
		{"a loop, of something else", slog.LevelInfo, true, []any{"err", errors.New("a bug")}, true},
		{"a loop without an error", slog.LevelInfo, true, []any{"rows", 7}, true},
		{"a loop that waited, meanwhile", slog.LevelInfo, true, []any{"err", context.DeadlineExceeded}, false},
		{"a loop that waited for something else", slog.LevelInfo, false, []any{"err", context.DeadlineExceeded}, true},
		{"a request", slog.LevelInfo, true, []any{"request", "r1", "err", gone}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			log := slog.New(quiet{slog.NewTextHandler(&b, &slog.HandlerOptions{Level: c.level}), func() bool { return c.away }})
			log.With("node", "n1").ErrorContext(t.Context(), "something", c.attrs...)
			if got := strings.Contains(b.String(), "msg=something"); got != c.want {
				t.Errorf("told: %t, want %t: %s", got, c.want, b.String())
			}
			if strings.Contains(b.String(), "level=ERROR") && c.level == slog.LevelDebug {
				t.Errorf("told as an error: %s", b.String())
			}
		})
	}
}
