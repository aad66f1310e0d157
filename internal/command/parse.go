package command

import (
	"strings"

	"github.com/watchroom/watchroom/internal/phrase"
)

// Parse understands a line that is addressed to nobody any more: see Addressed.
// When it begins with no command it may begin with a shortcut: a word that one
// of shortcuts expands, the first first.
//
// The error is an *Unknown or an *Error. With an *Error the command is known:
// Parsed then has the declaration, the secrets found so far, what was expanded,
// and a Masked line that hides all arguments when one of them is a secret.
func (t *Tree) Parse(line string, look Lookup, shortcuts ...map[string]string) (Parsed, error) {
	d, after, unknown := t.command(line)
	expanded := ""
	if unknown != nil {
		if full, ok := expand(line, shortcuts); ok {
			expanded, line = full, full
			d, after, unknown = t.command(full)
		}
	}
	if unknown != nil && unknown.Group == "" {
		if head, _, ok := strings.Cut(line, "|"); ok { // "oncall|wc": what stands before it may be a command
			if known, _, not := t.command(head); not == nil && known.Name() != "" {
				at := len(head)
				return Parsed{Declaration: known, Expanded: expanded, Masked: known.Name() + " " + Mask},
					&Error{Code: NotYet, Start: at, End: at + 1, Sentence: phrase.T("command.not_yet", "|")}
			}
		}
	}
	switch {
	case unknown != nil:
		return Parsed{Expanded: expanded}, unknown
	case len(line) > MaxLine:
		p := Parsed{Declaration: d, Expanded: expanded, Masked: d.Name() + " " + Mask}
		return p, &Error{Code: TooLong, Start: MaxLine, End: len(line), Sentence: phrase.T("command.too_long", MaxLine)}
	}
	given, err := t.read(d, line, after)
	if err != nil {
		return failed(d, line, expanded, given), err
	}
	if given.options.Help {
		return Parsed{Declaration: d, Options: given.options, Expanded: expanded, Canonical: d.Name() + " --help", Masked: d.Name() + " --help"}, nil
	}
	if given.options.BreakGlass && given.options.Reason == "" {
		return failed(d, line, expanded, given), &Error{Code: Missing, Arg: "reason", Start: len(line), End: len(line), Sentence: phrase.T("command.glass_reason")}
	}
	p, err := t.resolve(d, given, look, len(line))
	if err != nil {
		return failed(d, line, expanded, given), err
	}
	p.Expanded = expanded
	p.write()
	return p, nil
}

func failed(d Declaration, line, expanded string, given *reading) Parsed {
	p := Parsed{Declaration: d, Expanded: expanded, Masked: strings.TrimSpace(line)}
	for _, a := range d.Args {
		if a.takes() != Secret {
			continue
		}
		p.Masked = d.Name() + " " + Mask
		for _, v := range given.values[a.Name] {
			if p.Secrets == nil {
				p.Secrets = map[string]string{}
			}
			p.Secrets[a.Name] = v.text
		}
	}
	return p
}

// command finds the longest command that line begins with and where its words end.
func (t *Tree) command(line string) (d Declaration, after int, unknown *Unknown) {
	s := scanner{line: line}
	n := &t.root
	var found *Declaration
	var words []string
	start, end := 0, 0
	for s.more() && len(words) < maxWords {
		tok, err := s.next()
		if len(words) == 0 {
			start, end = tok.start, max(tok.end, tok.start)
		}
		if err != nil || !tok.bare() || tok.sep != 0 || n == nil {
			break
		}
		words = append(words, tok.text)
		end = tok.end
		if n = n.next[strings.ToLower(tok.text)]; n == nil {
			break
		}
		if n.command != nil {
			found, after = n.command, tok.end
		}
	}
	if found != nil {
		return *found, after, nil
	}
	u := &Unknown{Words: strings.Join(words, " "), Start: start, End: end}
	if group := t.group(words); group != "" {
		u.Group = group
		u.Nearest = t.under(group)
		return d, 0, u
	}
	u.Nearest = t.Nearest(line)
	return d, 0, u
}

// expand puts a shortcut's line in the place of its word.
func expand(line string, shortcuts []map[string]string) (string, bool) {
	trimmed := strings.TrimSpace(line)
	word, rest := trimmed, ""
	if i := strings.IndexAny(trimmed, " \t\r\n"); i >= 0 {
		word, rest = trimmed[:i], trimmed[i:]
	}
	for _, of := range shortcuts {
		if full := strings.TrimSpace(of[strings.ToLower(word)]); full != "" {
			return full + rest, true
		}
	}
	return "", false
}
