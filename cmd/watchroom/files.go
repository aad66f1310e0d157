package main

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/blob"
	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/health"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/script"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/upload"
)

// tellEvery is how often a long work with files says how far it is.
const tellEvery = 5 * time.Second

// progress says now and then how many files of how many are done.
func (c *console) progress(of int) func(int) {
	told := time.Now()
	return func(done int) {
		if time.Since(told) < tellEvery {
			return
		}
		told = time.Now()
		c.note(phrase.T("cli.files.progress", done, of))
	}
}

// tellFiles says what was archived or put back, if there was anything.
func (c *console) tellFiles(key string, a blob.Archived) {
	if a.Files > 0 {
		c.note(phrase.N(key, a.Files, config.Size(a.Bytes)))
	}
	if n := len(a.Missing); n > 0 {
		c.note(phrase.N("cli.files.missing", n, strings.Join(a.Missing[:min(n, namedAtMost)], ", ")))
	}
}

// namedAtMost is how many of many files are named.
const namedAtMost = 5

// findFiles says which stored files are not where they should be.
func findFiles(ctx context.Context, s *store.Store, place string) (found []health.Finding, err error) {
	some, err := s.FilesAfter(ctx, "", 1)
	if err != nil || len(some) == 0 {
		return nil, err // a place that nothing needs is not made
	}
	bucket, err := blob.Open(place)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	n, names, err := upload.Missing(ctx, s, bucket, namedAtMost)
	if err != nil {
		return []health.Finding{{Area: health.Files, Object: phrase.T("cli.check.files"), Text: err.Error()}}, ctx.Err()
	}
	if n == 0 {
		return nil, nil
	}
	return []health.Finding{{Area: health.Files, Object: phrase.T("cli.check.files"), Text: phrase.N("cli.check.files_missing", n, strings.Join(names, ", "))}}, nil
}

// findReadable says that others on this machine may read the database. It is no
// fault of the server's, and may be meant.
func findReadable(at config.Storage) []health.Finding {
	if at.Database != "" || runtime.GOOS == "windows" { // where the mode says nothing
		return nil
	}
	info, err := os.Stat(at.DatabaseFile())
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	said := phrase.T("cli.check.readable", at.DatabaseFile(), info.Mode().Perm())
	return []health.Finding{{Area: health.Files, Object: phrase.T("cli.health.database"), Text: said}}
}

// findSecrets says which secrets the commands in a folder lack.
func findSecrets(folder string) (found []health.Finding) {
	if folder == "" {
		return nil
	}
	all, _ := script.Load(folder, script.Options{})
	for _, c := range all {
		for _, lack := range c.Lacks() {
			found = append(found, health.Finding{Area: health.Organisation, Object: c.Declaration.Name(), Text: lack.Sentence()})
		}
	}
	return found
}
