package upload

import (
	"context"
	"errors"
	"fmt"

	"github.com/watchroom/watchroom/internal/blob"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/store"
)

// lookedAt is how many rows are read at once.
const lookedAt = 500

// Missing counts the files whose content, or that of their smaller picture, is
// not in the bucket, and names the first of them. Nothing is read but whether
// it is there.
func Missing(ctx context.Context, s *store.Store, bucket blob.Bucket, most int) (n int, names []string, err error) {
	for after := id.File(""); ; {
		some, err := s.FilesAfter(ctx, after, lookedAt)
		if err != nil {
			return n, names, fmt.Errorf("look for files: %w", err)
		}
		for _, f := range some {
			whole, err := there(ctx, bucket, f)
			if err != nil {
				return n, names, fmt.Errorf("look for files: %w", err)
			}
			if whole {
				continue
			}
			if n++; len(names) < most {
				names = append(names, f.Name)
			}
		}
		if len(some) < lookedAt {
			return n, names, nil
		}
		after = some[len(some)-1].ID
	}
}

func there(ctx context.Context, bucket blob.Bucket, f store.File) (bool, error) {
	for _, key := range []string{f.Key, f.Preview} {
		if key == "" {
			continue
		}
		content, _, err := bucket.Open(ctx, key)
		if errors.Is(err, blob.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if err := content.Close(); err != nil {
			return false, err
		}
	}
	return true, nil
}
