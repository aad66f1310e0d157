package blob

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Found is what a file is, by what is in it; its name says nothing.
type Found struct {
	Type          string // media type, without parameters
	Width, Height int    // of a picture as it is shown, in pixels; 0: unknown
	Preview       []byte // a smaller picture; nil when the picture is small itself, or none
	PreviewType   string // "image/jpeg", or "image/png" when one can see through it
	Lines         string // the first lines of a text
}

// Inspector looks into files. Pictures are unpacked a few at a time, because
// each may take a lot of memory for a moment.
type Inspector struct {
	slots chan struct{}
}

// NewInspector returns one that unpacks up to so many pictures at once.
func NewInspector(atOnce int) *Inspector {
	return &Inspector{slots: make(chan struct{}, max(1, atOnce))}
}

// Bounds of what is looked at.
const (
	maxHead   = 64 << 10 // bytes that decide about the type
	maxLines  = 40
	maxQuoted = 4 << 10 // bytes of the first lines
)

// Inspect looks into a file of any content. What cannot be understood is no
// error: the file is then of a type that nothing is known about. The errors are
// those of reading, and the context's, while others' pictures are unpacked.
func (i *Inspector) Inspect(ctx context.Context, r io.ReadSeeker) (Found, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return Found{}, fmt.Errorf("inspect: %w", err)
	}
	head := make([]byte, maxHead)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return Found{}, fmt.Errorf("inspect: %w", err)
	}
	head = head[:n]
	found := Found{Type: typeOf(head)}
	switch {
	case found.Type == TypeText:
		found.Lines = firstLines(head)
	case pictures[found.Type]:
		select {
		case i.slots <- struct{}{}:
		case <-ctx.Done():
			return found, fmt.Errorf("inspect: %w", ctx.Err())
		}
		defer func() { <-i.slots }()
		if err := found.picture(r); err != nil {
			return found, fmt.Errorf("inspect: %w", err)
		}
	}
	return found, nil
}

// signatures are beginnings that net/http does not know, or knows as something else.
var signatures = []struct{ begins, mediaType string }{
	{"\x7fELF", TypeELF},
	{"MZ", TypePE},
	{"\xfe\xed\xfa\xce", TypeMachO}, {"\xfe\xed\xfa\xcf", TypeMachO}, {"\xce\xfa\xed\xfe", TypeMachO}, {"\xcf\xfa\xed\xfe", TypeMachO},
	{"\x00asm", TypeWasm},
	{"\x4c\x00\x00\x00\x01\x14\x02\x00", TypeLink},
	{"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"},
	{"\xfd7zXZ\x00", "application/x-xz"},
	{"\x28\xb5\x2f\xfd", "application/zstd"},
	{"SQLite format 3\x00", "application/vnd.sqlite3"},
}

// typeOf is the media type of what begins with head.
func typeOf(head []byte) string {
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.begins)) && (s.begins != "MZ" || portable(head)) {
			return s.mediaType
		}
	}
	if len(head) >= 8 && bytes.HasPrefix(head, []byte("\xca\xfe\xba\xbe")) {
		// A fat Mach-O says how many machines it is for, a Java class its version.
		if binary.BigEndian.Uint32(head[4:]) < 40 {
			return TypeMachO
		}
		return TypeJava
	}
	if len(head) >= 12 && string(head[4:8]) == "ftyp" {
		switch string(head[8:12]) {
		case "heic", "heix", "hevc", "mif1":
			return "image/heic"
		case "avif", "avis":
			return "image/avif"
		}
	}
	found, _, _ := strings.Cut(http.DetectContentType(head), ";")
	switch {
	case strings.HasPrefix(found, "text/") && !legal(head):
		return TypeUnknown // also text of two bytes for each letter, which we could not show
	case strings.HasPrefix(found, "text/") && drawing(head):
		return TypeSVG // a program in a picture's clothes
	}
	return found
}

// portable reports whether what begins with MZ is a program and not a word.
func portable(head []byte) bool {
	if len(head) < 64 {
		return !utf8.Valid(head) || bytes.IndexByte(head, 0) >= 0
	}
	at := int(binary.LittleEndian.Uint32(head[60:64]))
	return at >= len(head)-4 && bytes.IndexByte(head, 0) >= 0 || at >= 0 && at+4 <= len(head) && string(head[at:at+4]) == "PE\x00\x00" ||
		bytes.IndexByte(head[:64], 0) >= 0
}

// legal reports whether head is text in UTF-8; its last character may be cut.
func legal(head []byte) bool {
	for range utf8.UTFMax - 1 {
		if r, size := utf8.DecodeLastRune(head); r != utf8.RuneError || size != 1 || len(head) < maxHead/2 {
			break
		}
		head = head[:len(head)-1]
	}
	return utf8.Valid(head) && bytes.IndexByte(head, 0) < 0
}

// drawing reports whether a text is SVG: its root, after what may come before.
func drawing(head []byte) bool {
	lower := bytes.ToLower(head[:min(len(head), 4<<10)])
	at := bytes.Index(lower, []byte("<svg"))
	if at < 0 || at+4 >= len(lower) || !bytes.ContainsAny(lower[at+4:at+5], " \t\r\n>/:") {
		return false
	}
	return bytes.HasPrefix(bytes.TrimLeft(lower, " \t\r\n\xef\xbb\xbf"), []byte("<"))
}

// firstLines are the lines a preview shows.
func firstLines(head []byte) string {
	text := legible(head)
	lines := 0
	for i := range text {
		if text[i] == '\n' {
			if lines++; lines == maxLines {
				text = text[:i]
				break
			}
		}
	}
	return strings.TrimRight(cut(text, maxQuoted), " \t\n")
}

// legible is text without what steers a terminal, and with valid characters.
func legible(b []byte) string {
	var out strings.Builder
	s := strings.TrimPrefix(strings.ReplaceAll(string(b), "\r\n", "\n"), "\uFEFF")
	for s != "" {
		if rest, ok := strings.CutPrefix(s, "\x1b["); ok { // colours and the like, up to their letter
			s = strings.TrimLeft(rest, "0123456789;:?<=>")
			if s != "" && s[0] >= '@' && s[0] <= '~' {
				s = s[1:]
			}
			continue
		}
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == '\r':
			out.WriteByte('\n')
		case r == utf8.RuneError && size == 1, unicode.IsControl(r) && r != '\n' && r != '\t':
		default:
			out.WriteRune(r)
		}
		s = s[size:]
	}
	return out.String()
}
