package script

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"unicode"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Limits of what a script says with JSON lines.
const (
	maxLine    = 256 << 10 // bytes of one line
	maxSaid    = 20        // messages beside the living one
	maxFiles   = 10        // attached
	maxFile    = 16 << 20  // bytes of one attached file
	maxStray   = 4 << 10   // bytes kept of lines that are no JSON
	headLength = 512       // bytes kept of the beginning of stderr, where a traceback says what it is
	tailLength = 2 << 10   // bytes kept of its end
)

// answer is what a script said for its end.
type answer struct {
	text    string
	doc     *timeline.Document
	private bool
}

// listener takes the standard output of a script.
type listener interface {
	write(p []byte)
	close() answer
	trouble() string // a sentence that ends the script, or ""
}

// plain collects text.
type plain struct {
	out    program.Reporter
	stream *secret.MaskStream
	buf    bytes.Buffer
}

func newPlain(m *secret.Masker, out program.Reporter) *plain {
	p := &plain{out: out}
	p.stream = m.Stream(func(b []byte) { p.buf.Write(b) })
	return p
}

func (p *plain) write(b []byte)  { p.stream.Write(b) }
func (p *plain) trouble() string { return "" }

// close makes one line Markdown and several a block of fixed pitch; what is no
// text at all becomes a file.
func (p *plain) close() answer {
	p.stream.Close()
	raw := p.buf.Bytes()
	if bytes.IndexByte(raw, 0) >= 0 {
		if err := p.out.File("output.bin", bytes.NewReader(raw)); err != nil {
			return answer{text: phrase.T("script.binary_lost", len(raw))}
		}
		return answer{text: phrase.T("script.binary", len(raw))}
	}
	text := strings.TrimRight(readable(string(raw)), "\n ")
	if !strings.Contains(text, "\n") {
		return answer{text: text}
	}
	return answer{text: fenced(text), doc: &timeline.Document{Blocks: []timeline.Block{{Code: &timeline.Code{Text: text}}}}}
}

// escapes are what terminals understand and rooms do not: colours, titles, moves.
var escapes = regexp.MustCompile(`\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])`)

// readable is text without what terminals would do with it.
func readable(s string) string {
	s = escapes.ReplaceAllString(strings.ToValidUTF8(s, "\ufffd"), "")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if r == '\r' {
			return '\n' // a progress bar
		}
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

// said is one JSON line.
type said struct {
	Type     string             `json:"type"`
	Text     string             `json:"text"`
	Document *timeline.Document `json:"document"`
	Percent  *float64           `json:"percent"`
	Name     string             `json:"name"`
	Path     string             `json:"path"`
	Content  string             `json:"content"`
	Base64   string             `json:"base64"`
	Private  bool               `json:"private"`
}

// talk reads JSON lines and hands them on as they come.
type talk struct {
	m      *secret.Masker
	out    program.Reporter
	folder *os.Root
	line   []byte
	stray  strings.Builder // lines that are none
	strays int
	said   int
	files  int
	notes  []string // sentences for the end, each once
	end    *answer
	stop   string
}

func newTalk(m *secret.Masker, out program.Reporter, folder *os.Root) *talk {
	return &talk{m: m, out: out, folder: folder}
}

func (t *talk) trouble() string { return t.stop }

func (t *talk) write(b []byte) {
	for len(b) > 0 && t.stop == "" {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			t.line = append(t.line, b...)
			b = nil
		} else {
			t.line = append(t.line, b[:i]...)
			b = b[i+1:]
		}
		if len(t.line) > maxLine {
			t.stop = phrase.T("script.long_line", maxLine>>10)
			t.line = nil
			return
		}
		if i >= 0 {
			t.take(t.line)
			t.line = t.line[:0]
		}
	}
}

func (t *talk) close() answer {
	if t.stop == "" && len(t.line) > 0 {
		t.take(t.line)
	}
	var a answer
	if t.end != nil {
		a = *t.end
	}
	if t.strays > 0 {
		t.note(phrase.N("script.stray", t.strays))
		t.notes = append(t.notes, fenced(strings.TrimSpace(t.stray.String())))
	}
	if len(t.notes) > 0 {
		a.add(strings.Join(t.notes, "\n"))
	}
	return a
}

func (t *talk) note(sentence string) {
	if slices.Contains(t.notes, sentence) {
		return
	}
	t.notes = append(t.notes, sentence)
}

