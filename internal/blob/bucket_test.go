package blob_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/watchroom/watchroom/internal/blob"
	"github.com/watchroom/watchroom/internal/blob/blobtest"
)

// each runs a test with every kind of bucket.
func each(t *testing.T, test func(t *testing.T, b blob.Bucket)) {
	t.Helper()
	for name, address := range map[string]func(*testing.T) string{
		"folder": func(t *testing.T) string { return "file://" + filepath.ToSlash(t.TempDir()) + "/files" },
		"s3":     func(t *testing.T) string { return blobtest.New(t).Address() + "&prefix=some/where" },
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, address(t))
			test(t, b)
		})
	}
}

func open(t *testing.T, address string) blob.Bucket {
	t.Helper()
	b, err := blob.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func key(content string) string { return blob.Key(sha256.Sum256([]byte(content)), "") }

func put(t *testing.T, b blob.Bucket, content string) string {
	t.Helper()
	if err := b.Put(t.Context(), key(content), strings.NewReader(content), int64(len(content))); err != nil {
		t.Fatalf("Put: %v", err)
	}
	return key(content)
}

func read(t *testing.T, b blob.Bucket, key string) string {
	t.Helper()
	r, size, err := b.Open(t.Context(), key)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || int64(len(got)) != size {
		t.Fatalf("read %d bytes of %d: %v", len(got), size, err)
	}
	return string(got)
}

func TestBucket(t *testing.T) {
	each(t, func(t *testing.T, b blob.Bucket) {
		if err := b.Check(t.Context()); err != nil {
			t.Fatalf("Check: %v", err)
		}
		k := put(t, b, "hello")
		put(t, b, "hello") // twice is once
		if got := read(t, b, k); got != "hello" {
			t.Errorf("it became %q", got)
		}
		owned := blob.Key(sha256.Sum256([]byte("hello")), "01h")
		if err := b.Put(t.Context(), owned, strings.NewReader("hello"), 5); err != nil {
			t.Fatalf("Put under a key of its own: %v", err)
		}
		if err := b.Delete(t.Context(), k); err != nil {
			t.Fatalf("Delete: %v", err)
		}
		if err := b.Delete(t.Context(), k); err != nil {
			t.Errorf("Delete again: %v", err)
		}
		if _, _, err := b.Open(t.Context(), k); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Open after Delete: %v, want ErrNotFound", err)
		}
		if got := read(t, b, owned); got != "hello" {
			t.Errorf("the equal file went with it: %q", got)
		}
	})
}

func TestBucketServesRanges(t *testing.T) {
	large := make([]byte, 3<<20)
	_, _ = rand.Read(large)
	each(t, func(t *testing.T, b blob.Bucket) {
		k := put(t, b, string(large))
		for _, c := range []struct {
			name, header string
			status       int
			want         []byte
		}{
			{"all", "", 200, large},
			{"the beginning", "bytes=0-99", 206, large[:100]},
			{"the midst", "bytes=1000000-1000999", 206, large[1_000_000:1_001_000]},
			{"the end", "bytes=-10", 206, large[len(large)-10:]},
			{"nowhere", "bytes=99999999-", 416, nil},
		} {
			r, _, err := b.Open(t.Context(), k)
			if err != nil {
				t.Fatal(err)
			}
			req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			if c.header != "" {
				req.Header.Set("Range", c.header)
			}
			w := httptest.NewRecorder()
			http.ServeContent(w, req, "", time.Time{}, r)
			if w.Code != c.status || c.want != nil && !bytes.Equal(w.Body.Bytes(), c.want) {
				t.Errorf("%s: %d with %d bytes, want %d with %d", c.name, w.Code, w.Body.Len(), c.status, len(c.want))
			}
			if err := r.Close(); err != nil {
				t.Errorf("%s: Close: %v", c.name, err)
			}
		}
	})
}

func TestBucketRefusesWhatItsKeyDoesNotSay(t *testing.T) {
	each(t, func(t *testing.T, b blob.Bucket) {
		for _, c := range []struct {
			name, key, content string
			size               int64
		}{
			{"other content", key("hello"), "hallo", 5},
			{"less", key("hello"), "hell", 5},
			{"more", key("hello"), "hello, world", 5},
			{"a path", "../../etc/passwd", "hello", 5},
			{"a path as owner", key("hello") + "-../../x", "hello", 5},
			{"capitals", strings.ToUpper(key("hello")), "hello", 5},
			{"nothing", "", "hello", 5},
		} {
			if err := b.Put(t.Context(), c.key, strings.NewReader(c.content), c.size); err == nil {
				t.Errorf("%s: Put took it", c.name)
			}
			if _, _, err := b.Open(t.Context(), c.key); !errors.Is(err, blob.ErrNotFound) {
				t.Errorf("%s: Open: %v, want ErrNotFound", c.name, err)
			}
			if err := b.Delete(t.Context(), c.key); err != nil {
				t.Errorf("%s: Delete: %v", c.name, err)
			}
		}
	})
}

// failing is content of five bytes that cannot be read to its end.
type failing struct {
	io.Reader
}

func (failing) Seek(_ int64, whence int) (int64, error) {
	return map[int]int64{io.SeekEnd: 5}[whence], nil
}

