package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Mask stands for a secret.
const Mask = "***"

// minLine is how long a line of a secret with several lines must be to count by
// itself: the lines of a private key do, its brackets do not.
const minLine = 8

// Masker replaces secrets in what a program says. It finds them as they are and as
// they stand in JSON and in addresses; one that was encoded otherwise, reversed or
// said letter by letter passes, and the manual says so.
type Masker struct {
	secrets [][]byte // the longest first
	first   [256]bool
}

// NewMasker returns a Masker of some secrets.
func NewMasker(values []string) *Masker {
	m := &Masker{}
	add := func(v string) {
		if v != "" && !slices.ContainsFunc(m.secrets, func(s []byte) bool { return string(s) == v }) {
			m.secrets = append(m.secrets, []byte(v))
			m.first[v[0]] = true
		}
	}
	for _, v := range values {
		v = strings.TrimSpace(v)
		for _, form := range forms(v) {
			add(form)
		}
		if strings.Contains(v, "\n") {
			for line := range strings.Lines(v) {
				if line = strings.TrimSpace(line); len(line) >= minLine {
					for _, form := range forms(line) {
						add(form)
					}
				}
			}
		}
	}
	slices.SortFunc(m.secrets, func(a, b []byte) int { return len(b) - len(a) })
	return m
}

// forms are a value as it is, inside a string of JSON as common libraries write
// it, and inside an address.
func forms(v string) []string {
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // a string always can be
	inJSON := plain.String()
	inJSON = inJSON[1 : len(inJSON)-2] // between the quotes, without the end of the line
	html := strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`).Replace(inJSON)
	all := []string{v, inJSON, html, strings.ReplaceAll(inJSON, "/", `\/`), ascii(inJSON)}
	for _, bare := range []string{"", "/", "!*'()"} { // what is left as it is differs
		all = append(all, percent(v, "-_.~"+bare))
	}
	return append(all, url.QueryEscape(v))
}

// ascii is what stands in a string of JSON with everything beyond ASCII escaped.
func ascii(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch one, two := utf16.EncodeRune(r); {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case one != utf8.RuneError:
			fmt.Fprintf(&b, `\u%04x\u%04x`, one, two)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// percent is s in an address, with letters, digits and what is bare as they are.
func percent(s, bare string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte(bare, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// Text masks what is known whole.
func (m *Masker) Text(s string) string {
	if len(m.secrets) == 0 {
		return s
	}
	var out strings.Builder
	w := m.Stream(func(p []byte) { out.Write(p) })
	w.Write([]byte(s))
	w.Close()
	return out.String()
}

// Stream masks what arrives in pieces: a secret may begin in one and end in another.
func (m *Masker) Stream(next func([]byte)) *MaskStream { return &MaskStream{m: m, next: next} }

// MaskStream masks what is written to it, and hands it on as soon as it is decided.
type MaskStream struct {
	m       *Masker
	next    func([]byte)
	held    []byte // may be the beginning of a secret
	covered int    // bytes that belong to a secret that was already replaced
}

// Write takes the next piece.
func (s *MaskStream) Write(p []byte) {
	if len(s.m.secrets) == 0 {
		s.next(p)
		return
	}
	s.held = append(s.held, p...)
	s.pass(false)
}

// Close hands on what was held back.
func (s *MaskStream) Close() { s.pass(true) }

// pass hands on what is decided. Secrets that overlap are covered together.
func (s *MaskStream) pass(all bool) {
	out, i := make([]byte, 0, len(s.held)), 0
	for ; i < len(s.held); i++ {
		found, pending := s.m.at(s.held[i:])
		if pending && !all {
			break
		}
		if found > 0 && s.covered == 0 {
			out = append(out, Mask...)
		}
		if s.covered = max(s.covered, found); s.covered > 0 {
			s.covered--
			continue
		}
		out = append(out, s.held[i])
	}
	s.held = append(s.held[:0], s.held[i:]...)
	if len(out) > 0 {
		s.next(out)
	}
}

// at is the length of the longest secret that b begins with, and whether more
// bytes could make it a longer one.
func (m *Masker) at(b []byte) (length int, pending bool) {
	if !m.first[b[0]] {
		return 0, false
	}
	for _, secret := range m.secrets {
		if bytes.HasPrefix(b, secret) {
			return len(secret), pending
		}
		pending = pending || bytes.HasPrefix(secret, b)
	}
	return 0, pending
}
