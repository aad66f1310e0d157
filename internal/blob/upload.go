package blob

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Intake is the way of an upload: received, looked at, judged, and then ready
// to be put into a bucket.
type Intake struct {
	Dir       string // for temporary files; "" is the system's
	Policy    Policy
	Inspector *Inspector
	Scanner   Scanner
}

// Upload is a file that was received and may be kept. It lies in a temporary
// file until Close.
type Upload struct {
	Found
	Name string // harmless
	Size int64
	Sum  [sha256.Size]byte

	file *os.File
}

// Receive reads an upload to its end and judges it. Its errors are faults when
// the file is at fault. The caller closes the Upload.
func (i Intake) Receive(ctx context.Context, name string, r io.Reader) (*Upload, error) {
	u, err := spool(ctx, i.Dir, r, i.Policy.MaxBytes)
	if err != nil {
		return nil, err
	}
	u.Name = Name(name)
	if err := i.judge(ctx, u); err != nil {
		return nil, errors.Join(err, u.Close())
	}
	return u, nil
}

func (i Intake) judge(ctx context.Context, u *Upload) (err error) {
	if u.Found, err = i.Inspector.Inspect(ctx, u.file); err != nil {
		return err
	}
	if err := i.Policy.Check(u.Type, u.Size); err != nil {
		return err
	}
	return i.Scanner.Scan(ctx, u.file.Name())
}

// spool writes r to a temporary file, at most limit bytes of it; 0 is no limit.
func spool(ctx context.Context, dir string, r io.Reader, limit int64) (_ *Upload, err error) {
	file, err := os.CreateTemp(dir, spooled)
	if err != nil {
		return nil, fmt.Errorf("receive upload: %w", err)
	}
	u := &Upload{file: file}
	defer func() {
		if err != nil {
			err = errors.Join(err, u.Close())
		}
	}()
	from := io.Reader(reader{ctx, r})
	if limit > 0 {
		from = io.LimitReader(from, limit+1)
	}
	hash := sha256.New()
	if u.Size, err = io.Copy(io.MultiWriter(file, hash), from); err != nil {
		return nil, fmt.Errorf("receive upload: %w", err)
	}
	if limit > 0 && u.Size > limit {
		return nil, fault.TooLarge(phrase.T("blob.too_large", config.Size(limit)))
	}
	hash.Sum(u.Sum[:0])
	return u, nil
}

// spooled is what temporary files of ours are called.
const spooled = "watchroom-upload-*"

// Sweep removes the temporary files of servers that died while they received
// something: those that nobody has written to since an instant.
func (i Intake) Sweep(since time.Time) (err error) {
	dir := cmp.Or(i.Dir, os.TempDir())
	left, err := filepath.Glob(filepath.Join(dir, spooled))
	if err != nil {
		return fmt.Errorf("sweep uploads: %w", err)
	}
	for _, name := range left {
		info, statErr := os.Lstat(name)
		if statErr != nil || !info.Mode().IsRegular() || !info.ModTime().Before(since) {
			continue
		}
		if gone := os.Remove(name); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("sweep uploads: %w", gone))
		}
	}
	return err
}

// Keep puts the content into a bucket under key, which Key made of u.Sum.
func (u *Upload) Keep(ctx context.Context, to Bucket, key string) error {
	return to.Put(ctx, key, u.file, u.Size)
}

// Close removes the temporary file.
func (u *Upload) Close() error {
	return errors.Join(u.file.Close(), os.Remove(u.file.Name()))
}
