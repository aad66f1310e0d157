package chatopsrpc

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/phrase"
)

// Limits of a listing.
const (
	maxListing = 1 << 20 // bytes
	maxMethods = 200
	maxRegex   = 1000 // bytes of an expression
	maxParams  = 40
	maxText    = 2000 // bytes of a help line
)

var (
	slug     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
	pathText = regexp.MustCompile(`^[A-Za-z0-9._~/-]{0,200}$`) // what needs no escape, so that both sides sign the same
)

// Listing is what a service says about itself.
type Listing struct {
	Namespace     string
	Help          string
	ErrorResponse string // shown instead of a failure that cannot be read
}

// Method is one that can be used.
type Method struct {
	Name   string
	Help   string
	Params []string
	Path   string // below the listing; "" is the listing itself
	Regex  string // as the service wrote it

	compiled *regexp.Regexp
	version  string // changes when what it means does
}

// Rejection is a method that cannot be used, and why.
type Rejection struct{ Method, Why string }

// wireListing is the JSON. A wrong method must not spoil the others, so each is
// decoded by itself.
type wireListing struct {
	Namespace     string                     `json:"namespace"`
	Version       json.RawMessage            `json:"version"`
	Help          string                     `json:"help"`
	ErrorResponse string                     `json:"error_response"`
	Methods       map[string]json.RawMessage `json:"methods"`
}

type wireMethod struct {
	Regex  string   `json:"regex"`
	Params []string `json:"params"`
	Path   string   `json:"path"`
	Help   string   `json:"help"`
}

// parseListing reads a listing. An error is about the whole; a method that
// cannot be used is among the rejected.
func parseListing(text []byte) (Listing, []Method, []Rejection, error) {
	var w wireListing
	if err := json.Unmarshal(text, &w); err != nil {
		return Listing{}, nil, nil, errors.New(phrase.T("chatopsrpc.listing.not_json"))
	}
	version := strings.Trim(string(w.Version), `"`)
	switch {
	case !slug.MatchString(w.Namespace):
		return Listing{}, nil, nil, errors.New(phrase.T("chatopsrpc.listing.namespace"))
	case !slices.Contains([]string{"", "null", "2", "3"}, version):
		return Listing{}, nil, nil, errors.New(phrase.T("chatopsrpc.listing.version", limit(version, 40)))
	case w.Methods == nil:
		return Listing{}, nil, nil, errors.New(phrase.T("chatopsrpc.listing.no_methods"))
	}
	var methods []Method
	var rejected []Rejection
	ids := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(w.Methods)) {
		m, err := parseMethod(name, w.Methods[name])
		other, twice := ids[strings.ToLower(name)]
		switch {
		case err == nil && twice:
			err = errors.New(phrase.T("chatopsrpc.method.twice", other))
		case err == nil && len(methods) == maxMethods:
			err = errors.New(phrase.T("chatopsrpc.method.too_many", maxMethods))
		}
		if err != nil {
			if len(rejected) < maxMethods {
				rejected = append(rejected, Rejection{limit(name, 80), err.Error()})
			}
			continue
		}
		ids[strings.ToLower(name)] = name
		methods = append(methods, m)
	}
	return Listing{w.Namespace, limit(w.Help, maxText), limit(w.ErrorResponse, maxText)}, methods, rejected, nil
}

func parseMethod(name string, text json.RawMessage) (Method, error) {
	var w wireMethod
	switch err := json.Unmarshal(text, &w); {
	case !slug.MatchString(name) || !idWord.MatchString(strings.ToLower(name)):
		return Method{}, errors.New(phrase.T("chatopsrpc.method.name"))
	case err != nil:
		return Method{}, errors.New(phrase.T("chatopsrpc.method.not_readable"))
	case w.Regex == "":
		return Method{}, errors.New(phrase.T("chatopsrpc.method.no_regex"))
	case len(w.Regex) > maxRegex:
		return Method{}, errors.New(phrase.T("chatopsrpc.method.long_regex", len(w.Regex), maxRegex))
	case len(w.Params) > maxParams:
		return Method{}, errors.New(phrase.T("chatopsrpc.method.too_many_params", maxParams))
	case !pathText.MatchString(w.Path) || slices.Contains(strings.Split(w.Path, "/"), ".."):
		return Method{}, errors.New(phrase.T("chatopsrpc.method.path", limit(w.Path, 80)))
	}
	compiled, err := compile(w.Regex)
	if err != nil {
		return Method{}, errors.New(phrase.T("chatopsrpc.method.regex", err.Error()))
	}
	m := Method{
		Name: name, Help: limit(w.Help, maxText), Params: w.Params, Path: strings.TrimPrefix(w.Path, "/"), Regex: w.Regex, compiled: compiled,
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", m.Name, m.Path, m.Regex, m.Params))
	m.version = hex.EncodeToString(sum[:])
	return m, nil
}

// compile anchors an expression of the service at both ends and ignores case, as
// the Hubot client does. Ruby writes it; what Go cannot read is an error that
// says what it is.
func compile(source string) (*regexp.Regexp, error) {
	body := strings.TrimPrefix(source, "^")
	if strings.HasSuffix(body, "$") {
		slashes := 0
		for strings.HasSuffix(body[:len(body)-1-slashes], `\`) {
			slashes++
		}
		if slashes%2 == 0 {
			body = body[:len(body)-1]
		}
	}
	re, err := regexp.Compile(`(?i)\A(?:` + body + `)\z`)
	if err != nil {
		if what, ok := unsupported(body); ok {
			return nil, errors.New(phrase.T("chatopsrpc.regex.unsupported", what))
		}
		return nil, errors.New(strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}

// unsupported finds what Ruby has and Go has not, for a sentence that helps.
func unsupported(body string) (string, bool) {
	for _, u := range []struct{ sign, phrase string }{
		{"(?<=", "chatopsrpc.regex.look_behind"}, {"(?<!", "chatopsrpc.regex.look_behind"}, {"(?=", "chatopsrpc.regex.look_ahead"}, {"(?!", "chatopsrpc.regex.look_ahead"},
		{`\k<`, "chatopsrpc.regex.reference"}, {`\1`, "chatopsrpc.regex.reference"}, {`\2`, "chatopsrpc.regex.reference"}, {`\h`, "chatopsrpc.regex.hex"}, {`(?>`, "chatopsrpc.regex.atomic"},
	} {
		if strings.Contains(body, u.sign) {
			return phrase.T(u.phrase), true
		}
	}
	return "", false
}

// limit cuts what somebody else wrote.
func limit(s string, n int) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\ufffd")
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// summary is one line about a method.
func (m Method) summary() string {
	text, _, _ := strings.Cut(strings.TrimSpace(m.Help), "\n")
	return limit(cmp.Or(strings.TrimSpace(text), m.Name), 180)
}
