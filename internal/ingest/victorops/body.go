package victorops

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/phrase"
)

// maxKept is the largest buffer that goes back to the pool: one big Sensu body
// must not stay in memory for ever.
const maxKept = 64 << 10

// maxEncodingShown bounds what an answer repeats of a content encoding.
const maxEncodingShown = 40

func (h *Handler) buffer() *bytes.Buffer {
	buf, _ := h.buffers.Get().(*bytes.Buffer)
	buf.Reset()
	return buf
}

func (h *Handler) release(buf *bytes.Buffer) {
	if buf.Cap() <= maxKept {
		h.buffers.Put(buf)
	}
}

// readBody reads the whole body into buf. The limit holds before and after
// decompression. The content type is not looked at: half the senders set none,
// or the one of a form.
func (h *Handler) readBody(buf *bytes.Buffer, w http.ResponseWriter, r *http.Request) error {
	body := http.MaxBytesReader(w, r.Body, h.opts.MaxBody)
	var err error
	broken := "intake.body.unreadable"
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		_, err = buf.ReadFrom(body)
	case "gzip", "x-gzip":
		err = gunzip(buf, body, h.opts.MaxBody+1) // one more tells full from too full
		broken = "intake.body.gzip"
	default:
		w.Header().Set("Accept-Encoding", "gzip")
		return failure{
			status:  http.StatusUnsupportedMediaType,
			message: phrase.T("intake.body.encoding", alert.Cut(toText(encoding), maxEncodingShown)),
		}
	}

	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit), int64(buf.Len()) > h.opts.MaxBody:
		return failure{
			status:  http.StatusRequestEntityTooLarge,
			message: phrase.T("intake.body.too_large", h.opts.MaxBody),
		}
	case err != nil:
		return InvalidError(phrase.T(broken))
	}
	return nil
}

func gunzip(buf *bytes.Buffer, from io.Reader, limit int64) error {
	z, err := gzip.NewReader(from)
	if err != nil {
		return err
	}
	_, err = buf.ReadFrom(io.LimitReader(z, limit))
	return err
}