func TestBucketKeepsNothingOfAFailedPut(t *testing.T) {
	broken := errors.New("the disk is broken")
	each(t, func(t *testing.T, b blob.Bucket) {
		r := failing{io.MultiReader(strings.NewReader("hel"), iotest.ErrReader(broken))}
		if err := b.Put(t.Context(), key("hello"), r, 5); err == nil {
			t.Error("Put of what cannot be read says nothing")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Put(ctx, key("hello"), strings.NewReader("hello"), 5); !errors.Is(err, context.Canceled) {
			t.Errorf("Put after its context: %v", err)
		}
		if _, _, err := b.Open(t.Context(), key("hello")); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Open: %v, want ErrNotFound", err)
		}
	})
}

func TestSeek(t *testing.T) {
	each(t, func(t *testing.T, b blob.Bucket) {
		r, _, err := b.Open(t.Context(), put(t, b, "0123456789"))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if err := iotest.TestReader(r, []byte("0123456789")); err != nil {
			t.Error(err)
		}
	})
}

func TestS3(t *testing.T) {
	server := blobtest.New(t)
	b := open(t, server.Address()+"&prefix=/a/b/")
	k := put(t, b, "hello")
	want := "a/b/" + k[:2] + "/" + k[2:4] + "/" + k
	if got := server.Objects(); !slices.Equal(got, []string{want}) {
		t.Errorf("objects %v, want %s", got, want)
	}

	t.Run("a server that is busy for a moment", func(t *testing.T) {
		server.FailNext(http.StatusServiceUnavailable, "SlowDown")
		put(t, b, "again")
	})
	t.Run("a connection that breaks in the midst", func(t *testing.T) {
		k := put(t, b, strings.Repeat("x", 100_000))
		server.CutNext(1000)
		r, _, err := b.Open(t.Context(), k) // asks with HEAD, which is not cut
		if err != nil {
			t.Fatal(err)
		}
		server.CutNext(1000)
		defer r.Close()
		if _, err := io.ReadAll(r); err == nil {
			t.Error("half a file was read without an error")
		}
	})
	t.Run("one that does not answer", func(t *testing.T) {
		held, release := server.HoldNext()
		defer release()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Delete(ctx, k) }()
		<-held
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Delete: %v, want that it was given up", err)
		}
	})
	t.Run("an error that will not pass", func(t *testing.T) {
		before := len(server.Calls())
		server.FailNext(http.StatusForbidden, "AccessDenied")
		_, _, err := b.Open(t.Context(), k)
		if err == nil || errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Open: %v", err)
		}
		if got := len(server.Calls()) - before; got != 1 {
			t.Errorf("%d requests, want one", got)
		}
	})
}

func TestS3Refuses(t *testing.T) {
	server := blobtest.New(t)
	for name, change := range map[string][2]string{
		"another secret": {"secret", "secrex"},
		"another key":    {blobtest.Key, "AKIAOTHER"},
		"another bucket": {blobtest.Bucket, "other-bucket"},
		"another region": {blobtest.Region, "us-west-1"},
	} {
		b := open(t, strings.ReplaceAll(server.Address(), change[0], change[1]))
		if err := b.Check(t.Context()); err == nil {
			t.Errorf("%s: Check says nothing", name)
		}
		if err := b.Put(t.Context(), key("hello"), strings.NewReader("hello"), 5); err == nil {
			t.Errorf("%s: Put says nothing", name)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows the secret: %v", name, err)
		}
	}
	if got := server.Objects(); len(got) > 0 {
		t.Errorf("objects %v", got)
	}
}

func TestOpenAddress(t *testing.T) {
	for _, c := range []struct{ name, address string }{
		{"another scheme", "ftp://a:topsecret@b/c"},
		{"not an address", "s3://a:topsecret@b:port/c"},
		{"two slashes", "file://folder"},
		{"no bucket", "s3://a:topsecret@b"},
		{"a bucket in a bucket", "s3://a:topsecret@b/c/d"},
		{"no secret", "s3://a@b/c"},
		{"nobody", "s3://b/c"},
		{"an option that is none", "s3://a:topsecret@b/c?regoin=d"},
		{"neither yes nor no", "s3://a:topsecret@b/c?insecure=maybe"},
		{"a bad bucket", "s3://a:topsecret@b c/c"},
		{"a host with a path", "s3://a:topsecret@b/c?region=%zz"},
	} {
		b, err := blob.Open(c.address)
		if err == nil {
			t.Errorf("%s: Open(%q) = %T", c.name, c.address, b)
		} else if strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%s: the error shows the secret: %v", c.name, err)
		}
	}
}

func TestRemote(t *testing.T) {
	for address, want := range map[string]bool{
		"":                          false,
		"./s3":                      false,
		"s3:folder":                 false,
		"file:///s3":                false,
		"s3://a:topsecret@b/c":      true,
		"S3://a:topsecret@b/c":      true,
		"s3://a:topsecret@b:port/c": false, // that is no address
	} {
		if got := blob.Remote(address); got != want {
			t.Errorf("Remote(%q) = %t", address, got)
		}
	}
}
