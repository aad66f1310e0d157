package httpd

import (
	"bufio"
	"compress/gzip"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// compressible are the media types that shrink. text/event-stream is not among
// them: an event must leave at once, and a compressor per open browser costs
// more memory than the stream.
var compressible = map[string]bool{
	"application/javascript":    true,
	"application/json":          true,
	"application/manifest+json": true,
	"application/openapi+json":  true,
	"application/problem+json":  true,
	"image/svg+xml":             true,
	"text/css":                  true,
	"text/html":                 true,
	"text/javascript":           true,
	"text/plain":                true,
}

// minCompress is the size below which compressing costs more than it saves:
// such an answer is one packet either way.
const minCompress = 1024

// Compress gzips answers worth it for clients that take it. Secrets in a page
// next to what an attacker chose would be at risk (BREACH); our pages hold no
// token that opens anything, because cross-site protection needs none.
func Compress() Middleware {
	pool := &sync.Pool{New: func() any {
		zw, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
		return zw
	}}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Vary", "Accept-Encoding") // also for those who get it as it is
			if r.Method == http.MethodHead || r.Header.Get("Range") != "" || r.Header.Get("Upgrade") != "" ||
				!acceptsGzip(r.Header.Values("Accept-Encoding")) {
				next.ServeHTTP(w, r)
				return
			}
			zw := &gzipWriter{ResponseWriter: w, pool: pool}
			next.ServeHTTP(zw, r)
			zw.close() // not deferred: after a panic half an answer must not look whole
		})
	}
}

// acceptsGzip reads Accept-Encoding (RFC 9110 §12.5.3).
func acceptsGzip(values []string) bool {
	accepted := false
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		coding, params, _ := strings.Cut(part, ";")
		weight := 1.0
		if q, ok := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q="); ok {
			weight, _ = strconv.ParseFloat(q, 64) // what is no number is a refusal
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return weight > 0
		case "*":
			accepted = weight > 0
		}
	}
	return accepted
}

func shrinks(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && compressible[kind]
}

// gzipWriter holds an answer back until it knows whether compressing is worth
// it: minCompress bytes are there, the handler flushes, or it is done.
type gzipWriter struct {
	http.ResponseWriter
	pool    *sync.Pool
	zw      *gzip.Writer // nil unless compressing
	held    []byte
	status  int  // 0 until the handler wrote its header
	decided bool // the header is out; held is empty from then on
}

func (g *gzipWriter) Unwrap() http.ResponseWriter { return g.ResponseWriter }

// Hijack leaves the answer to whoever takes the connection over.
func (g *gzipWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, with, err := http.NewResponseController(g.ResponseWriter).Hijack()
	g.decided = g.decided || err == nil
	return conn, with, err
}

func (g *gzipWriter) WriteHeader(status int) {
	if g.decided || g.status != 0 || (status < 200 && status != http.StatusSwitchingProtocols) {
		g.ResponseWriter.WriteHeader(status) // 1xx pass; net/http complains about a second one
		return
	}
	g.status = status
	if status == http.StatusSwitchingProtocols || !g.mayCompress() {
		_ = g.decide(false) // nothing is held back yet, so nothing is written that could fail
	}
}

func (g *gzipWriter) Write(b []byte) (int, error) {
	if g.status == 0 {
		if g.Header().Get("Content-Type") == "" {
			g.Header().Set("Content-Type", http.DetectContentType(b)) // as net/http would, but before gzip hides it
		}
		g.WriteHeader(http.StatusOK)
	}
	if !g.decided {
		if len(g.held)+len(b) < minCompress {
			g.held = append(g.held, b...)
			return len(b), nil
		}
		if err := g.decide(true); err != nil {
			return 0, err
		}
	}
	if g.zw != nil {
		return g.zw.Write(b)
	}
	return g.ResponseWriter.Write(b)
}

// mayCompress judges the header alone, when the handler has finished it.
func (g *gzipWriter) mayCompress() bool {
	h := g.Header()
	if g.status == http.StatusNoContent || g.status == http.StatusNotModified || g.status == http.StatusPartialContent ||
		h.Get("Content-Encoding") != "" || !shrinks(h) {
		return false
	}
	if size, err := strconv.Atoi(h.Get("Content-Length")); err == nil && size < minCompress {
		return false
	}
	return true
}

// decide sends the header and what was held back.
func (g *gzipWriter) decide(compress bool) error {
	g.decided = true
	h := g.Header()
	if compress {
		h.Set("Content-Encoding", "gzip")
		h.Del("Content-Length")
		h.Del("Accept-Ranges")
		if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
			h.Set("ETag", "W/"+tag) // same meaning, other bytes
		}
		g.zw = g.pool.Get().(*gzip.Writer)
		g.zw.Reset(g.ResponseWriter)
	}
	if g.status != 0 {
		g.ResponseWriter.WriteHeader(g.status)
	}
	held := g.held
	g.held = nil
	if len(held) == 0 {
		return nil
	}
	var err error
	if g.zw != nil {
		_, err = g.zw.Write(held)
	} else {
		_, err = g.ResponseWriter.Write(held)
	}
	return err
}

// Flush is for those who ask for http.Flusher instead of a ResponseController.
func (g *gzipWriter) Flush() {
	_ = g.FlushError() // an http.Flusher cannot say
}

// FlushError sends everything written so far. An answer that flushes early is
// compressed only if its kind shrinks; event streams pass as they are.
func (g *gzipWriter) FlushError() error {
	if !g.decided {
		compress := true // WriteHeader found that it may be
		if g.status == 0 {
			g.status = http.StatusOK
			compress = g.mayCompress()
		}
		if err := g.decide(compress); err != nil {
			return err
		}
	}
	if g.zw != nil {
		if err := g.zw.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(g.ResponseWriter).Flush()
}

// close ends the answer after the handler has returned.
func (g *gzipWriter) close() {
	if !g.decided {
		_ = g.decide(false) // a short answer; that the client has left is nobody's error
	}
	if g.zw == nil {
		return
	}
	_ = g.zw.Close() // the same
	g.zw.Reset(nil)
	g.pool.Put(g.zw)
	g.zw = nil
}
