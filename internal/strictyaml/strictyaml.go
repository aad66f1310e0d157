// Package strictyaml reads the small part of YAML that Watchroom's own files
// use: mappings, lists and scalars. Every value knows its file and line, so that
// whoever decodes it can say where a mistake is.
//
// It promises never to guess: anchors, aliases, tags, merge keys, several
// documents in one file, keys given twice and depth beyond reason are refused
// with a sentence. Scalars are handed on as the text that was written, so that
// a name like 1e3 or no stays a name. What the values mean is for config and
// orgfile to say.
package strictyaml

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a file. The parser recurses, so depth has to be bounded before it.
const (
	MaxBytes = 4 << 20
	maxDepth = 20
)

// Kind is what a Node is.
type Kind int

// The kinds of Node.
const (
	Null    Kind = iota // nothing was written, or ~
	Scalar              // Text is what was written
	List                // Items
	Mapping             // Pairs
)

// Position is a place in a file, for messages.
type Position struct {
	File string
	Line int // from 1; 0 when unknown
}

// String is file:line, as editors and terminals understand it.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// Errorf makes an error about this place.
func (p Position) Errorf(format string, args ...any) error {
	return &Error{At: p, Err: fmt.Errorf(format, args...)}
}

// Error is a mistake at a place.
type Error struct {
	At  Position
	Err error
}

// Error begins with file:line.
func (e *Error) Error() string {
	if e.At.File == "" && e.At.Line == 0 {
		return e.Err.Error()
	}
	return e.At.String() + ": " + e.Err.Error()
}

// Unwrap gives the mistake without its place.
func (e *Error) Unwrap() error { return e.Err }

// Node is a value in a file.
type Node struct {
	At    Position
	Kind  Kind
	Text  string
	Items []Node
	Pairs []Pair
}

// Pair is one line of a mapping.
type Pair struct {
	At    Position
	Key   string
	Value Node
}

// Get finds the value of a key.
func (n Node) Get(key string) (Node, bool) {
	for _, p := range n.Pairs {
		if p.Key == key {
			return p.Value, true
		}
	}
	return Node{}, false
}

// Parse reads a file, whose outermost value has to be a mapping; one with
// nothing in it is a mapping without pairs.
func Parse(file string, text []byte) (Node, error) {
	at := Position{File: file}
	switch {
	case len(text) > MaxBytes:
		return Node{}, at.Errorf("longer than %d bytes", MaxBytes)
	case !utf8.Valid(text):
		return Node{}, at.Errorf("not UTF-8 text")
	}
	tokens := lexer.Tokenize(string(text))
	if err := refuse(file, tokens); err != nil {
		return Node{}, err
	}
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return Node{}, syntax(file, err)
	}
	return document(at, parsed)
}

func document(at Position, parsed *ast.File) (Node, error) {
	top := Node{At: Position{at.File, 1}, Kind: Mapping}
	found := false
	for _, d := range parsed.Docs {
		if d.Body == nil {
			continue
		}
		if found {
			return Node{}, at.Errorf("several documents in one file; write one")
		}
		found = true
		var err error
		if top, err = node(at.File, d.Body, 0); err != nil {
			return Node{}, err
		}
	}
	switch top.Kind {
	case Mapping:
		return top, nil
	case Null:
		return Node{At: top.At, Kind: Mapping}, nil
	default:
		return Node{}, top.At.Errorf("a file is a mapping: lines of the form key: value")
	}
}

// syntax makes the parser's error one line: its own quotes the file, in which
// there may be secrets.
func syntax(file string, err error) error {
	at := Position{File: file}
	positioned, ok := errors.AsType[interface {
		error
		GetToken() *token.Token
		GetMessage() string
	}](err)
	if !ok {
		return at.Errorf("not readable as YAML")
	}
	if t := positioned.GetToken(); t != nil && t.Position != nil {
		at.Line = t.Position.Line
	}
	return at.Errorf("%s", strings.TrimSpace(positioned.GetMessage()))
}

// refused are the parts of YAML that make a file mean more than it shows.
var refused = map[token.Type]string{
	token.AnchorType:     "anchors (&name)",
	token.AliasType:      "aliases (*name)",
	token.TagType:        "tags (!name)",
	token.MergeKeyType:   "merge keys (<<)",
	token.MappingKeyType: "complex keys (?)",
	token.DirectiveType:  "directives (%)",
}

func refuse(file string, tokens token.Tokens) error {
	depth, line, dashes := 0, 0, 0
	for _, t := range tokens {
		at := Position{file, t.Position.Line}
		if what, ok := refused[t.Type]; ok {
			return at.Errorf("%s are not supported; quote the text if it is meant as text", what)
		}
		if t.Position.Line != line {
			line, dashes = t.Position.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth = max(0, depth-1)
		case token.SequenceEntryType:
			dashes++
		default:
		}
		if depth > maxDepth || dashes > maxDepth || t.Position.Column > 1000 && t.Type == token.MappingValueType {
			return at.Errorf("nested too deeply")
		}
	}
	return nil
}

func node(file string, n ast.Node, depth int) (Node, error) {
	at := Position{file, 0}
	if t := n.GetToken(); t != nil && t.Position != nil {
		at.Line = t.Position.Line
	}
	if depth > maxDepth {
		return Node{}, at.Errorf("nested too deeply")
	}
	switch n := n.(type) {
	case *ast.NullNode:
		return Node{At: at, Kind: Null}, nil
	case *ast.StringNode:
		return Node{At: at, Kind: Scalar, Text: n.Value}, nil
	case *ast.LiteralNode:
		return Node{At: at, Kind: Scalar, Text: n.Value.Value}, nil
	case *ast.MappingNode:
		return mapping(at, n.Values, depth)
	case *ast.MappingValueNode: // older form of a mapping of one
		return mapping(at, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		list := Node{At: at, Kind: List}
		for _, v := range n.Values {
			item, err := node(file, v, depth+1)
			if err != nil {
				return Node{}, err
			}
			list.Items = append(list.Items, item)
		}
		return list, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return Node{At: at, Kind: Scalar, Text: strings.TrimSpace(n.GetToken().Value)}, nil
	}
	return Node{}, at.Errorf("this kind of YAML is not supported; use mappings, lists and plain values")
}

func mapping(at Position, values []*ast.MappingValueNode, depth int) (Node, error) {
	m := Node{At: at, Kind: Mapping}
	for i, v := range values {
		key, err := node(at.File, v.Key, depth+1)
		if err != nil {
			return Node{}, err
		}
		if i == 0 {
			m.At = key.At // the token of a mapping is its first colon
		}
		if key.Kind != Scalar {
			return Node{}, key.At.Errorf("a key is plain text")
		}
		if before := slices.IndexFunc(m.Pairs, func(p Pair) bool { return p.Key == key.Text }); before >= 0 {
			return Node{}, key.At.Errorf("%q is already given in line %d", key.Text, m.Pairs[before].At.Line)
		}
		value, err := node(at.File, v.Value, depth+1)
		if err != nil {
			return Node{}, err
		}
		if value.Kind == Null || value.Kind == Scalar {
			value.At = key.At
		}
		m.Pairs = append(m.Pairs, Pair{At: key.At, Key: key.Text, Value: value})
	}
	return m, nil
}
