package blob

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/blob/blobtest"
)

func nothingDone(int) {}

// keep puts texts into a bucket and returns their keys, in order.
func keep(t *testing.T, b Bucket, texts ...string) (keys []string) {
	t.Helper()
	for _, text := range texts {
		key := Key(sha256.Sum256([]byte(text)), "f")
		if err := b.Put(t.Context(), key, strings.NewReader(text), int64(len(text))); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func aFolder(t *testing.T) (*Folder, string) {
	t.Helper()
	dir := t.TempDir()
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f, dir
}

func archiveOf(t *testing.T, from Bucket, keys []string) ([]byte, Archived) {
	t.Helper()
	var b bytes.Buffer
	out := tar.NewWriter(&b)
	a, err := Archive(t.Context(), out, from, keys, time.Unix(0, 0), nothingDone)
	if err := errors.Join(err, out.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), a
}

// holds is what a bucket has under keys; "-" for nothing.
func holds(t *testing.T, b Bucket, keys []string) (all []string) {
	t.Helper()
	for _, key := range keys {
		r, _, err := b.Open(t.Context(), key)
		if errors.Is(err, ErrNotFound) {
			all = append(all, "-")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
	return all
}

func TestArchiveGoesFromAFolderIntoAnyBucket(t *testing.T) {
	from, dir := aFolder(t)
	keys := keep(t, from, "one", "", strings.Repeat("long ", 100_000), "lost", "damaged")
	want := holds(t, from, keys)
	for i, text := range want {
		if text == "lost" || text == "damaged" {
			where, _, err := place(keys[i])
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(dir, filepath.FromSlash(where))
			if text == "lost" {
				err = os.Remove(name)
			} else {
				err = os.WriteFile(name, []byte("damagEd"), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			want[i] = "-"
		}
	}
	file, a := archiveOf(t, from, keys)
	if a.Files != 3 || a.Bytes != 500_003 || len(a.Missing) != 2 {
		t.Errorf("archived %+v", a)
	}
	folder, _ := aFolder(t)
	server := blobtest.New(t)
	s3, err := OpenS3(S3Settings{Endpoint: server.Host, Bucket: blobtest.Bucket, Region: blobtest.Region, Key: blobtest.Key, Secret: blobtest.Secret, Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, into := range []Bucket{folder, s3} {
		for range 2 { // over what is there, too
			u, err := Unpack(t.Context(), tar.NewReader(bytes.NewReader(file)), into, keys, nothingDone)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(a, u.Archived); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(want, holds(t, into, keys)); diff != "" {
				t.Error(diff)
			}
		}
	}
	if err := s3.Close(); err != nil {
		t.Error(err)
	}
}

// A broken archive leaves the bucket as it was: what was there stays, what was
// not is gone again.
func TestABrokenArchiveChangesNothing(t *testing.T) {
	from, _ := aFolder(t)
	keys := keep(t, from, "one", "two", "three", "four")
	good, _ := archiveOf(t, from, keys)
	wrong := bytes.Replace(good, []byte("three"), []byte("thrEE"), 1)
	into, _ := aFolder(t)
	keep(t, into, "two")
	before := holds(t, into, keys)
	type broken struct {
		name  string
		file  []byte
		named []string
	}
	cases := []broken{{"damaged", wrong, keys}, {"not named", good, keys[1:]}, {"empty", nil, keys}, {"no tar", []byte(strings.Repeat("x", 2000)), keys}}
	for cut := 0; cut < len(good)-1024-512; cut += 256 { // the last 1024 bytes are the end of the tar
		cases = append(cases, broken{"cut off", good[:cut], keys})
	}
	for _, c := range cases {
		if _, err := Unpack(t.Context(), tar.NewReader(bytes.NewReader(c.file)), into, c.named, nothingDone); !errors.Is(err, ErrArchive) {
			t.Errorf("%s, %d bytes: %v, want ErrArchive", c.name, len(c.file), err)
		}
		if diff := cmp.Diff(before, holds(t, into, keys)); diff != "" {
			t.Fatalf("%s, %d bytes:\n%s", c.name, len(c.file), diff)
		}
	}
	u, err := Unpack(t.Context(), tar.NewReader(bytes.NewReader(good)), into, keys, nothingDone)
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Undo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, holds(t, into, keys)); diff != "" {
		t.Errorf("taken back:\n%s", diff)
	}
}

func TestAnArchiveWithoutContents(t *testing.T) {
	file, a := archiveOf(t, nil, []string{"k"})
	if !a.LeftOut || a.Files != 0 || len(a.Missing) != 0 {
		t.Errorf("archived %+v", a)
	}
	into, _ := aFolder(t)
	if u, err := Unpack(t.Context(), tar.NewReader(bytes.NewReader(file)), into, nil, nothingDone); err != nil || !u.LeftOut {
		t.Errorf("unpacked %+v, %v", u, err)
	}
}

// FuzzUnpack reads what somebody says are the files of a backup: it is refused,
// and then nothing is left, or every content has its sum.
func FuzzUnpack(f *testing.F) {
	text := "one"
	key := Key(sha256.Sum256([]byte(text)), "f")
	var b bytes.Buffer
	out := tar.NewWriter(&b)
	for _, m := range [][2]string{{archived + key, text}, {archivedEnd, `{"files":1,"bytes":3}`}} {
		if err := out.WriteHeader(&tar.Header{Name: m[0], Size: int64(len(m[1])), Mode: 0o600}); err != nil {
			f.Fatal(err)
		}
		if _, err := io.WriteString(out, m[1]); err != nil {
			f.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:700])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, file []byte) {
		into, _ := aFolder(t)
		_, err := Unpack(t.Context(), tar.NewReader(bytes.NewReader(file)), into, []string{key}, nothingDone)
		if err != nil && !errors.Is(err, ErrArchive) {
			t.Errorf("%v, want ErrArchive", err)
		}
		switch got := holds(t, into, []string{key})[0]; {
		case got != "-" && got != text:
			t.Errorf("kept %q", got)
		case err != nil && got != "-":
			t.Errorf("left %q behind: %v", got, err)
		}
	})
}
