package markdown

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// goldmark counts what it knows when a context or a renderer is made, so these
// two are there from the start.
var (
	rendering     = parser.NewContextKey() // where the lookup of a rendering is
	kindReference = ast.NewNodeKind("Reference")
)

// reference is a sign that stands for something of ours, with what the caller
// said about it.
type reference struct {
	ast.BaseInline
	class string // "mention", "mention mention-me", "incident-ref", "room-ref"; "" for an emoji
	typed string // as it was written
	shown string
	title string
	href  string
	state string // of an incident
	n     int64  // its number
}

func (r *reference) Kind() ast.NodeKind { return kindReference }

// Dump is for goldmark's debugging.
func (r *reference) Dump(source []byte, level int) { ast.DumpHelper(r, source, level, nil, nil) }

// plain is what the reference is in words.
func (r *reference) plain() string {
	if r.class == "" {
		return r.shown
	}
	return r.typed
}

// lookup is the Options of one rendering and how often they had an answer.
type lookup struct {
	Options
	found int
}

// references reads "@ann", "@@dba", "@oncall:dba", "#12", "#ops" and ":tada:".
type references struct{}

func (references) Trigger() []byte { return []byte{'@', '#', ':'} }

func (references) Parse(_ ast.Node, block text.Reader, pc parser.Context) ast.Node {
	// Inside a word or an address the signs mean nothing: me@example.org,
	// main.go:100:, page#top.
	if before := block.PrecendingCharacter(); wordy(before) || strings.ContainsRune("@#&/:", before) {
		return nil
	}
	line, _ := block.PeekLine()
	look, ok := pc.Get(rendering).(*lookup)
	if !ok || look.found >= maxRefs {
		return nil
	}
	var ref *reference
	switch line[0] {
	case '@':
		ref = look.mention(string(line[:min(len(line), 200)]))
	case '#':
		ref = look.numbered(string(line[:min(len(line), 200)]))
	case ':':
		ref = emojiAt(string(line[:min(len(line), 80)]))
	}
	if ref == nil {
		return nil
	}
	if ref.class != "" {
		look.found++
	}
	block.Advance(len(ref.typed))
	return ref
}

func wordy(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// follows reports whether what comes after a reference would belong to its word.
func follows(rest string) bool {
	r, _ := utf8.DecodeRuneInString(rest)
	return rest != "" && wordy(r)
}

const handleSigns = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

// span is the beginning of s made of these signs.
func span(s, signs string) string { return s[:len(s)-len(strings.TrimLeft(s, signs))] }

func (o Options) mention(line string) *reference {
	if o.Mention == nil {
		return nil
	}
	sign := "@"
	if strings.HasPrefix(line, "@@") {
		sign = "@@"
	}
	handle := span(line[len(sign):], handleSigns)
	if sign == "@" && strings.EqualFold(handle, "oncall") && strings.HasPrefix(line[len("@oncall"):], ":") {
		if team := strings.TrimRight(span(line[len("@oncall:"):], handleSigns), "._-"); team != "" {
			handle += ":" + team
		}
	}
	// A handle may end in a dot, a sentence does; the longer reading goes first.
	for handle != "" {
		if follows(line[len(sign)+len(handle):]) {
			return nil
		}
		name, href, me, ok := o.Mention(sign[1:] + handle)
		if ok {
			typed := sign + handle
			ref := &reference{class: "mention", typed: typed, shown: "@" + name, href: href}
			if me {
				ref.class = "mention mention-me"
			}
			if name == "" {
				ref.shown = typed
			}
			if ref.shown != typed {
				ref.title = typed
			}
			return ref
		}
		if !strings.ContainsRune("._-", rune(handle[len(handle)-1])) {
			return nil
		}
		handle = handle[:len(handle)-1]
	}
	return nil
}

func (o Options) numbered(line string) *reference {
	slug := strings.TrimRight(span(line[1:], "abcdefghijklmnopqrstuvwxyz0123456789-"), "-")
	if slug == "" || follows(line[1+len(slug):]) {
		return nil
	}
	typed := "#" + slug
	if n, err := strconv.ParseInt(slug, 10, 64); err == nil && n > 0 && o.Incident != nil && slug[0] != '0' {
		if title, state, href, ok := o.Incident(n); ok {
			return &reference{class: "incident-ref", typed: typed, shown: typed, title: title, href: href, state: state, n: n}
		}
	}
	if o.Room != nil {
		if href, ok := o.Room(slug); ok {
			return &reference{class: "room-ref", typed: typed, shown: typed, href: href}
		}
	}
	return nil
}

func emojiAt(line string) *reference {
	name := span(line[1:], shortcode)
	rest := line[1+len(name):]
	if name == "" || !strings.HasPrefix(rest, ":") || follows(rest[1:]) {
		return nil
	}
	char, ok := emojis().named[name]
	if !ok {
		return nil
	}
	return &reference{typed: line[:len(name)+2], shown: char}
}
