package httpd

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
)

// Assets serves the files of a browser's side from memory, under addresses that
// contain a hash, so that browsers keep them for ever and never keep an old one.
//
// The hash is of all files together and stands before the name:
// /assets/<hash>/app.js. So a module may import its neighbour, and a style sheet
// may name a font, by a relative address.
type Assets struct {
	prefix string // with both slashes
	hash   string
	files  map[string]*asset
}

type asset struct {
	body []byte
	kind string
	gzip func() []byte // made at the first request, kept; nil when it is no smaller
}

// kinds are fixed here because the machine's own table may be missing or
// different, and with nosniff a wrong type breaks the page.
var kinds = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".jpg":         "image/jpeg",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".map":         "application/json",
	".mp3":         "audio/mpeg",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
	".webp":        "image/webp",
	".woff2":       "font/woff2",
}

// NewAssets reads all files of from, to be served under prefix ("/assets/").
func NewAssets(prefix string, from fs.FS) (*Assets, error) {
	a := &Assets{prefix: "/" + strings.Trim(prefix, "/") + "/", files: map[string]*asset{}}
	sum := sha256.New()
	err := fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error { // in lexical order
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(sum, "%d %s %d ", len(name), name, len(body)) // a hash takes everything
		_, _ = sum.Write(body)
		a.files[name] = newAsset(name, body)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read assets: %w", err)
	}
	a.hash = hex.EncodeToString(sum.Sum(nil))[:12]
	return a, nil
}

func newAsset(name string, body []byte) *asset {
	kind := kinds[path.Ext(name)]
	if kind == "" {
		kind = "application/octet-stream"
	}
	return &asset{body: body, kind: kind, gzip: sync.OnceValue(func() []byte { return squeeze(kind, body) })}
}

func squeeze(kind string, body []byte) []byte {
	if !shrinks(http.Header{"Content-Type": {kind}}) {
		return nil
	}
	var out bytes.Buffer
	zw, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is valid
	_, _ = zw.Write(body)                                    // a buffer takes everything
	_ = zw.Close()
	if out.Len() >= len(body) {
		return nil
	}
	return out.Bytes()
}

// Pattern is where ServeHTTP belongs in the mux.
func (a *Assets) Pattern() string { return "GET " + a.prefix + "{hash}/{name...}" }

// URL returns the address of name, for as long as this version of the program
// runs. A name that does not exist gets an address that answers 404; use Has in
// a test of the pages.
func (a *Assets) URL(name string) string { return a.prefix + a.hash + "/" + name }

// Has reports whether there is a file called name.
func (a *Assets) Has(name string) bool { return a.files[name] != nil }

// Hash names the present version of all files together, for a service worker's cache.
func (a *Assets) Hash() string { return a.hash }

// Handle serves what URL points to. A page of the version before or after, seen
// while several nodes are being updated, gets today's file and may not keep it.
func (a *Assets) Handle(w http.ResponseWriter, r *http.Request) error {
	return a.serve(w, r, r.PathValue("name"), r.PathValue("hash") == a.hash)
}

// File returns a handler for one file at a fixed address, such as /favicon.ico
// or a service worker at the root. Browsers ask each time whether it changed.
func (a *Assets) File(name string) HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error { return a.serve(w, r, name, false) }
}

func (a *Assets) serve(w http.ResponseWriter, r *http.Request, name string, forever bool) error {
	file := a.files[name]
	if file == nil {
		return fault.NotFound("")
	}
	h := w.Header()
	h.Set("Content-Type", file.kind)
	h.Set("Cache-Control", "no-cache")
	if forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, tag := file.body, a.hash
	h.Set("Vary", "Accept-Encoding")
	if r.Header.Get("Range") == "" && acceptsGzip(r.Header.Values("Accept-Encoding")) {
		if small := file.gzip(); small != nil {
			body, tag = small, a.hash+"-gzip"
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	return nil
}
