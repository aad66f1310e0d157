// Package upload takes in files that people show each other, and gives them out
// to those who may read where they are shown. The bytes are in a bucket
// (package blob), who has uploaded what is in the store. A file belongs to the
// person who uploaded it until a message shows it, and then to whoever reads
// that message's room; what no message shows is removed after a day.
package upload

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/blob"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

const (
	// loose is for how long a file is kept that no message shows.
	loose = 24 * time.Hour
	// sweepEvery is how often such files are looked for.
	sweepEvery = 10 * time.Minute
	sweepMost  = 100
)

// Service is the way in and out.
type Service struct {
	store  *store.Store
	bucket blob.Bucket
	intake blob.Intake
	log    *slog.Logger
}

// New returns a Service over a bucket.
func New(s *store.Store, bucket blob.Bucket, intake blob.Intake, log *slog.Logger) *Service {
	return &Service{store: s, bucket: bucket, intake: intake, log: log}
}

// Take receives a file to its end. Nobody but actor sees it until a message shows it.
func (s *Service) Take(ctx context.Context, actor people.Actor, name string, r io.Reader) (store.File, error) {
	if !actor.May(people.Talk) || actor.User == "" {
		return store.File{}, fault.Forbidden(phrase.T("dispatch.forbidden"))
	}
	return s.take(ctx, actor.User, name, r)
}

// Keep is Take for the bot: the output of a command that is too long for a
// message. It implements runner.Files.
func (s *Service) Keep(ctx context.Context, name string, content io.Reader) (timeline.File, error) {
	f, err := s.take(ctx, "", name, content)
	return f.File, err
}

func (s *Service) take(ctx context.Context, person id.User, name string, r io.Reader) (_ store.File, err error) {
	u, err := s.intake.Receive(ctx, name, r)
	if err != nil {
		return store.File{}, err
	}
	defer func() { err = errors.Join(err, u.Close()) }()
	f := store.File{
		File:   timeline.File{ID: id.File(id.New()), Name: u.Name, Type: u.Type, Size: u.Size, Width: u.Width, Height: u.Height},
		Lines:  u.Lines,
		Person: person,
	}
	f.Key = blob.Key(u.Sum, string(f.ID))
	defer func() {
		if err != nil { // without a row nobody would ever find it
			err = errors.Join(err, s.drop(context.WithoutCancel(ctx), f))
		}
	}()
	if err := u.Keep(ctx, s.bucket, f.Key); err != nil {
		return f, away(ctx, fmt.Errorf("keep upload: %w", err))
	}
	if len(u.Preview) > 0 {
		f.Preview = blob.Key(sha256.Sum256(u.Preview), string(f.ID)+"p")
		if err := s.bucket.Put(ctx, f.Preview, bytes.NewReader(u.Preview), int64(len(u.Preview))); err != nil {
			return f, away(ctx, fmt.Errorf("keep preview: %w", err))
		}
	}
	err = s.store.Do(ctx, func(tx *store.Tx) error {
		f.At = tx.Now
		return tx.PutFile(f)
	})
	return f, err
}

// drop removes the content of a file.
func (s *Service) drop(ctx context.Context, f store.File) (err error) {
	for _, key := range []string{f.Key, f.Preview} {
		if key != "" {
			err = errors.Join(err, s.bucket.Delete(ctx, key))
		}
	}
	return err
}

// Content is an open file.
type Content struct {
	store.File
	io.ReadSeekCloser

	smaller bool // it is the preview
}

// Open gives a file to somebody who may read it; preview is a smaller picture
// where there is one. Nobody else learns that it exists.
func (s *Service) Open(ctx context.Context, u id.User, n id.File, preview bool) (Content, error) {
	f, err := s.store.File(ctx, n)
	if errors.Is(err, store.ErrNotFound) {
		return Content{}, gone()
	}
	if err != nil {
		return Content{}, err
	}
	o, err := s.store.Org(ctx)
	if err != nil {
		return Content{}, err
	}
	if f.Seq == 0 && (u == "" || f.Person != u) && n != o.Settings.Bot.Picture || f.Seq != 0 && !o.CanRead(u, f.Room) {
		return Content{}, gone()
	}
	key, smaller := f.Key, preview && f.Preview != ""
	if smaller {
		key = f.Preview
	}
	content, _, err := s.bucket.Open(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		return Content{}, gone()
	}
	if err != nil {
		return Content{}, away(ctx, fmt.Errorf("open file %s: %w", n, err))
	}
	return Content{f, content, smaller}, nil
}

// retryAfter is when it is worth while to ask again for a place that is away.
const retryAfter = 30 * time.Second

// away is a bucket that cannot be used now. Of a request that was given up, it
// is no news.
func away(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return fault.Unavailable(phrase.T("upload.away"), retryAfter).Because(err)
}

func gone() error { return fault.NotFound(phrase.T("upload.gone")) }

// Run removes what no message shows until ctx ends. One node of several does.
func (s *Service) Run(ctx context.Context) error {
	for {
		if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "remove files", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(sweepEvery):
		}
	}
}

// sweep removes all that no message shows, or shows no more.
func (s *Service) sweep(ctx context.Context) (err error) {
	defer fault.Recover(&err)
	now, err := s.store.Now(ctx)
	if err != nil {
		return err
	}
	if err := s.intake.Sweep(time.Now().Add(-loose)); err != nil {
		s.log.WarnContext(ctx, "remove what was being received", "err", err)
	}
	for more := true; more; {
		if more, err = s.sweepSome(ctx, now.Add(-loose)); err != nil {
			return err
		}
	}
	return nil
}

// sweepSome removes some files; more says that there are others. First the rows
// say that nobody can show them any more, then the content goes, the rows last:
// whatever ends this in between, the next look finds what is left.
func (s *Service) sweepSome(ctx context.Context, before time.Time) (more bool, err error) {
	old, err := s.store.LooseFiles(ctx, before, sweepMost)
	if err != nil {
		return false, err
	}
	o, err := s.store.Org(ctx)
	if err != nil {
		return false, err
	}
	more = len(old) == sweepMost
	old = slices.DeleteFunc(old, func(f store.File) bool { return f.ID == o.Settings.Bot.Picture })
	if len(old) == 0 {
		return false, nil
	}
	var loose []store.File
	err = s.store.Do(ctx, func(tx *store.Tx) error {
		for _, f := range old {
			if now, err := tx.File(f.ID); err == nil && now.Seq == 0 && f.ID != tx.Org.Settings.Bot.Picture {
				tx.CondemnFile(f.ID)
				loose = append(loose, f)
			}
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	var dropped []id.File
	for _, f := range loose {
		if failed := s.drop(ctx, f); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		dropped = append(dropped, f.ID)
	}
	return more && err == nil, errors.Join(err, s.store.Do(ctx, func(tx *store.Tx) error {
		for _, f := range dropped {
			tx.DropFile(f)
		}
		return nil
	}))
}
