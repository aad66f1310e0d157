package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// reader has the stream of the room open. Its fields are its own while a line
// is on its way, and the hall's in between.
type reader struct {
	conn *conn
	last int64   // entry
	took samples // from when a line was sent until it was here
}

// join opens the streams.
func (h *hall) join(ctx context.Context, n *node, known furnished, readers int) error {
	h.opened, h.failed, h.lines = time.Now(), make(chan error, readers), make([]line, lines)
	for i := range readers {
		c, err := dial(ctx, n.addr)
		if err != nil {
			return err
		}
		c.r = bufio.NewReaderSize(c.net, 4096) // a frame fits
		h.readers = append(h.readers, &reader{conn: c})
		_ = c.net.SetDeadline(time.Now().Add(5 * time.Minute))
		if _, err := c.net.Write(listening(streamPath+"?rooms="+h.slug, known.token(i))); err != nil {
			return fmt.Errorf("open a stream: %w", err)
		}
		if status, _, err := c.head(); err != nil || status != 200 {
			return errors.Join(err, fmt.Errorf("open a stream: status %d", status))
		}
	}
	for _, rd := range h.readers {
		h.wg.Go(func() {
			if err := h.read(rd); err != nil && !h.leaving.Load() {
				h.failed <- err
			}
		})
	}
	return nil
}

// read notes every line until the stream ends; that nothing comes twice or in
// another order is part of the measurement.
func (h *hall) read(rd *reader) error {
	var seq int64
	for {
		text, err := rd.conn.r.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("a stream ended: %w", err)
		}
		if number, ok := bytes.CutPrefix(text, []byte("id: ")); ok {
			if seq, err = strconv.ParseInt(string(bytes.TrimSpace(number)), 10, 64); err != nil {
				return fmt.Errorf("read a stream: %w", err)
			}
			continue
		}
		n, ok := lineNumber(text)
		if !ok {
			continue
		}
		if seq <= rd.last {
			return fmt.Errorf("entry %d came after entry %d", seq, rd.last)
		}
		l := &h.lines[n]
		rd.last, rd.took = seq, append(rd.took, time.Since(h.opened)-time.Duration(l.sent.Load()))
		if l.left.Add(-1) == 0 {
			l.by.heard <- struct{}{}
		}
	}
}

// lineNumber finds the number of a line in its frame.
func lineNumber(frame []byte) (int64, bool) {
	_, rest, ok := bytes.Cut(frame, []byte(marker))
	if !ok || len(rest) < len(digits) {
		return 0, false
	}
	n, err := strconv.ParseInt(string(rest[:len(digits)]), 10, 64)
	return n, err == nil && n < lines
}

// heard is how long every line took to every reader, since forget.
func (h *hall) heard() samples {
	var all samples
	for _, rd := range h.readers {
		all = append(all, rd.took...)
	}
	return all
}

// forget begins anew; no line is on its way then.
func (h *hall) forget() {
	for _, rd := range h.readers {
		rd.took = rd.took[:0]
	}
}

func (h *hall) leave() {
	h.leaving.Store(true)
	for _, rd := range h.readers {
		rd.conn.close()
	}
	h.wg.Wait()
}
