// Package phrase is the catalogue of everything Watchroom says to people: one
// place to translate. The texts are in en/*.json, a flat object for each area
// of the product; values are fmt formats.
package phrase

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

//go:embed en/*.json
var files embed.FS

// catalogue maps every key to its English text; it is read once and never changed.
var catalogue = sync.OnceValue(func() map[string]string {
	all, err := load(files)
	if err != nil {
		panic(err) // the files are part of the program; a test loads them
	}
	return all
})

func load(from fs.FS) (map[string]string, error) {
	all := map[string]string{}
	names, err := fs.Glob(from, "en/*.json")
	if err != nil {
		return nil, fmt.Errorf("list catalogue: %w", err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, fmt.Errorf("read catalogue: %w", err)
		}
		var area map[string]string
		if err := json.Unmarshal(data, &area); err != nil {
			return nil, fmt.Errorf("read catalogue %s: %w", name, err)
		}
		for key, text := range area {
			if _, twice := all[key]; twice {
				return nil, fmt.Errorf("catalogue key %q is defined twice", key)
			}
			all[key] = text
		}
	}
	return all, nil
}

// T returns the text for key with args filled in. An unknown key is returned
// as it is, so that a missing text is visible but never fatal.
func T(key string, args ...any) string {
	text, ok := catalogue()[key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// N picks key+".one" when n is 1 and key+".many" otherwise; n is the first argument of the text.
func N(key string, n int, args ...any) string {
	form := ".many"
	if n == 1 {
		form = ".one"
	}
	return T(key+form, append([]any{n}, args...)...)
}

// Has reports whether key is in the catalogue.
func Has(key string) bool {
	_, ok := catalogue()[key]
	return ok
}

// Capital is words as the head of something.
func Capital(words string) string {
	first, n := utf8.DecodeRuneInString(words)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + words[n:]
}

// Sentence is a clause that stands alone.
func Sentence(clause string) string { return Capital(strings.TrimRight(clause, ".")) + "." }
