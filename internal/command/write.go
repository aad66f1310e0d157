package command

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// safe are values that need no quotes.
var safe = regexp.MustCompile(`^[\p{L}\p{N}@#_.,+%=:/*-]+$`)

// write makes the canonical line and the one with its secrets masked.
func (p *Parsed) write() {
	p.Canonical = p.line(func(name, value string) string {
		if secret, ok := p.Secrets[name]; ok {
			return secret
		}
		return value
	})
	p.Masked = MaskIn(p.line(func(_, value string) string { return MaskIn(value, p.Secrets) }), p.Secrets)
}

// minSecret is how long, in characters, a secret is that is also looked for
// where nobody declared one. Shorter ones are in every other word.
const minSecret = 4

// MaskIn puts Mask in the place of every secret that occurs in text, such as
// the message that the line was typed in.
func MaskIn(text string, secrets map[string]string) string {
	all := make([]string, 0, len(secrets))
	for _, s := range secrets {
		if utf8.RuneCountInString(s) >= minSecret {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b string) int { // one may be a part of another
		return cmp.Or(len(b)-len(a), strings.Compare(a, b))
	})
	for _, s := range all {
		text = strings.ReplaceAll(text, s, Mask)
	}
	return text
}

// line writes everything out: arguments by position as long as none before them
// is missing, then the others by name, then the rest of the line.
func (p *Parsed) line(say func(name, value string) string) string {
	parts := []string{p.Declaration.Name()}
	rest, gap := "", false
	for _, a := range p.Declaration.Args {
		var values []string
		for _, g := range p.Given {
			if g.Name == a.Name {
				values = append(values, say(a.Name, g.Value))
			}
		}
		if len(values) == 0 {
			gap = gap || !a.Option
			continue
		}
		switch {
		case a.Option || gap || a.takes() == Rest && !p.asItIs(values[0]):
			for _, v := range values {
				parts = append(parts, a.byName(v))
			}
		case a.takes() == Rest:
			rest = values[0]
		default:
			for _, v := range values {
				parts = append(parts, quoteValue(v))
			}
		}
	}
	parts = append(parts, p.Options.line(say)...)
	if rest != "" {
		parts = append(parts, rest)
	}
	return strings.Join(parts, " ")
}

func (a Arg) byName(value string) string {
	switch {
	case a.takes() != Bool:
		return "--" + a.Name + "=" + quoteValue(value)
	case value == "true":
		return "--" + a.Name
	}
	return "--no-" + a.Name
}

func (o Options) line(say func(name, value string) string) []string {
	var parts []string
	if o.DryRun {
		parts = append(parts, "--dry-run")
	}
	if o.Private {
		parts = append(parts, "--private")
	}
	if o.BreakGlass {
		parts = append(parts, "--break-glass")
	}
	if o.JSON {
		parts = append(parts, "--json")
	}
	if o.Thread != nil {
		if *o.Thread {
			parts = append(parts, "--thread")
		} else {
			parts = append(parts, "--no-thread")
		}
	}
	if o.Timeout > 0 {
		parts = append(parts, "--timeout="+showDuration(o.Timeout))
	}
	if o.Reason != "" {
		parts = append(parts, "--reason="+quoteValue(say("", o.Reason)))
	}
	return parts
}

// asItIs reports whether text is read back as it is when it stands at the end
// of a line.
func (p *Parsed) asItIs(text string) bool {
	if text == "" || strings.TrimRight(text, " \t\r\n") != text || isSpace(text[0]) || text[0] == '|' || strings.HasPrefix(text, "--") {
		return false
	}
	if p.Declaration.tail(text) != len(text) {
		return false
	}
	s := scanner{line: text}
	tok, err := s.next()
	if err != nil || tok.sep != ':' {
		return true // also an open quote: then it is taken as it is
	}
	r := reading{d: p.Declaration}
	return !r.has(tok.lead)
}
