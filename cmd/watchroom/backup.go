package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/app"
	"github.com/watchroom/watchroom/internal/blob"
	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
)

// A backup is a tar of these, in this order, and then of the uploaded files: the
// key is looked at before anything is replaced.
const (
	keyMember  = "secret.key"
	dataMember = "data.jsonl.gz"
)

// withFiles is a mark at the data that the files, or the word that they were
// left out, come after it: backups had none before.
const withFiles = "WATCHROOM.files"

// maxKeyFile is far above the size of a key.
const maxKeyFile = 4096

type backupCmd struct {
	File         string         `arg:"" help:"File to write; - is standard output. It holds the secret key: keep it as safe as the server."`
	WithoutFiles bool           `help:"Leave out what people uploaded and long outputs."`
	Storage      config.Storage `embed:""`
	Uploads      config.Uploads `embed:""`
}

// Run writes the backup.
func (cmd *backupCmd) Run(ctx context.Context, c *console) (err error) {
	s, err := openStore(ctx, cmd.Storage, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	box, err := secret.Open(cmd.Storage.KeyFile()) // makes one when none was needed yet
	if err != nil {
		return fmt.Errorf("open the secret key: %w", err)
	}
	if err := app.KeyFits(ctx, s, box); err != nil {
		return err
	}
	key, err := os.ReadFile(cmd.Storage.KeyFile())
	if err != nil {
		return fmt.Errorf("read the secret key: %w", err)
	}
	var bucket blob.Bucket
	switch {
	case cmd.WithoutFiles:
		c.note(phrase.T("cli.backup.without_files"))
	case blob.Remote(cmd.Uploads.Files):
		c.note(phrase.T("cli.backup.elsewhere"))
	default:
		if bucket, err = blob.Open(cmd.Uploads.Place(cmd.Storage)); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, bucket.Close()) }()
	}
	b := backup{s, key, bucket, c}
	if cmd.File == "-" {
		return b.write(ctx, c.out, os.TempDir())
	}
	return writeWhole(cmd.File, func(w io.Writer) error { return b.write(ctx, w, filepath.Dir(cmd.File)) })
}

// backup is what a backup is made of.
type backup struct {
	store  *store.Store
	key    []byte
	bucket blob.Bucket // nil: without files
	c      *console
}

// write writes the tar. The data goes through a file in dir, because its
// length stands before it.
func (b backup) write(ctx context.Context, w io.Writer, dir string) (err error) {
	data, err := os.CreateTemp(dir, ".watchroom-backup-*") // mode 0600
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	defer func() { err = errors.Join(err, data.Close(), os.Remove(data.Name())) }()
	named, err := b.store.BackupNaming(ctx, data)
	if err != nil {
		return err
	}
	size, err := data.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = data.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	out, now := tar.NewWriter(w), time.Now()
	for _, member := range []struct {
		name string
		size int64
		from io.Reader
		mark map[string]string
	}{
		{keyMember, int64(len(b.key)), bytes.NewReader(b.key), nil},
		{dataMember, size, data, map[string]string{withFiles: "1"}},
	} {
		err := out.WriteHeader(&tar.Header{Name: member.name, Mode: 0o600, Size: member.size, ModTime: now, PAXRecords: member.mark})
		if err == nil {
			_, err = io.Copy(out, member.from)
		}
		if err != nil {
			return fmt.Errorf("back up: %w", err)
		}
	}
	archived, err := blob.Archive(ctx, out, b.bucket, named, now, b.c.progress(len(named)))
	if err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	b.c.tellFiles("cli.backup.files", archived)
	return nil
}

// writeWhole makes a file that is there whole, on disk, or not at all.
func writeWhole(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".watchroom-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // what is left of it is of no use
		}
	}()
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return syncFolder(filepath.Dir(name))
}

func syncFolder(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("sync %s: %w", name, err)
	}
	_ = d.Sync() // some file systems cannot; the file is in place all the same
	return d.Close()
}

type restoreCmd struct {
	File         string         `arg:"" help:"File to read; - is standard input."`
	Force        bool           `help:"Replace a secret key that differs from the backup's."`
	WithoutFiles bool           `help:"Leave the uploaded files that are in the backup alone."`
	Storage      config.Storage `embed:""`
	Uploads      config.Uploads `embed:""`
}

