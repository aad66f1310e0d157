package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/watchroom/watchroom/internal/live"
)

// quiet is a subscription on which nothing ever happens.
type quiet struct{}

func (quiet) Next(ctx context.Context) ([]live.Event, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
func (quiet) Close() {}

func pumping(t *testing.T, out *events, stillMay func() error) (took time.Duration) {
	t.Helper()
	a := &api{Deps: Deps{Log: slog.New(slog.DiscardHandler)}}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	start := time.Now()
	a.pump(ctx, out, quiet{}, followed{}, stillMay)
	return time.Since(start)
}

func writing(w http.ResponseWriter) *events {
	return &events{w: w}
}

func TestQuietStreamBeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := httptest.NewRecorder()
		out := writing(w)
		out.seen = 7 // passed over: not wanted
		if took := pumping(t, out, func() error { return nil }); took != 10*time.Minute {
			t.Errorf("it ended after %v", took)
		}
		beats := strings.Split(strings.TrimSuffix(w.Body.String(), "\n\n"), "\n\n")
		// The one due in the instant in which the reader leaves may be there or not.
		if want := int(10 * time.Minute / keepAlive); len(beats) != want && len(beats) != want-1 {
			t.Errorf("%d beats, want %d", len(beats), want)
		}
		if beats[0] != ": passed\nid: 7" || beats[1] != ":" {
			t.Errorf("beats are %q, %q", beats[0], beats[1])
		}
	})
}

func TestStreamEndsWhenTheRightDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		took := pumping(t, writing(httptest.NewRecorder()), func() error {
			if asked++; asked == 3 {
				return errors.New("the token was revoked")
			}
			return nil
		})
		if want := 3 * recheck * keepAlive; took > want {
			t.Errorf("it went on for %v, want at most %v", took, want)
		}
	})
}

func TestStreamEndsWhenWritingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if took := pumping(t, writing(gone{httptest.NewRecorder()}), func() error { return nil }); took != keepAlive {
			t.Errorf("it went on for %v, want until the first beat", took)
		}
	})
}

// gone is a reader who has left.
type gone struct{ http.ResponseWriter }

func (gone) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }
