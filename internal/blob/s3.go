package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/watchroom/watchroom/internal/phrase"
)

// S3Settings say where a bucket is and who we are there.
type S3Settings struct {
	Endpoint string // host or host:port
	Bucket   string
	Region   string // "": us-east-1, which servers without regions expect
	Prefix   string // before every name, such as "watchroom/"
	Key      string
	Secret   string
	Insecure bool // http
}

// S3 keeps content in a bucket that speaks Amazon's protocol, addressed by
// path, since the servers people host have no name for each bucket.
type S3 struct {
	client    minio.Core
	transport *http.Transport
	bucket    string
	prefix    string
}

var _ Bucket = (*S3)(nil)

// Bounds of what S3 may take. The address is the operator's: it may be anywhere.
const (
	s3Tries   = 3
	s3Answer  = 30 * time.Second // until the headers of an answer are there
	s3Request = time.Minute      // without content
	s3Upload  = 10 * time.Minute
)

// OpenS3 makes a client; it does not call the server, which may come later.
func OpenS3(s S3Settings) (*S3, error) {
	if s.Endpoint == "" || s.Bucket == "" || s.Key == "" || s.Secret == "" || strings.Contains(s.Bucket, "/") {
		return nil, errors.New(phrase.T("blob.address.s3"))
	}
	if s.Region == "" {
		s.Region = "us-east-1"
	}
	transport, err := minio.DefaultTransport(!s.Insecure)
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", s.Bucket, err)
	}
	transport.ResponseHeaderTimeout = s3Answer
	client, err := minio.New(s.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(s.Key, s.Secret, ""), Secure: !s.Insecure, Region: s.Region,
		BucketLookup: minio.BucketLookupPath, MaxRetries: s3Tries, Transport: transport,
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", s.Bucket, err)
	}
	prefix := strings.Trim(s.Prefix, "/")
	if prefix != "" {
		prefix += "/"
	}
	return &S3{client: minio.Core{Client: client}, transport: transport, bucket: s.Bucket, prefix: prefix}, nil
}

// Put implements Bucket. The sum in the key is signed with the request, so the
// server refuses content that has another.
func (s *S3) Put(ctx context.Context, key string, r io.ReadSeeker, size int64) error {
	where, sum, err := place(key)
	if err != nil {
		return err
	}
	// The client would send as much as it was told and then fail, when all is kept.
	if end, err := r.Seek(0, io.SeekEnd); err != nil || end != size {
		return fmt.Errorf("keep %s: %w", key, errors.Join(err, errChanged))
	}
	ctx, cancel := context.WithTimeout(ctx, s3Upload)
	defer cancel()
	body := struct{ io.ReadSeeker }{r} // without Close, which the client would call
	// DisableContentSha256 means a sum of each piece, which the one of the whole makes needless.
	opts := minio.PutObjectOptions{ContentType: "application/octet-stream", DisableContentSha256: true}
	if _, err := s.client.PutObject(ctx, s.bucket, s.prefix+where, body, size, "", sum, opts); err != nil {
		return fmt.Errorf("keep %s: %w", key, err)
	}
	return nil
}

// Open implements Bucket.
func (s *S3) Open(ctx context.Context, key string) (io.ReadSeekCloser, int64, error) {
	where, _, err := place(key)
	if err != nil {
		return nil, 0, err
	}
	info, err := s.client.StatObject(ctx, s.bucket, s.prefix+where, minio.StatObjectOptions{})
	if missing(err) {
		return nil, 0, fmt.Errorf("open %s: %w", key, ErrNotFound)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("open %s: %w", key, err)
	}
	return &object{ctx: ctx, s: s, where: s.prefix + where, size: info.Size}, info.Size, nil
}

func missing(err error) bool { return minio.ToErrorResponse(err).Code == minio.NoSuchKey }

// Delete implements Bucket.
func (s *S3) Delete(ctx context.Context, key string) error {
	where, _, err := place(key)
	if err != nil {
		return nil // nothing is there
	}
	ctx, cancel := context.WithTimeout(ctx, s3Request)
	defer cancel()
	if err := s.client.RemoveObject(ctx, s.bucket, s.prefix+where, minio.RemoveObjectOptions{}); err != nil && !missing(err) {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// Check implements Bucket.
func (s *S3) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s3Request)
	defer cancel()
	found, err := s.client.BucketExists(ctx, s.bucket)
	if err == nil && !found {
		err = errors.New("there is no such bucket")
	}
	if err != nil {
		return fmt.Errorf("bucket %s: %w", s.bucket, err)
	}
	return nil
}

// Close implements Bucket.
func (s *S3) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}

// object reads content from where somebody sought it, with one request for
// each place. That is what http.ServeContent needs for ranges.
type object struct {
	ctx   context.Context // of whoever opened it
	s     *S3
	where string
	size  int64
	at    int64
	body  io.ReadCloser // nil until it is read
}

func (o *object) Read(p []byte) (int, error) {
	if o.at >= o.size {
		return 0, io.EOF
	}
	if o.body == nil {
		var opts minio.GetObjectOptions
		if o.at > 0 {
			if err := opts.SetRange(o.at, 0); err != nil { // to the end
				return 0, err
			}
		}
		body, _, _, err := o.s.client.GetObject(o.ctx, o.s.bucket, o.where, opts)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", o.where, err)
		}
		o.body = body
	}
	n, err := o.body.Read(p)
	o.at += int64(n)
	if err == io.EOF && o.at < o.size {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.at
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return o.at, errors.New("seek before the beginning")
	}
	if offset != o.at {
		_ = o.Close() // the next read begins there
	}
	o.at = offset
	return offset, nil
}

func (o *object) Close() error {
	if o.body == nil {
		return nil
	}
	err := o.body.Close()
	o.body = nil
	return err
}
