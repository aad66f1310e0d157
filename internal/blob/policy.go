package blob

import (
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Policy is what may be uploaded.
type Policy struct {
	MaxBytes int64
	// Refuse are media types as Inspect finds them; "video/*" is all of a kind.
	Refuse []string
}

// Media types that Inspect tells apart and net/http does not.
const (
	TypeELF     = "application/x-elf"
	TypePE      = "application/vnd.microsoft.portable-executable"
	TypeMachO   = "application/x-mach-binary"
	TypeJava    = "application/java-vm"
	TypeWasm    = "application/wasm"
	TypeLink    = "application/x-ms-shortcut"
	TypeSVG     = "image/svg+xml"
	TypeText    = "text/plain"
	TypeUnknown = "application/octet-stream"
)

// Executables are the types that a machine would run when somebody clicks on
// them. Scripts are not among them: they are text, and people show them to each
// other.
func Executables() []string {
	return []string{TypeELF, TypePE, TypeMachO, TypeJava, TypeWasm, TypeLink}
}

// Check returns a fault when a file of this type and size may not be kept. An
// empty file may not either: it is a mistake of whoever sent it.
func (p Policy) Check(mediaType string, size int64) error {
	switch {
	case size == 0:
		return fault.Invalid("file", phrase.T("blob.empty"))
	case p.MaxBytes > 0 && size > p.MaxBytes:
		return fault.TooLarge(phrase.T("blob.too_large", config.Size(p.MaxBytes)))
	case p.refuses(mediaType):
		return fault.Invalid("file", phrase.T("blob.refused", mediaType))
	}
	return nil
}

func (p Policy) refuses(mediaType string) bool {
	kind, _, _ := strings.Cut(mediaType, "/")
	return slices.Contains(p.Refuse, mediaType) || slices.Contains(p.Refuse, kind+"/*")
}

// inline are the types that a browser may show in the page: pictures made of
// points, and text, which is sent as text whatever is in it.
var inline = []string{"image/png", "image/jpeg", "image/gif", "image/webp", TypeText}

// passive are further types that may keep their name when they are downloaded;
// of all others a browser learns nothing that it could act upon.
var passive = []string{"application/pdf", "application/zip", "application/gzip", "application/x-gzip", "audio/*", "video/*", "image/heic", "image/avif", "image/bmp"}

// Disposition says how a file of a media type is sent: "inline" or "attachment".
func Disposition(mediaType string) string {
	if slices.Contains(inline, mediaType) {
		return "inline"
	}
	return "attachment"
}

// SetHeaders writes the headers under which a file is sent. No type is guessed
// by the browser, nothing in a file runs, and no other site may embed it.
func SetHeaders(h http.Header, mediaType, name string) {
	shown := mediaType
	switch {
	case mediaType == TypeText:
		shown = "text/plain; charset=utf-8"
	case Disposition(mediaType) == "attachment" && !(Policy{Refuse: passive}).refuses(mediaType):
		shown = TypeUnknown
	}
	h.Set("Content-Type", shown)
	h.Set("Content-Disposition", disposition(Disposition(mediaType), name))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// disposition writes the name as RFC 6266 has it.
func disposition(kind, name string) string {
	if value := mime.FormatMediaType(kind, map[string]string{"filename": Name(name)}); value != "" {
		return value
	}
	return kind
}

const maxName = 150 // bytes; with its ending it fits every file system

// Name is a name somebody sent, made harmless: the last part of a path, no
// control characters, nothing that reorders its letters, not hidden, not endless.
func Name(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = path.Base(strings.ReplaceAll(s, `\`, "/"))
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029', r == '\uFEFF':
			return -1
		case strings.ContainsRune(`/<>:"|?*`, r):
			return '_' // some system would refuse it
		}
		return r
	}, s)
	s = trim(s)
	if len(s) > maxName {
		ending := path.Ext(s)
		if len(ending) > 16 {
			ending = ""
		}
		s = trim(cut(s, maxName-len(ending)) + ending)
	}
	if s == "" {
		return phrase.T("blob.unnamed")
	}
	return s
}

// trim takes away what hides a file or what some systems drop at the end of a name.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r == '.' || unicode.IsSpace(r) })
}

// cut is the beginning of s, at most n bytes and whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
