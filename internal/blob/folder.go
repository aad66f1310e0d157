package blob

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"
)

// Folder keeps content as files. It works through os.Root: no key and no
// symbolic link leads out of the folder.
type Folder struct {
	root *os.Root
}

var _ Bucket = (*Folder)(nil)

const (
	incoming = "incoming"     // what is being written
	staleFor = 24 * time.Hour // nobody writes one file for so long
)

// OpenFolder opens the folder, making it when it is missing, and removes what a
// crash left half written in it.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open folder of files: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder of files: %w", err)
	}
	f := &Folder{root: root}
	if err := f.prepare(time.Now()); err != nil {
		return nil, errors.Join(fmt.Errorf("open folder of files: %w", err), root.Close())
	}
	return f, nil
}

// prepare leaves young files alone: another process may be writing them.
func (f *Folder) prepare(now time.Time) error {
	if err := f.root.MkdirAll(incoming, 0o700); err != nil {
		return err
	}
	entries, err := fs.ReadDir(f.root.FS(), incoming)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || now.Sub(info.ModTime()) < staleFor {
			continue // gone meanwhile, or in work
		}
		if err := f.root.Remove(path.Join(incoming, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Put implements Bucket. The file has its name only when all of it is on disk.
func (f *Folder) Put(ctx context.Context, key string, r io.ReadSeeker, size int64) error {
	where, sum, err := place(key)
	if err != nil {
		return err
	}
	if err := f.put(ctx, where, sum, r, size); err != nil {
		return fmt.Errorf("keep %s: %w", key, err)
	}
	return nil
}

func (f *Folder) put(ctx context.Context, where, sum string, r io.ReadSeeker, size int64) (err error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	temporary := path.Join(incoming, rand.Text())
	file, err := f.root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.remove(temporary))
		}
	}()
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, hash), io.LimitReader(reader{ctx, r}, size+1))
	if err == nil && (n != size || hex.EncodeToString(hash.Sum(nil)) != sum) {
		err = errChanged
	}
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	dir := path.Dir(where)
	if err := f.root.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := f.root.Rename(temporary, where); err != nil {
		return err
	}
	// The name itself, and those of folders that may be new.
	return errors.Join(f.sync(dir), f.sync(path.Dir(dir)), f.sync("."))
}

func (f *Folder) sync(dir string) error {
	d, err := f.root.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func (f *Folder) remove(name string) error {
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Open implements Bucket.
func (f *Folder) Open(_ context.Context, key string) (io.ReadSeekCloser, int64, error) {
	where, _, err := place(key)
	if err != nil {
		return nil, 0, err
	}
	file, err := f.root.Open(where)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fmt.Errorf("open %s: %w", key, ErrNotFound)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("open %s: %w", key, err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a file")
	}
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("open %s: %w", key, err), file.Close())
	}
	return file, info.Size(), nil
}

// Delete implements Bucket.
func (f *Folder) Delete(_ context.Context, key string) error {
	where, _, err := place(key)
	if err != nil {
		return nil //nolint:nilerr // nothing is there
	}
	if err := f.remove(where); err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// Check implements Bucket.
func (f *Folder) Check(context.Context) error {
	if _, err := f.root.Stat(incoming); err != nil {
		return fmt.Errorf("folder of files: %w", err)
	}
	return nil
}

// Close implements Bucket.
func (f *Folder) Close() error { return f.root.Close() }

// reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
