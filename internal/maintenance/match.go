package maintenance

import "unicode/utf8"

// Match reports whether the whole of value fits pattern, in which * stands for
// any characters and ? for exactly one. It takes time in proportion to the
// product of the lengths at worst, whatever the pattern.
func Match(pattern, value string) bool {
	p, v := 0, 0
	star, retry := -1, 0 // the last * and where in value its rest was tried
	for v < len(value) {
		r, size := utf8.DecodeRuneInString(value[v:])
		if p < len(pattern) {
			q, width := utf8.DecodeRuneInString(pattern[p:])
			switch {
			case q == '*':
				star, retry = p, v
				p++
				continue
			case q == '?', pattern[p:p+width] == value[v:v+size] && q == r:
				p, v = p+width, v+size
				continue
			}
		}
		if star < 0 {
			return false
		}
		_, size = utf8.DecodeRuneInString(value[retry:])
		retry += size // let the last * take one character more
		p, v = star+1, retry
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
