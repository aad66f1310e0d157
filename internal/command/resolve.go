package command

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/phrase"
)

var number17 = regexp.MustCompile(`^#?[0-9]{1,18}$`)

// fits reports whether text can be a value of a, as far as can be seen without
// looking anything up. Every zone reads times in the same way.
func fits(a Arg, text string) bool {
	var err error
	switch a.takes() {
	case Int:
		_, err = strconv.ParseInt(text, 10, 64)
	case Bool:
		_, _, err = readBool(text)
	case Duration:
		_, err = ParseDuration(text)
	case Time:
		_, err = ParseTime(text, time.Unix(0, 0), time.UTC)
	case Enum:
		return slices.ContainsFunc(a.Values, func(v string) bool { return strings.EqualFold(v, text) })
	case Incident:
		parts := strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
		return len(parts) > 0 && !slices.ContainsFunc(parts, func(p string) bool { return !number17.MatchString(p) })
	}
	return err == nil
}

// resolve finds what every argument means.
func (t *Tree) resolve(d Declaration, r *reading, look Lookup, end int) (Parsed, error) {
	p := Parsed{Declaration: d, Options: r.options, Args: map[string]string{}}
	for _, a := range d.Args {
		values := r.values[a.Name]
		if len(values) == 0 {
			switch {
			case a.Required:
				return p, &Error{Code: Missing, Arg: a.Name, Start: end, End: end, Sentence: phrase.T("command.missing", Usage(d), a.called(), about(a))}
			case a.Default == "":
				continue
			}
			values = []said{{text: a.Default, start: end, end: end}}
		}
		if a.takes() == Secret {
			if p.Secrets == nil {
				p.Secrets = map[string]string{}
			}
			p.Secrets[a.Name] = values[0].text
			p.Given = append(p.Given, Given{a.Name, Mask})
			continue
		}
		var all []string
		for _, v := range values {
			value, shown, err := t.value(a, v, look)
			if err != nil {
				return p, err
			}
			if a.Many && slices.Contains(all, value) && a.takes() != String {
				continue // said twice
			}
			all = append(all, value)
			p.Given = append(p.Given, Given{a.Name, shown})
		}
		p.Args[a.Name] = strings.Join(all, "\n")
	}
	return p, nil
}

// about is what an argument is, for the sentence that asks for it.
func about(a Arg) string {
	if a.Summary != "" {
		return a.Summary
	}
	return phrase.T("command.type." + string(a.takes()))
}

// value resolves one value, and says it as people read it.
func (t *Tree) value(a Arg, v said, look Lookup) (value, shown string, wrong error) {
	var err error
	switch a.takes() {
	case String, Rest:
		return t.text(a, v)
	case Int:
		value, err = readInt(a, v.text)
	case Bool:
		value, _, err = readBool(v.text)
	case Duration:
		var d time.Duration
		if d, err = ParseDuration(v.text); err == nil {
			return d.String(), showDuration(d), nil
		}
	case Time:
		var at time.Time
		if at, err = ParseTime(v.text, look.Now(), look.Zone()); err == nil {
			return at.UTC().Format(time.RFC3339), showTime(at, look.Zone()), nil
		}
	case Enum:
		for _, one := range a.Values {
			if strings.EqualFold(one, v.text) {
				return one, one, nil
			}
		}
		return "", "", &Error{
			Code: Invalid, Arg: a.Name, Start: v.start, End: v.end, Candidates: near(v.text, a.Values, 3),
			Sentence: phrase.T("command.enum", a.called(), brief(v.text), strings.Join(a.Values, ", ")),
		}
	default:
		return find(a, v, look)
	}
	if err != nil {
		return "", "", wrongValue(a, v, err)
	}
	return value, value, nil
}

func (t *Tree) text(a Arg, v said) (value, shown string, wrong error) {
	var bad string
	switch re := t.patterns[a.Pattern]; {
	case a.Many && strings.ContainsAny(v.text, "\n"):
		bad = phrase.T("command.one_line", a.called())
	case v.text == "" && a.Many:
		bad = phrase.T("command.empty", a.called())
	case a.Pattern != "" && (re == nil || !re.MatchString(v.text)):
		bad = phrase.T("command.pattern", a.called(), brief(v.text), about(a))
	default:
		return v.text, v.text, nil
	}
	return "", "", &Error{Code: Invalid, Arg: a.Name, Start: v.start, End: v.end, Sentence: bad}
}

func find(a Arg, v said, look Lookup) (value, shown string, wrong error) {
	found := look.Find(a.takes(), v.text)
	if found.OK {
		return found.ID, found.Shown, nil
	}
	e := &Error{Code: NotFound, Arg: a.Name, Start: v.start, End: v.end, Candidates: found.Candidates}
	kind := phrase.T("command.type." + string(a.takes()))
	switch n := len(found.Candidates); {
	case n > 1:
		e.Code = Ambiguous
		e.Sentence = phrase.T("command.ambiguous", a.called(), brief(v.text), strings.Join(found.Candidates, ", "))
	case n == 1:
		e.Sentence = phrase.T("command.not_found.near", a.called(), kind, brief(v.text), found.Candidates[0])
	default:
		e.Sentence = phrase.T("command.not_found", a.called(), kind, brief(v.text))
	}
	return "", "", e
}

func wrongValue(a Arg, v said, err error) error {
	return &Error{Code: Invalid, Arg: a.Name, Start: v.start, End: v.end, Sentence: phrase.T("command.invalid", a.Name, err.Error())}
}

func readInt(a Arg, text string) (string, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return "", errors.New(phrase.T("command.int", brief(text)))
	case a.Min != nil && n < *a.Min:
		return "", errors.New(phrase.T("command.min", n, *a.Min))
	case a.Max != nil && n > *a.Max:
		return "", errors.New(phrase.T("command.max", n, *a.Max))
	}
	return strconv.FormatInt(n, 10), nil
}

// readBool reads what people say for yes and no.
func readBool(text string) (value, shown string, err error) {
	switch strings.ToLower(text) {
	case "true", "yes", "on", "y", "1":
		return "true", "true", nil
	case "false", "no", "off", "n", "0":
		return "false", "false", nil
	}
	return "", "", errors.New(phrase.T("command.bool", brief(text)))
}
