package sms

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The alphabet of 3GPP TS 23.038: a character of basic takes one septet, one of
// extended two. Escape and form feed are left out; nobody means them.
const (
	basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	extended = "^{}\\[~]|€"
)

// Sizes of segments, in septets and UTF-16 units. A segment of several loses
// room to a header; the second limits leave a little for a character that would
// be torn at the seam and moves to the next segment.
const (
	gsmSingle, gsmPart, gsmDouble    = 160, 153, 2*153 - 1
	ucs2Single, ucs2Part, ucs2Double = 70, 67, 2*67 - 1
)

// Segments is how many segments text takes, and whether in the GSM alphabet.
func Segments(text string) (n int, gsm bool) {
	gsm = strings.IndexFunc(text, func(r rune) bool { return septets(r) == 0 }) < 0
	size := writer{gsm: gsm}.size(text)
	single, part := gsmSingle, gsmPart
	if !gsm {
		single, part = ucs2Single, ucs2Part
	}
	if size <= single {
		return 1, gsm
	}
	return (size + part - 1) / part, gsm
}

// septets is 0 for a character that is not in the alphabet.
func septets(r rune) int {
	switch {
	case strings.ContainsRune(basic, r):
		return 1
	case strings.ContainsRune(extended, r):
		return 2
	default:
		return 0
	}
}

// writer knows the alphabet of one message.
type writer struct{ gsm bool }

func (w writer) single() int {
	if w.gsm {
		return gsmSingle
	}
	return ucs2Single
}

func (w writer) double() int {
	if w.gsm {
		return gsmDouble
	}
	return ucs2Double
}

func (w writer) size(s string) int {
	n := 0
	for _, r := range s {
		n += w.width(r)
	}
	return n
}

func (w writer) width(r rune) int {
	if w.gsm {
		return septets(r)
	}
	return utf16.RuneLen(r)
}

// clean makes s one line in the alphabet.
func (w writer) clean(s string) string {
	if w.gsm {
		return fold(s)
	}
	return oneLine(s)
}

// cut shortens s, which is clean, to size, and shows that it did. A word is not
// torn when its beginning is near.
func (w writer) cut(s string, size int) string {
	if w.size(s) <= size {
		return s
	}
	dots := "..."
	if !w.gsm {
		dots = "…"
	}
	room, end, space := size-w.size(dots), 0, 0
	for i, r := range s {
		if room -= w.width(r); room < 0 {
			break
		}
		end = i + utf8.RuneLen(r)
		if r == ' ' {
			space = i
		}
	}
	if end == 0 {
		return ""
	}
	if space > end*3/4 {
		end = space
	}
	if !w.gsm { // do not part a letter from its marks
		for end > 0 {
			next, _ := utf8.DecodeRuneInString(s[end:])
			if !unicode.IsMark(next) && next != '\u200d' {
				break
			}
			_, last := utf8.DecodeLastRuneInString(s[:end])
			end -= last
		}
	}
	return strings.TrimRight(s[:end], " ,;:.-") + dots
}

// oneLine drops controls and what turns text around, and keeps single spaces.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) || r == '\ufeff' || r == '\u00ad' || r == '\u200b' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
}

// readable reports whether fold loses no letter of s.
func readable(s string) bool {
	for _, r := range oneLine(s) {
		if unicode.IsLetter(r) && plain(r) == "" {
			return false
		}
	}
	return true
}

// fold writes s in the GSM alphabet. What has no likeness there is left out.
func fold(s string) string {
	var b strings.Builder
	// Composed first: é is in the alphabet, e with an accent after it is not.
	for _, r := range norm.NFC.String(oneLine(s)) {
		b.WriteString(plain(r))
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// plain is r in the alphabet, "" when there is nothing like it.
func plain(r rune) string {
	if septets(r) > 0 {
		return string(r)
	}
	if like := likeness(r); like != "" {
		return like
	}
	var b strings.Builder
	for _, part := range norm.NFKD.String(string(r)) {
		switch {
		case septets(part) > 0:
			b.WriteRune(part)
		case !unicode.IsMark(part):
			b.WriteString(likeness(part))
		}
	}
	return strings.TrimSpace(b.String())
}

// likeness is for characters that Unicode does not take apart.
func likeness(r rune) string {
	switch r {
	case '‘', '’', '‚', '‛', '′', '`', '´', 'ʼ':
		return "'"
	case '“', '”', '„', '‟', '″', '«', '»':
		return `"`
	case '‹':
		return "<"
	case '›':
		return ">"
	case '‐', '‑', '‒', '–', '—', '―', '−', '·', '•':
		return "-"
	case '…':
		return "..."
	case '→', '⇒', '➜':
		return "->"
	case '←', '⇐':
		return "<-"
	case '×':
		return "x"
	case '÷', '⁄', '∕':
		return "/"
	case '≤':
		return "<="
	case '≥':
		return ">="
	case '≠':
		return "!="
	case '±':
		return "+-"
	case '°':
		return "deg"
	case 'µ', 'μ':
		return "u"
	case 'ł':
		return "l"
	case 'Ł':
		return "L"
	case 'đ', 'ð':
		return "d"
	case 'Đ', 'Ð':
		return "D"
	case 'þ':
		return "th"
	case 'Þ':
		return "Th"
	case 'œ':
		return "oe"
	case 'Œ':
		return "OE"
	case 'ı':
		return "i"
	case 'ħ':
		return "h"
	case 'ŧ':
		return "t"
	case 'ẞ':
		return "SS"
	default:
		return ""
	}
}
