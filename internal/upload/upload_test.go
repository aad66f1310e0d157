package upload

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/watchroom/watchroom/internal/blob"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

type house struct {
	*Service
	dispatch *dispatch.Dispatcher
	now      atomic.Pointer[time.Time]
	folder   string
}

func actor(u id.User, role people.Role) people.Actor {
	return people.Actor{User: u, Name: string(u), Role: role, Origin: timeline.Browser}
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{folder: t.TempDir()}
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	h.now.Store(&noon)
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "watchroom.db"), Clock: func() time.Time { return *h.now.Load() }})
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := blob.OpenFolder(h.folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bucket.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	box := secrettest.Box(t)
	scanner, err := blob.NewScanner("")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	h.dispatch = dispatch.New(s, box, log)
	h.Service = New(s, bucket, blob.Intake{Policy: blob.Policy{MaxBytes: 1 << 20, Refuse: blob.Executables()}, Inspector: blob.NewInspector(1), Scanner: scanner}, log)
	person := func(u id.User, role people.Role) org.Change {
		return org.Put(people.User{ID: u, Username: string(u), Name: string(u), Email: string(u) + "@example.org", Role: role, Zone: "UTC"})
	}
	_, err = h.dispatch.ChangeOrg(t.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) {
		return []org.Change{person("ada", people.Admin), person("kim", people.Member), person("lee", people.Member), person("obi", people.Observer)}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) reads(t *testing.T, u id.User, n id.File) string {
	t.Helper()
	c, err := h.Open(t.Context(), u, n, false)
	if fault.Is(err, fault.CodeNotFound) {
		return "not found"
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAFileIsForWhoReadsItsRoom(t *testing.T) {
	h := newHouse(t)
	f, err := h.Take(t.Context(), actor("kim", people.Member), "../error.log", strings.NewReader("disk full\n"))
	if err != nil || f.Name != "error.log" || f.Lines == "" {
		t.Fatalf("Take() = %+v, %v", f, err)
	}
	for u, want := range map[id.User]string{"kim": "disk full\n", "lee": "not found", "ada": "not found", "": "not found"} {
		if got := h.reads(t, u, f.ID); got != want {
			t.Errorf("before it is shown %q reads %q, want %q", u, got, want)
		}
	}
	r, err := h.dispatch.OpenRoom(t.Context(), actor("kim", people.Member), room.Room{Kind: room.Private, Slug: "us", Members: []id.User{"lee"}})
	if err != nil {
		t.Fatal(err)
	}
	seq, err := h.dispatch.Say(t.Context(), actor("kim", people.Member), dispatch.Line{Room: r.ID, Files: []id.File{f.ID}})
	if err != nil {
		t.Fatal(err)
	}
	for u, want := range map[id.User]string{"kim": "disk full\n", "lee": "disk full\n", "ada": "not found"} {
		if got := h.reads(t, u, f.ID); got != want {
			t.Errorf("in a private room %q reads %q, want %q", u, got, want)
		}
	}
	if err := h.dispatch.Delete(t.Context(), actor("kim", people.Member), seq); err != nil {
		t.Fatal(err)
	}
	for _, u := range []id.User{"kim", "lee"} {
		if got := h.reads(t, u, f.ID); got != "not found" {
			t.Errorf("after its message was deleted %q reads %q", u, got)
		}
	}
	if err := h.sweep(t.Context()); err != nil { // at once: a day is for what is yet to be shown
		t.Fatal(err)
	}
	if left := h.left(t); left != 0 {
		t.Errorf("%d files are left in the folder", left)
	}
}

// left counts the files in the folder of the bucket.
func (h *house) left(t *testing.T) (n int) {
	t.Helper()
	err := filepath.WalkDir(h.folder, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// stuck is a bucket from which nothing can be removed.
type stuck struct{ blob.Bucket }

func (stuck) Delete(context.Context, string) error { return errors.New("the bucket is away") }

// TestSweepGoesOn: what could not be removed is found again, and shown by nobody meanwhile.
func TestSweepGoesOn(t *testing.T) {
	h := newHouse(t)
	f, err := h.Take(t.Context(), actor("kim", people.Member), "error.log", strings.NewReader("disk full\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.sweep(t.Context()); err != nil || h.left(t) == 0 {
		t.Fatalf("a file that is yet to be shown was removed (%v)", err)
	}
	later := h.now.Load().Add(loose + time.Hour)
	h.now.Store(&later)
	bucket := h.bucket
	h.bucket = stuck{bucket}
	if err := h.sweep(t.Context()); err == nil {
		t.Error("nobody learns that the bucket is away")
	}
	if got := h.reads(t, "kim", f.ID); got != "not found" {
		t.Errorf("half removed it reads %q", got)
	}
	if _, err := h.dispatch.Say(t.Context(), actor("kim", people.Member), dispatch.Line{Files: []id.File{f.ID}}); !fault.Is(err, fault.CodeInvalid) {
		t.Errorf("half removed it is shown: %v", err)
	}
	h.bucket = bucket
	if err := h.sweep(t.Context()); err != nil || h.left(t) != 0 {
		t.Errorf("%d files are left in the folder (%v)", h.left(t), err)
	}
	if _, err := h.store.File(t.Context(), f.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("its row is still there: %v", err)
	}
}

func TestPicturesHaveASmallerOne(t *testing.T) {
	h := newHouse(t)
	var large bytes.Buffer
	if err := png.Encode(&large, image.NewRGBA(image.Rect(0, 0, 1600, 900))); err != nil {
		t.Fatal(err)
	}
	f, err := h.Take(t.Context(), actor("kim", people.Member), "screen.png", &large)
	if err != nil || f.Width != 1600 || f.Height != 900 || f.Preview == "" {
		t.Fatalf("Take() = %+v, %v", f, err)
	}
	c, err := h.Open(t.Context(), "kim", f.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	small, _, err := image.DecodeConfig(c)
	if err != nil || small.Width >= 1600 {
		t.Errorf("the preview is %d wide (%v)", small.Width, err)
	}
}

// half is a bucket that takes no previews.
type half struct {
	blob.Bucket
	puts int
}

func (b *half) Put(ctx context.Context, key string, r io.ReadSeeker, size int64) error {
	if b.puts++; b.puts > 1 {
		return errors.New("the disk is full")
	}
	return b.Bucket.Put(ctx, key, r, size)
}

// TestWhatFailsLeavesNothing: content without a row is never found again.
func TestWhatFailsLeavesNothing(t *testing.T) {
	h := newHouse(t)
	h.intake.Dir = t.TempDir()
	h.bucket = &half{Bucket: h.bucket}
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 2000, 1000))); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Take(t.Context(), actor("kim", people.Member), "wide.png", &picture); err == nil {
		t.Error("it was taken without its preview")
	}
	broken := io.MultiReader(strings.NewReader("half of it"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := h.Take(t.Context(), actor("kim", people.Member), "log.txt", broken); err == nil {
		t.Error("half of a file was taken")
	}
	for _, dir := range []string{h.folder, h.intake.Dir} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				t.Errorf("%s is left", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestRefused(t *testing.T) {
	h := newHouse(t)
	if _, err := h.Take(t.Context(), actor("obi", people.Observer), "a.txt", strings.NewReader("x")); !fault.Is(err, fault.CodeForbidden) {
		t.Errorf("an observer uploads: %v", err)
	}
	if _, err := h.Take(t.Context(), actor("kim", people.Member), "a", strings.NewReader("\x7fELF\x02\x01\x01\x00aaaaaaaaaaaaaaaaaaaaaaaa")); !fault.Is(err, fault.CodeInvalid) {
		t.Errorf("an executable: %v", err)
	}
	if _, err := h.Take(t.Context(), actor("kim", people.Member), "a", strings.NewReader(strings.Repeat("x", 1<<20+1))); !fault.Is(err, fault.CodeTooLarge) {
		t.Errorf("one byte too many: %v", err)
	}
}

// awayBucket is a place that cannot be reached.
type awayBucket struct{ blob.Bucket }

var errAway = errors.New("connection refused")

func (awayBucket) Put(context.Context, string, io.ReadSeeker, int64) error { return errAway }
func (awayBucket) Open(context.Context, string) (io.ReadSeekCloser, int64, error) {
	return nil, 0, errAway
}

// A bucket that is away is no bug of ours, and the same request may work later.
func TestABucketThatIsAway(t *testing.T) {
	h := newHouse(t)
	f, err := h.Take(t.Context(), actor("kim", people.Member), "a.txt", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	there := h.bucket
	h.bucket = awayBucket{there}
	_, opening := h.Open(t.Context(), "kim", f.ID, false)
	_, taking := h.Take(t.Context(), actor("kim", people.Member), "b.txt", strings.NewReader("hello"))
	for what, err := range map[string]error{"open": opening, "take": taking} {
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Code != fault.CodeUnavailable || f.RetryAfter <= 0 || !errors.Is(err, errAway) {
			t.Errorf("%s: %v", what, err)
		}
	}
	h.bucket = there
	if got := h.reads(t, "kim", f.ID); got != "hello" {
		t.Errorf("then: %q", got)
	}
}

func TestMissing(t *testing.T) {
	h := newHouse(t)
	look := func(want int, first string) {
		t.Helper()
		n, names, err := Missing(t.Context(), h.store, h.bucket, 1)
		if err != nil || n != want || strings.Join(names, ",") != first {
			t.Errorf("Missing() = %d, %v, %v; want %d, %s", n, names, err, want, first)
		}
	}
	look(0, "")
	var all []store.File
	for range 3 {
		f, err := h.Take(t.Context(), actor("kim", people.Member), "a.txt", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	look(0, "")
	for _, f := range all[:2] {
		if err := h.bucket.Delete(t.Context(), f.Key); err != nil {
			t.Fatal(err)
		}
	}
	look(2, "a.txt")
	if _, _, err := Missing(t.Context(), h.store, awayBucket{h.bucket}, 1); !errors.Is(err, errAway) {
		t.Errorf("Missing() of a place that is away: %v", err)
	}
}
