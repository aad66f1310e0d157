package upload

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"log/slog"
	"net/http"
	"slices"
	"testing"

	"github.com/watchroom/watchroom/internal/blob"
	"github.com/watchroom/watchroom/internal/blob/blobtest"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/retention"
	"github.com/watchroom/watchroom/internal/store"
)

// TestRetentionEmptiesTheBucket: a file of a message that is too old goes from
// the bucket with its preview, also when the bucket refuses at first; what is
// shown by a younger message stays.
func TestRetentionEmptiesTheBucket(t *testing.T) {
	h := newHouse(t)
	server := blobtest.New(t)
	bucket, err := blob.Open(server.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bucket.Close(); err != nil {
			t.Error(err)
		}
	})
	h.bucket = bucket
	kim := actor("kim", people.Member)
	show := func(name string, content *bytes.Buffer) {
		t.Helper()
		f, err := h.Take(t.Context(), kim, name, content)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.dispatch.Say(t.Context(), kim, dispatch.Line{Text: name, Files: []id.File{f.ID}}); err != nil {
			t.Fatal(err)
		}
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 3000, 2000))); err != nil {
		t.Fatal(err)
	}
	show("graph.png", &picture)
	old := server.Objects()
	if len(old) != 2 {
		t.Fatalf("the bucket has %v, want a picture and its preview", old)
	}
	later := h.now.Load().AddDate(0, 0, 20)
	h.now.Store(&later)
	show("young.log", bytes.NewBufferString("still here\n"))
	_, err = h.dispatch.ChangeOrg(t.Context(), people.Operator(), func(o *org.Org) ([]org.Change, error) {
		s := o.Settings
		s.Name, s.SnoozeMorningAt, s.Retention.Messages = "Example", "09:00", 30
		return []org.Change{org.Put(s)}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	month := h.now.Load().AddDate(0, 0, 12)
	h.now.Store(&month)
	ctx, cancel := context.WithCancel(t.Context())
	keeper := retention.New(h.store, slog.New(slog.DiscardHandler))
	keeper.Observe = func(r store.Removed) {
		if r.Messages != 1 || r.Files != 1 {
			t.Errorf("removed: %+v, want one message and its file", r)
		}
		cancel()
	}
	if err := keeper.Run(ctx); err != nil {
		t.Fatal(err)
	}
	server.FailNext(http.StatusForbidden, "AccessDenied")
	if err := h.sweep(t.Context()); err == nil {
		t.Error("sweep says nothing of a bucket that refuses")
	}
	if err := h.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := server.Objects()
	if len(left) != 1 || slices.Contains(old, left[0]) {
		t.Errorf("the bucket has %v, want the young file alone; the old ones were %v", left, old)
	}
	if n, _, err := Missing(t.Context(), h.store, bucket, 1); n != 0 || err != nil {
		t.Errorf("Missing = %d, %v: a row names what is gone", n, err)
	}
}
