package blob

import (
	"mime"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/fault"
)

func TestPolicy(t *testing.T) {
	p := Policy{MaxBytes: 1 << 20, Refuse: append(Executables(), "video/*")}
	for _, c := range []struct {
		name, mediaType string
		size            int64
		code            fault.Code
		says            string
	}{
		{"a picture", "image/png", 1 << 20, "", ""},
		{"one byte more", "image/png", 1<<20 + 1, fault.CodeTooLarge, "The file is larger than 1MiB."},
		{"nothing", TypeText, 0, fault.CodeInvalid, "The file is empty."},
		{"a program", TypeELF, 10, fault.CodeInvalid, "Files of the type application/x-elf are not accepted here."},
		{"a kind", "video/mp4", 10, fault.CodeInvalid, "Files of the type video/mp4 are not accepted here."},
		{"what nobody knows", TypeUnknown, 10, "", ""},
	} {
		err := p.Check(c.mediaType, c.size)
		if fault.CodeOf(err) != c.code || fault.MessageOf(err) != c.says {
			t.Errorf("%s: Check(%s, %d) = %v, want %s %s", c.name, c.mediaType, c.size, err, c.code, c.says)
		}
	}
	if err := (Policy{}).Check(TypeELF, 1<<40); err != nil {
		t.Errorf("no policy: %v", err)
	}
}

func TestSetHeaders(t *testing.T) {
	for _, c := range []struct{ mediaType, name, shown, disposition string }{
		{"image/png", "a.png", "image/png", "inline; filename=a.png"},
		{"image/jpeg", "a b.jpg", "image/jpeg", `inline; filename="a b.jpg"`},
		{"image/gif", "a.gif", "image/gif", "inline; filename=a.gif"},
		{"image/webp", "a.webp", "image/webp", "inline; filename=a.webp"},
		{"text/plain", "ä.log", "text/plain; charset=utf-8", "inline; filename*=utf-8''%C3%A4.log"},
		{"text/plain", "a.html", "text/plain; charset=utf-8", "inline; filename=a.html"},
		{"application/pdf", "a.pdf", "application/pdf", "attachment; filename=a.pdf"},
		{"video/mp4", "a.mp4", "video/mp4", "attachment; filename=a.mp4"},
		{TypeSVG, "a.svg", TypeUnknown, "attachment; filename=a.svg"},
		{"text/html", "a.html", TypeUnknown, "attachment; filename=a.html"},
		{"text/xml", "a.xml", TypeUnknown, "attachment; filename=a.xml"},
		{"image/bmp", "a.bmp", "image/bmp", "attachment; filename=a.bmp"},
		{TypeUnknown, "", TypeUnknown, "attachment; filename=file"},
		{"", "a\"\r\nSet-Cookie: b", TypeUnknown, `attachment; filename="a_Set-Cookie_ b"`},
	} {
		h := http.Header{}
		SetHeaders(h, c.mediaType, c.name)
		if h.Get("Content-Type") != c.shown || h.Get("Content-Disposition") != c.disposition {
			t.Errorf("%s %q: %q %q, want %q %q", c.mediaType, c.name, h.Get("Content-Type"), h.Get("Content-Disposition"), c.shown, c.disposition)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: %v: a file is sent without its bars", c.mediaType, h)
		}
	}
}

var names = map[string]string{
	"report.pdf":                         "report.pdf",
	"../../etc/passwd":                   "passwd",
	`C:\Users\ann\report.pdf`:            "report.pdf",
	".bashrc":                            "bashrc",
	"...":                                "file",
	"/":                                  "_",
	"":                                   "file",
	"a\x00b\nc":                          "abc",
	"invoice\u202Efdp.exe":               "invoicefdp.exe",
	"a:b*c?.txt":                         "a_b_c_.txt",
	". \u00a0a. .":                       "a",
	"\xff\xfe":                           "file",
	strings.Repeat("ä", 200) + ".tar.gz": strings.Repeat("ä", (maxName-3)/2) + ".gz",
}

func TestName(t *testing.T) {
	for in, want := range names {
		if got := Name(in); got != want {
			t.Errorf("Name(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzName(f *testing.F) {
	for in := range names {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got := Name(in)
		if got == "" || len(got) > maxName || !utf8.ValidString(got) || strings.ContainsAny(got, "/\\\x00\r\n\"") || strings.HasPrefix(got, ".") {
			t.Errorf("Name(%q) = %q", in, got)
		}
		if again := Name(got); again != got {
			t.Errorf("Name(%q) = %q, and again %q", in, got, again)
		}
		_, params, err := mime.ParseMediaType(disposition("attachment", in))
		if err != nil || params["filename"] != got {
			t.Errorf("disposition(%q): %v, %v", in, params, err)
		}
	})
}
