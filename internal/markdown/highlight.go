package markdown

import (
	"html"
	"strings"
	"time"

	"github.com/alecthomas/chroma/v2"

	"github.com/watchroom/watchroom/internal/markdown/lexers"
)

// Bounds of colouring. A lexer is a heap of patterns, and there are texts that
// some of them need long for; what is left when the time is over is shown
// without colours.
const (
	maxColoured  = 16 << 10 // bytes
	maxColouring = 50 * time.Millisecond
	maxLanguage  = 30 // characters of a name that nobody knows
)

// highlight returns the name of the language and the code as HTML.
func highlight(language, code string) (name, coloured string) {
	lexer := lexers.Get(language)
	if lexer == nil {
		if runes := []rune(language); len(runes) > maxLanguage {
			language = string(runes[:maxLanguage]) + "…"
		}
		return language, html.EscapeString(code)
	}
	name = lexer.Config().Name
	if len(code) > maxColoured {
		return name, html.EscapeString(code)
	}
	b := blockOf(name, code)
	if out, ok := remembered.get(b); ok {
		return name, out
	}
	if remembered.rests(name, time.Now()) {
		return name, html.EscapeString(code)
	}
	coloured, slow := colour(lexer, code, maxColouring)
	if slow {
		remembered.rest(name, time.Now())
	}
	remembered.put(b, coloured)
	return name, coloured
}

// colour gives up after a while, and says whether one token alone took so long
// that the lexer's patterns must be to blame.
func colour(lexer chroma.Lexer, code string, within time.Duration) (out string, slow bool) {
	defer func() {
		if recover() != nil { // a broken lexer is no reason to lose the message
			out = html.EscapeString(code)
		}
	}()
	next, err := lexer.Tokenise(nil, code)
	if err != nil {
		return html.EscapeString(code), false
	}
	began := time.Now()
	at := began
	var b strings.Builder
	b.Grow(len(code) * 3)
	done := 0
	last := ""
	for token := next(); token != chroma.EOF; token = next() {
		if !strings.HasPrefix(code[done:], token.Value) {
			break // not what was written: the rest is shown as it is
		}
		done += len(token.Value)
		class := classOf(token.Type)
		if strings.TrimSpace(token.Value) == "" {
			class = last // blanks belong to what is before them
		}
		if class != last && last != "" {
			b.WriteString("</span>")
		}
		if class != last && class != "" {
			b.WriteString(`<span class="hl-` + class + `">`)
		}
		last = class
		b.WriteString(html.EscapeString(token.Value))
		now := time.Now()
		slow = slow || now.Sub(at) > tooSlow
		if at = now; now.Sub(began) > within {
			break
		}
	}
	if last != "" {
		b.WriteString("</span>")
	}
	b.WriteString(html.EscapeString(code[done:]))
	return b.String(), slow
}

// classOf is the colour of a token: a dozen of them, because chroma's ninety
// are told apart by nobody. markdown.css has them all.
func classOf(t chroma.TokenType) string {
	switch {
	case t == chroma.KeywordType, t == chroma.NameClass, t == chroma.NameBuiltin, t == chroma.NameBuiltinPseudo, t == chroma.NameException:
		return "type"
	case t == chroma.KeywordConstant, t == chroma.NameConstant, t.InSubCategory(chroma.LiteralNumber), t == chroma.LiteralDate:
		return "number"
	case t.InCategory(chroma.Keyword), t == chroma.OperatorWord, t == chroma.CommentPreproc, t == chroma.CommentPreprocFile:
		return "keyword"
	case t == chroma.NameFunction, t == chroma.NameFunctionMagic, t == chroma.NameDecorator:
		return "function"
	case t == chroma.NameTag:
		return "tag"
	case t == chroma.NameAttribute, t == chroma.NameProperty, t == chroma.NameLabel, t == chroma.NameEntity:
		return "name"
	case t.InSubCategory(chroma.NameVariable), t == chroma.LiteralStringInterpol:
		return "variable"
	case t.InSubCategory(chroma.LiteralString):
		return "string"
	case t.InCategory(chroma.Comment):
		return "comment"
	case t == chroma.GenericInserted:
		return "inserted"
	case t == chroma.GenericDeleted, t == chroma.GenericError, t == chroma.GenericTraceback:
		return "deleted"
	case t == chroma.GenericHeading, t == chroma.GenericSubheading, t == chroma.GenericPrompt:
		return "heading"
	}
	return ""
}
