package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/blob"
	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/upload"
)

// keepFile puts a file into the server of a folder, as the bot keeps an output.
func keepFile(t *testing.T, at config.Storage, name, text string) {
	t.Helper()
	s := openOf(t, at)
	bucket, err := blob.Open(config.Uploads{}.Place(at))
	if err != nil {
		t.Fatal(err)
	}
	scanner, err := blob.NewScanner("")
	if err != nil {
		t.Fatal(err)
	}
	files := upload.New(s, bucket, blob.Intake{Policy: blob.Policy{MaxBytes: 1 << 20}, Inspector: blob.NewInspector(1), Scanner: scanner}, slog.New(slog.DiscardHandler))
	_, err = files.Keep(t.Context(), name, strings.NewReader(text))
	if err := errors.Join(err, bucket.Close()); err != nil {
		t.Fatal(err)
	}
}

func openOf(t *testing.T, at config.Storage) *store.Store {
	t.Helper()
	s, err := openStore(t.Context(), at, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// wrongWith is what check says of the files of a server.
func wrongWith(t *testing.T, at config.Storage) string {
	t.Helper()
	found, err := findFiles(t.Context(), openOf(t, at), config.Uploads{}.Place(at))
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, f := range found {
		said = append(said, f.Text)
	}
	return strings.Join(said, "\n")
}

// restoreText restores a backup into a new folder.
func restoreText(t *testing.T, file []byte, without bool) (config.Storage, string, error) {
	t.Helper()
	at := config.Storage{Data: t.TempDir()}
	var said bytes.Buffer
	err := (&restoreCmd{File: "-", WithoutFiles: without, Storage: at}).Run(t.Context(), &console{bytes.NewReader(file), io.Discard, &said})
	return at, said.String(), err
}

func TestABackupCarriesFiles(t *testing.T) {
	from := config.Storage{Data: t.TempDir()}
	keepFile(t, from, "out.txt", "what a command said\n")
	keepFile(t, from, "more.txt", strings.Repeat("more\n", 100_000))
	backup := func(cmd backupCmd) (file []byte, said string) {
		t.Helper()
		var out, errs bytes.Buffer
		cmd.File, cmd.Storage = "-", from
		if err := cmd.Run(t.Context(), &console{nil, &out, &errs}); err != nil {
			t.Fatal(err)
		}
		return out.Bytes(), errs.String()
	}
	whole, said := backup(backupCmd{})
	if !strings.Contains(said, "2 files") {
		t.Errorf("backup said %q", said)
	}
	to, said, err := restoreText(t, whole, false)
	if err != nil || !strings.Contains(said, "2 files") || wrongWith(t, to) != "" {
		t.Errorf("restored: %v, %q; wrong: %s", err, said, wrongWith(t, to))
	}

	// Cut off in the files: nothing is changed, and nothing is left behind.
	to, _, err = restoreText(t, whole[:len(whole)-200_000], false)
	if !errors.Is(err, blob.ErrArchive) {
		t.Errorf("cut off: %v", err)
	}
	if rows, err := openOf(t, to).FilesAfter(t.Context(), "", 10); err != nil || len(rows) != 0 {
		t.Errorf("cut off: %d rows, %v", len(rows), err)
	}
	if left, err := filepath.Glob(filepath.Join(to.Data, "files", "??", "??", "*")); err != nil || len(left) != 0 {
		t.Errorf("cut off: left %v, %v", left, err)
	}

	// Without files, in each of the ways.
	left, said := backup(backupCmd{WithoutFiles: true})
	if !strings.Contains(said, "not in it") || len(left) > len(whole)/2 {
		t.Errorf("without files: %d bytes of %d, %q", len(left), len(whole), said)
	}
	s3, said := backup(backupCmd{Uploads: config.Uploads{Files: "S3://key:secret@127.0.0.1:1/files"}})
	if !strings.Contains(said, "S3 bucket") {
		t.Errorf("on S3: %q", said)
	}
	for name, file := range map[string][]byte{"left out": left, "on S3": s3, "of before": before(t, whole)} {
		to, said, err := restoreText(t, file, false)
		if wrong := wrongWith(t, to); err != nil || !strings.Contains(said, "holds no uploaded files") || !strings.Contains(wrong, "2 files") || !strings.Contains(wrong, "out.txt") {
			t.Errorf("%s: %v, %q; wrong: %s", name, err, said, wrong)
		}
	}
	to, _, err = restoreText(t, whole, true)
	if wrong := wrongWith(t, to); err != nil || !strings.Contains(wrong, "2 files") {
		t.Errorf("restored without files: %v; wrong: %s", err, wrong)
	}
	if err := os.RemoveAll(filepath.Join(from.Data, "files")); err != nil {
		t.Fatal(err)
	}
	if _, said := backup(backupCmd{}); !strings.Contains(said, "2 files are not in it") {
		t.Errorf("of lost files: %q", said)
	}
}

// before is a backup as it was when it had no files: the key and the data.
func before(t *testing.T, file []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	in, out := tar.NewReader(bytes.NewReader(file)), tar.NewWriter(&b)
	for range 2 {
		h, err := in.Next()
		if err != nil {
			t.Fatal(err)
		}
		if err := out.WriteHeader(&tar.Header{Name: h.Name, Mode: h.Mode, Size: h.Size}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(out, in); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What was restored, or may have been, keeps its files.
func TestWhatMayHaveHappened(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, true},
		{errors.New("the backup is damaged"), false},
		{&store.Away{Why: store.Unreachable, Err: io.EOF}, false},
		{fmt.Errorf("restore: %w", &store.Away{Why: store.Unreachable, Unsure: true, Err: io.EOF}), true},
	} {
		if got := mayHaveHappened(c.err); got != c.want {
			t.Errorf("mayHaveHappened(%v) = %t", c.err, got)
		}
	}
}