// take handles one line. A line that is no JSON ends nothing: somewhere in a
// deploy a tool printed a warning, and stopping there would be worse.
func (t *talk) take(line []byte) {
	if len(bytes.TrimSpace(line)) == 0 {
		return
	}
	var s said
	if err := json.Unmarshal(line, &s); err != nil || s.Type == "" {
		t.strays++
		if t.stray.Len() < maxStray {
			t.stray.WriteString(cut(t.clean(string(line)), maxStray-t.stray.Len()) + "\n")
		}
		return
	}
	text, doc := t.clean(s.Text), (*timeline.Document)(nil)
	if s.Document != nil {
		doc = tidy(*s.Document, t.clean)
		if text == "" {
			text = words(doc)
		}
	}
	switch s.Type {
	case "text", "document":
		t.say(text, doc)
	case "progress":
		percent := -1
		if s.Percent != nil && !math.IsNaN(*s.Percent) {
			percent = int(max(0, min(100, *s.Percent)))
		}
		t.out.Progress(percent, text)
	case "file":
		if why := t.file(s); why != "" {
			t.note(why)
		}
	case "result":
		t.end = &answer{text, doc, s.Private}
	case "ask":
		t.stop = phrase.T("script.ask") // nobody answers, so it would wait for ever
	default:
		t.note(phrase.T("script.unknown_type", cut(t.clean(s.Type), 40)))
	}
}

func (t *talk) say(text string, doc *timeline.Document) {
	if t.said++; t.said > maxSaid {
		t.note(phrase.T("script.too_much_said", maxSaid))
		return
	}
	if text != "" || doc != nil {
		t.out.Say(text, doc)
	}
}

func (t *talk) clean(s string) string { return t.m.Text(readable(s)) }

// file attaches a file: from the line itself, or from the working folder.
func (t *talk) file(s said) (why string) {
	if t.files++; t.files > maxFiles {
		return phrase.T("script.too_many_files", maxFiles)
	}
	name := t.clean(s.Name)
	if name == "" {
		name = t.clean(s.Path)
	}
	if name = strings.TrimLeft(filepath.Base(filepath.Clean("/"+name)), "./"); name == "" {
		name = "file"
	}
	content := []byte(s.Content)
	var err error
	switch {
	case s.Path != "":
		content, err = t.read(s.Path)
	case s.Base64 != "":
		content, err = base64.StdEncoding.DecodeString(s.Base64)
	}
	if err != nil {
		return phrase.T("script.file", name, t.clean(cause(err)))
	}
	if err = t.out.File(name, strings.NewReader(t.m.Text(string(content)))); err != nil {
		return phrase.T("script.file", name, t.clean(strings.TrimSuffix(cmp.Or(fault.MessageOf(err), phrase.T("script.cause.not_kept")), ".")))
	}
	return ""
}

// cause is an error in words of ours, and without the paths of this machine.
func cause(err error) string {
	if said := fault.MessageOf(err); said != "" && fault.CodeOf(err) != fault.CodeInternal {
		return said
	}
	if _, ok := errors.AsType[base64.CorruptInputError](err); ok {
		return phrase.T("script.cause.base64")
	}
	p, ok := errors.AsType[*os.PathError](err)
	number, system := errors.AsType[syscall.Errno](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return phrase.T("script.cause.missing")
	case errors.Is(err, fs.ErrPermission):
		return phrase.T("script.cause.permission")
	case system:
		return phrase.T("script.cause.system", number.Error())
	case ok && p.Err != nil: // of os.Root, which has no name for it
		return phrase.T("script.cause.outside")
	}
	return err.Error()
}

// read takes a regular file out of the working folder: no link leads elsewhere,
// and no pipe keeps us waiting.
func (t *talk) read(path string) ([]byte, error) {
	f, err := t.folder.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New(phrase.T("script.not_regular"))
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = errors.New(phrase.T("script.file_too_long", maxFile>>20))
	}
	return content, err
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// tail keeps the beginning and the end of what a script wrote to stderr.
type tail struct {
	stream *secret.MaskStream
	head   []byte // the first headLength bytes
	buf    []byte // what came after them, or the end of that
	lost   bool   // something between them was
}

func newTail(m *secret.Masker) *tail {
	t := &tail{}
	t.stream = m.Stream(func(p []byte) {
		n := min(len(p), headLength-len(t.head))
		t.head = append(t.head, p[:n]...)
		t.buf = append(t.buf, p[n:]...)
		if len(t.buf) > 4*tailLength {
			t.buf, t.lost = append(t.buf[:0], t.buf[len(t.buf)-2*tailLength:]...), true
		}
	})
	return t
}

// text is its first and its last lines.
func (t *tail) text() string {
	t.stream.Close()
	if !t.lost && len(t.buf) <= tailLength {
		return strings.TrimSpace(readable(string(t.head) + string(t.buf)))
	}
	first, rest := readable(string(t.head)), strings.TrimSpace(readable(string(t.buf)))
	if i := strings.LastIndexByte(first, '\n'); i > 0 {
		first = first[:i]
	}
	if len(rest) > tailLength {
		rest = rest[len(rest)-tailLength:]
	}
	if _, whole, ok := strings.Cut(rest, "\n"); ok {
		rest = whole
	}
	return strings.TrimSpace(first) + "\n…\n" + strings.ToValidUTF8(rest, "")
}
