package people

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/watchroom/watchroom/internal/phrase"
)

// ReservedNames are what mentions and addresses mean without any person.
// Nobody is called so: they could not be mentioned, and a line of theirs would
// read as somebody else's.
var ReservedNames = []string{"here", "oncall", "all", "channel", "everyone", "everybody", "team", "teams", "bot"}

// Blank reports whether nothing of text can be seen.
func Blank(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsSpace(r) && !invisible(r) })
}

// invisible are signs that show nothing by themselves, beside white space.
func invisible(r rune) bool {
	switch r {
	case '\u034F', '\u115F', '\u1160', '\u17B4', '\u17B5', '\u2800', '\u3164', '\uFFA0':
		return true
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// Look is what a name looks like to a hurried reader: two people whose names
// have the same look cannot be told apart in a timeline. Case, width, spaces,
// signs and what is invisible do not count, and letters of other alphabets
// count as the Latin ones whose shape they have.
func Look(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(norm.NFKD.String(name))) {
		if same, ok := lookalikes[r]; ok {
			r = same
		}
		if !invisible(r) && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)) {
			b.WriteRune(r)
		}
	}
	if b.Len() == 0 { // a name of signs alone
		return strings.TrimSpace(norm.NFKD.String(name))
	}
	return norm.NFKD.String(b.String()) // what stood between two marks may be gone
}

// lookalikes are the letters that are mistaken for others most easily. The
// list of Unicode (UTS 39) has thousands; these are on keyboards.
var lookalikes = map[rune]rune{
	'а': 'a', 'в': 'b', 'е': 'e', 'к': 'k', 'м': 'm', 'н': 'h', 'о': 'o', 'р': 'p', 'с': 'c', 'т': 't', 'у': 'y', 'х': 'x',
	'і': 'i', 'ј': 'j', 'ѕ': 's', 'ԁ': 'd', 'һ': 'h', 'ӏ': 'l', 'ԛ': 'q', 'ԝ': 'w',
	'α': 'a', 'β': 'b', 'ε': 'e', 'ι': 'i', 'κ': 'k', 'ν': 'v', 'ο': 'o', 'ρ': 'p', 'τ': 't', 'υ': 'u', 'χ': 'x', 'η': 'n', 'ϲ': 'c',
	'ı': 'i', '1': 'l', '|': 'l', '0': 'o',
}

// wrongSigns reports whether a name has signs that turn its line round or break it.
func wrongSigns(name string) bool {
	return strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) })
}

// WrongName is a sentence about what is wrong with a new name by itself, or "".
func WrongName(name string) string {
	switch {
	case Blank(name):
		return phrase.T("people.name.blank")
	case wrongSigns(name):
		return phrase.T("people.name.signs")
	}
	return ""
}
