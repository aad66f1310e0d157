package blob

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// Contents in an archive are members files/KEY in the order of their keys, each
// with its length before it and its SHA-256 in its name, and then one
// files.json that says how many there should be: an archive without it is cut off.
const (
	archived    = "files/"
	archivedEnd = "files.json"
	// maxArchived is far above any upload.
	maxArchived = 64 << 30
	// maxArchivedEnd holds the names of the missing, of which there should be few.
	maxArchivedEnd = 64 << 20
)

// ErrArchive says that an archive of contents is broken, and what it wraps, how.
var ErrArchive = errors.New("the files of this backup are not usable")

// errCutOff is an archive without its end.
var errCutOff = fmt.Errorf("%w: their end is missing", ErrArchive)

// Archived is what an archive holds.
type Archived struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
	// Missing are keys whose content was not there, or was damaged.
	Missing []string `json:"missing,omitempty"`
	// LeftOut says that no content was to be in it.
	LeftOut bool `json:"left_out,omitempty"`
}

// Archive writes the contents under keys, which are in order, to an archive.
// Content that is not there or damaged is left out and told. done is called
// after each; from may be nil when nothing is to be archived.
func Archive(ctx context.Context, out *tar.Writer, from Bucket, keys []string, at time.Time, done func(int)) (Archived, error) {
	a := Archived{LeftOut: from == nil}
	if from == nil {
		keys = nil
	}
	for i, key := range keys {
		size, err := archiveOne(ctx, out, from, key, at)
		switch {
		case errors.Is(err, ErrNotFound) || errors.Is(err, errChanged):
			a.Missing = append(a.Missing, key)
		case err != nil:
			return a, fmt.Errorf("archive files: %w", err)
		default:
			a.Files++
			a.Bytes += size
		}
		done(i + 1)
	}
	end, err := json.Marshal(a)
	if err == nil {
		err = out.WriteHeader(&tar.Header{Name: archivedEnd, Mode: 0o600, Size: int64(len(end)), ModTime: at})
	}
	if err == nil {
		_, err = out.Write(end)
	}
	if err != nil {
		return a, fmt.Errorf("archive files: %w", err)
	}
	return a, nil
}

// archiveOne reads the content twice: what is damaged must not be in the way of
// all that is not.
func archiveOne(ctx context.Context, out *tar.Writer, from Bucket, key string, at time.Time) (_ int64, err error) {
	_, want, err := place(key)
	if err != nil {
		return 0, err
	}
	content, size, err := from.Open(ctx, key)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	sum := sha256.New()
	if n, err := io.Copy(sum, reader{ctx, content}); err != nil {
		return 0, err
	} else if n != size || hex.EncodeToString(sum.Sum(nil)) != want {
		return 0, fmt.Errorf("read %s: %w", key, errChanged)
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	if err := out.WriteHeader(&tar.Header{Name: archived + key, Mode: 0o600, Size: size, ModTime: at}); err != nil {
		return 0, err
	}
	_, err = io.Copy(out, reader{ctx, content})
	return size, err
}

// Unpacking is an archive that was put into a bucket, and can be taken back.
type Unpacking struct {
	Archived

	into Bucket
	made []string // keys under which nothing was before
}

// Unpack puts the contents of an archive into a bucket. Only those under named,
// which are in order, may be in it. On an error nothing of it is left behind.
// done is called after each.
func Unpack(ctx context.Context, in *tar.Reader, into Bucket, named []string, done func(int)) (*Unpacking, error) {
	u := &Unpacking{into: into}
	if err := u.unpack(ctx, in, named, done); err != nil {
		return nil, errors.Join(err, u.Undo(context.WithoutCancel(ctx)))
	}
	return u, nil
}

func (u *Unpacking) unpack(ctx context.Context, in *tar.Reader, named []string, done func(int)) error {
	last, found := "", Archived{}
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errCutOff
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrArchive, err)
		}
		if h.Name == archivedEnd {
			return u.end(in, found)
		}
		key, ok := strings.CutPrefix(h.Name, archived)
		_, expected := slices.BinarySearch(named, key)
		switch {
		case !ok || h.Typeflag != tar.TypeReg || !keyShape.MatchString(key):
			return fmt.Errorf("%w: %.100q does not belong there", ErrArchive, h.Name)
		case key <= last:
			return fmt.Errorf("%w: %s is not in its place", ErrArchive, h.Name)
		case !expected:
			return fmt.Errorf("%w: nothing names %s", ErrArchive, h.Name)
		case h.Size > maxArchived:
			return fmt.Errorf("%w: %s is too long", ErrArchive, h.Name)
		}
		if err := u.put(ctx, key, in, h.Size); err != nil {
			return err
		}
		last = key
		found.Files++
		found.Bytes += h.Size
		done(found.Files)
	}
}

func (u *Unpacking) end(in io.Reader, found Archived) error {
	text, err := io.ReadAll(io.LimitReader(in, maxArchivedEnd))
	if err != nil {
		return errCutOff
	}
	if err := json.Unmarshal(text, &u.Archived); err != nil {
		return fmt.Errorf("%w: %s cannot be read", ErrArchive, archivedEnd)
	}
	if u.Files != found.Files || u.Bytes != found.Bytes {
		return fmt.Errorf("%w: there are %d with %d bytes and should be %d with %d", ErrArchive, found.Files, found.Bytes, u.Files, u.Bytes)
	}
	return nil
}

// put goes through a temporary file, since an archive cannot be read twice.
func (u *Unpacking) put(ctx context.Context, key string, r io.Reader, size int64) (err error) {
	file, err := os.CreateTemp("", spooled)
	if err != nil {
		return fmt.Errorf("unpack files: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, sum), reader{ctx, r})
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errCutOff
	case err != nil:
		return fmt.Errorf("unpack files: %w", err)
	case n != size || !strings.HasPrefix(key, hex.EncodeToString(sum.Sum(nil))):
		return fmt.Errorf("%w: %s is damaged", ErrArchive, key)
	}
	before, _, err := u.into.Open(ctx, key)
	if errors.Is(err, ErrNotFound) {
		u.made = append(u.made, key) // also if Put fails half-way
	} else if err != nil {
		return fmt.Errorf("unpack files: %w", err)
	} else if err := before.Close(); err != nil {
		return fmt.Errorf("unpack files: %w", err)
	}
	if err := u.into.Put(ctx, key, file, size); err != nil {
		return fmt.Errorf("unpack files: %w", err)
	}
	return nil
}

// Undo removes what was not there before.
func (u *Unpacking) Undo(ctx context.Context) (err error) {
	for _, key := range u.made {
		err = errors.Join(err, u.into.Delete(ctx, key))
	}
	u.made = nil
	return err
}
