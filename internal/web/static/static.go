// Package static holds everything a browser loads beside the pages: style
// sheets, our ES modules, icons and the vendored htmx. All of it is part of the
// program; nothing is fetched from another host.
//
// Addresses carry a hash of the whole tree (/static/<hash>/js/app.js), so files
// can be cached for ever and modules may import each other by relative path.
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed *.css *.svg *.png *.webmanifest js vendor
var files embed.FS

// Prefix is the path under which Handler must be mounted.
const Prefix = "/static/"

// FS is the embedded tree; the gallery copies it next to its pages.
func FS() fs.FS { return files }

// version is a short hash over names and contents.
var version = sync.OnceValue(func() string {
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := files.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		_, _ = io.WriteString(sum, name)
		_, err = io.Copy(sum, f)
		return err
	})
	if err != nil {
		panic(err) // the files are part of the program
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
})

// URL is the address of the named file, with the hash of the tree in it.
func URL(name string) string { return Prefix + version() + "/" + name }

// Handler serves the tree below Prefix. The address with the current hash may
// be kept for ever; any other spelling is answered but must be asked for again.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, cache := strings.TrimPrefix(r.URL.Path, Prefix), "no-cache"
		if hash, rest, ok := strings.Cut(name, "/"); ok && len(hash) == len(version()) {
			name = rest // an older page, with another hash, gets today's file
			if hash == version() {
				cache = "public, max-age=31536000, immutable"
			}
		}
		if name == "" || strings.HasSuffix(name, "/") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", cache)
		w.Header().Set("ETag", `"`+version()+`"`) // embedded files have no time by which to ask again
		if kind := contentType(name); kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		http.ServeFileFS(w, r, files, name)
	})
}

// contentType does not leave the kinds a browser is strict about to the machine's mime table.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".webmanifest":
		return "application/manifest+json"
	}
	return mime.TypeByExtension(path.Ext(name))
}