// Run restores the files first, then the data in one transaction, and the key
// last: a key without its data would lock everything sealed, data without its
// key can be restored again, and files that nothing names are in nobody's way.
func (cmd *restoreCmd) Run(ctx context.Context, c *console) (err error) {
	in := c.in
	if cmd.File != "-" {
		f, err := os.Open(cmd.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	r := tar.NewReader(in)
	if _, err := member(r, keyMember); err != nil {
		return err
	}
	key, err := io.ReadAll(io.LimitReader(r, maxKeyFile))
	if err != nil {
		return errors.New(phrase.T("cli.restore.cut_off"))
	}
	if _, err := secret.FromText(string(key)); err != nil {
		return fmt.Errorf("read backup: %w", err)
	}
	replace, err := cmd.replaces(string(key))
	if err != nil {
		return err
	}
	data, err := member(r, dataMember)
	if err != nil {
		return err
	}
	err = cmd.restore(ctx, c, r, data.PAXRecords[withFiles] != "")
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New(phrase.T("cli.restore.cut_off"))
	}
	if err != nil {
		return err
	}
	if replace {
		name := cmd.Storage.KeyFile()
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return fmt.Errorf("write the secret key: %w", err)
		}
		if err := writeWhole(name, func(w io.Writer) error { _, err := w.Write(key); return err }); err != nil {
			return err
		}
		c.note(phrase.T("cli.restore.restart"))
	}
	return nil
}

// restore reads the data and puts the files and then the data in place.
func (cmd *restoreCmd) restore(ctx context.Context, c *console, r *tar.Reader, files bool) (err error) {
	whole, err := store.ReadBackup(ctx, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, whole.Close()) }()
	if !files || cmd.WithoutFiles {
		if _, err := cmd.put(ctx, c, whole); err != nil {
			return err
		}
		if !cmd.WithoutFiles && len(whole.Keys()) > 0 {
			c.note(phrase.T("cli.restore.no_files"))
		}
		return nil
	}
	bucket, err := blob.Open(cmd.Uploads.Place(cmd.Storage))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	put, err := blob.Unpack(ctx, r, bucket, whole.Keys(), c.progress(len(whole.Keys())))
	if err != nil {
		return err
	}
	restored, err := cmd.put(ctx, c, whole)
	if !restored {
		err = errors.Join(err, put.Undo(context.WithoutCancel(ctx)))
	}
	if err != nil {
		return err
	}
	switch {
	case !put.LeftOut:
		c.tellFiles("cli.restore.files", put.Archived)
	case len(whole.Keys()) > 0:
		c.note(phrase.T("cli.restore.no_files"))
	}
	return nil
}

// put puts the data in place and says what it is. The database is opened, and
// made if need be, when everything before has worked: a broken backup leaves none behind.
// Restored is also true when it may have happened: then the data needs its files.
func (cmd *restoreCmd) put(ctx context.Context, c *console, whole *store.WholeBackup) (restored bool, err error) {
	s, err := openStore(ctx, cmd.Storage, true)
	if err != nil {
		return false, err
	}
	err = whole.Restore(ctx, s)
	restored = mayHaveHappened(err)
	if err := errors.Join(err, s.Close()); err != nil {
		return restored, err
	}
	c.say(phrase.N("cli.restore.done", whole.Incidents, whole.Seq, whole.At.UTC().Format(time.RFC3339)))
	return true, nil
}

// mayHaveHappened reports whether what ended with err may be in the database.
func mayHaveHappened(err error) bool {
	away, is := errors.AsType[*store.Away](err)
	return err == nil || is && away.Unsure
}

// replaces reports whether the key has to be written, and refuses to lose
// another one without being told.
func (cmd *restoreCmd) replaces(key string) (bool, error) {
	have, err := os.ReadFile(cmd.Storage.KeyFile())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("read the secret key: %w", err)
	case strings.TrimSpace(string(have)) == strings.TrimSpace(key):
		return false, nil
	case !cmd.Force:
		return false, errors.New(phrase.T("cli.restore.other_key", cmd.Storage.KeyFile()))
	}
	return true, nil
}

// member goes to the next member of the tar, which has to be the named one.
func member(r *tar.Reader, name string) (*tar.Header, error) {
	h, err := r.Next()
	if err != nil || h.Name != name {
		return nil, errors.New(phrase.T("cli.restore.no_backup", name))
	}
	return h, nil
}
