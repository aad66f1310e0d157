// Package blob keeps what people upload: the bytes, apart from the rows that
// name them. A file is received into a temporary place, looked at (what it is,
// how large a picture, its first lines), judged by a policy and by the
// operator's scanner, and only then put into a bucket: a folder beside the
// database or a bucket that speaks S3.
//
// It promises that what is under a key has the SHA-256 that the key begins
// with, or is not there at all, whatever crashes when; that no name somebody
// typed becomes a path; and that a hostile picture costs a bounded amount of
// memory. A backup carries contents as an archive, which is taken whole or not
// at all. Who may read a file, which files there are and when one goes is for
// the store and its callers.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/watchroom/watchroom/internal/phrase"
)

// ErrNotFound says that nothing is kept under a key.
var ErrNotFound = errors.New("no such content")

// errChanged says that content is not what its key says.
var errChanged = errors.New("content does not have the length and sum it should have")

// Bucket keeps content under keys. All methods may be called by many goroutines.
type Bucket interface {
	// Put keeps the size bytes of r from its beginning, replacing what was there.
	// They must have the sum that key begins with; else nothing is kept.
	Put(ctx context.Context, key string, r io.ReadSeeker, size int64) error
	// Open returns content and its size. It can be read for as long as ctx
	// lasts and must be closed. ErrNotFound when there is none.
	Open(ctx context.Context, key string) (io.ReadSeekCloser, int64, error)
	// Delete forgets content; to forget what is not there is no error.
	Delete(ctx context.Context, key string) error
	// Check reports why the bucket cannot be used; nil when it can.
	Check(ctx context.Context) error
	// Close ends its connections and files.
	Close() error
}

// Key is the key of content with this SHA-256. owner makes it a key of its own,
// so that removing one file cannot take the content of an equal one that is
// being uploaded; it is an id or "".
func Key(sum [sha256.Size]byte, owner string) string {
	key := hex.EncodeToString(sum[:])
	if owner != "" {
		key += "-" + owner
	}
	return key
}

var keyShape = regexp.MustCompile(`^[0-9a-f]{64}(?:-[0-9a-z]{1,64})?$`)

// place is the path of a key inside a bucket: two levels of folders, so that
// none holds too many, and the sum it must have.
func place(key string) (where, sum string, err error) {
	if !keyShape.MatchString(key) {
		return "", "", fmt.Errorf("key %.100q: %w", key, ErrNotFound) // nothing was ever put there
	}
	return path.Join(key[:2], key[2:4], key), key[:2*sha256.Size], nil
}

// Open opens the bucket at an address:
//
//	file:///var/lib/watchroom/files
//	s3://KEY:SECRET@host:port/bucket?region=eu-central-1&prefix=watchroom/&insecure=1
//
// An address without a scheme is a folder. Errors name no secret.
func Open(address string) (Bucket, error) {
	u, err := read(address)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "":
		return OpenFolder(address)
	case "file":
		if u.Host != "" || u.Path == "" {
			return nil, errors.New(phrase.T("blob.address.file"))
		}
		return OpenFolder(filepath.FromSlash(u.Path))
	case "s3":
		s, err := s3Of(u)
		if err != nil {
			return nil, err
		}
		return OpenS3(s)
	}
	return nil, errors.New(phrase.T("blob.address"))
}

// Remote reports whether the bucket at an address is not on this machine, so that
// who looks after that place backs it up.
func Remote(address string) bool {
	u, err := read(address)
	return err == nil && u.Scheme == "s3"
}

func read(address string) (*url.URL, error) {
	if !strings.Contains(address, "://") {
		return &url.URL{}, nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New(phrase.T("blob.address")) // the parser's own error repeats the whole address
	}
	return u, nil
}

func s3Of(u *url.URL) (S3Settings, error) {
	secret, _ := u.User.Password()
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return S3Settings{}, errors.New(phrase.T("blob.address.s3"))
	}
	s := S3Settings{
		Endpoint: u.Host, Bucket: strings.Trim(u.Path, "/"), Region: q.Get("region"), Prefix: q.Get("prefix"),
		Key: u.User.Username(), Secret: secret,
	}
	switch q.Get("insecure") {
	case "", "0":
	case "1":
		s.Insecure = true
	default:
		return s, errors.New(phrase.T("blob.address.s3"))
	}
	for name := range q {
		if name != "region" && name != "prefix" && name != "insecure" {
			return s, errors.New(phrase.T("blob.address.option", name))
		}
	}
	return s, nil
}
