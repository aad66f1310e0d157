// Package lexers holds the languages that code in messages is coloured in: the
// ones that people on call paste, out of chroma's 270. Chroma reads all of its
// own when a program starts and needs 3 MB of it for them; these are read when
// the first block of code is shown.
//
// The files are chroma's, written by its own Marshal; chroma and they are under
// the MIT licence (LICENSE beside them). A test compares them with the version
// of chroma in go.mod, and -update writes them again.
package lexers

import (
	"embed"
	"fmt"
	"strings"
	"sync"

	"github.com/alecthomas/chroma/v2"
)

//go:embed xml
var files embed.FS

// known are the lexers by each of their names, in small letters.
var known = sync.OnceValue(func() map[string]chroma.Lexer {
	entries, err := files.ReadDir("xml")
	if err != nil {
		panic(fmt.Sprintf("lexers: %v", err)) // they are part of the program
	}
	names, registry := map[string]chroma.Lexer{}, chroma.NewLexerRegistry()
	for _, e := range entries {
		lexer := registry.Register(chroma.MustNewXMLLexer(files, "xml/"+e.Name()))
		for _, name := range append([]string{lexer.Config().Name}, lexer.Config().Aliases...) {
			names[strings.ToLower(name)] = lexer
		}
	}
	return names
})

// Get returns the lexer of a language, by any of its names in any case, or nil.
func Get(language string) chroma.Lexer { return known()[strings.ToLower(language)] }

// Names are all names of all languages, in small letters and no order.
func Names() []string {
	names := make([]string, 0, len(known()))
	for name := range known() {
		names = append(names, name)
	}
	return names
}
