package command

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/phrase"
)

// Error is the sentence for the one who typed it.
func (u *Unknown) Error() string {
	switch {
	case u.Group != "":
		return phrase.T("command.group", u.Group, strings.Join(u.Nearest, ", "))
	case u.Words == "":
		return phrase.T("command.unknown.nothing")
	case len(u.Nearest) > 0:
		return phrase.T("command.unknown.near", brief(u.Words), strings.Join(u.Nearest, ", "))
	}
	return phrase.T("command.unknown", brief(u.Words))
}

// brief is as much of what was typed as a sentence has room for.
func brief(typed string) string {
	const most = 80
	if utf8.RuneCountInString(typed) <= most {
		return typed
	}
	return string([]rune(typed)[:most]) + "…"
}

// group is the longest beginning of words with which commands begin.
func (t *Tree) group(words []string) string {
	n := &t.root
	var group []string
	for _, w := range words {
		w = strings.ToLower(w)
		if n = n.next[w]; n == nil {
			break
		}
		group = append(group, w)
	}
	return strings.Join(group, " ")
}

// under lists the commands that begin with group.
func (t *Tree) under(group string) []string {
	var names []string
	for _, d := range t.all {
		for _, name := range append([]string{d.Name()}, d.Aliases...) {
			if !d.Hidden && strings.HasPrefix(name, group+" ") {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// Nearest names commands that line may have meant, at most three, best first:
// nearly the same words, or the same verb of a noun that was left out.
func (t *Tree) Nearest(line string) []string {
	typed := strings.Fields(strings.ToLower(line))
	if len(typed) == 0 {
		return nil
	}
	type scored struct {
		name  string
		score int
	}
	var best []scored
	for _, d := range t.all {
		if d.Hidden {
			continue
		}
		one := scored{name: d.Name(), score: 1 << 20}
		for _, name := range append([]string{d.Name()}, d.Aliases...) {
			words := strings.Fields(name)
			head := strings.Join(typed[:min(len(typed), len(words))], " ")
			one.score = min(one.score, distanceWithin(head, name))
			if i := slices.Index(words, typed[0]); i > 0 {
				one.score = min(one.score, i)
			}
		}
		if one.score < 1<<20 {
			best = append(best, one)
		}
	}
	slices.SortStableFunc(best, func(a, b scored) int { return cmp.Compare(a.score, b.score) })
	var names []string
	for _, b := range best[:min(3, len(best))] {
		names = append(names, b.name)
	}
	return names
}

// near picks at most n of names that typed may have meant, best first.
func near(typed string, names []string, n int) []string {
	typed = strings.ToLower(typed)
	type scored struct {
		name  string
		score int
	}
	var best []scored
	for _, name := range names {
		score := distanceWithin(typed, strings.ToLower(name))
		if len(typed) >= 2 && strings.HasPrefix(strings.ToLower(name), typed) {
			score = min(score, 1)
		}
		if score < 1<<20 {
			best = append(best, scored{name, score})
		}
	}
	slices.SortStableFunc(best, func(a, b scored) int { return cmp.Compare(a.score, b.score) })
	var out []string
	for _, b := range best[:min(n, len(best))] {
		out = append(out, b.name)
	}
	return out
}

// distanceWithin is how many letters are to be changed, added, left out or
// swapped to make b of a; a huge number when that is more than a slip.
func distanceWithin(a, b string) int {
	const far = 1 << 20
	x, y := []rune(a), []rune(b)
	slip := max(1, utf8.RuneCountInString(b)/3)
	if len(x) > len(y)+slip || len(y) > len(x)+slip {
		return far
	}
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	if last[len(y)] > slip {
		return far
	}
	return last[len(y)]
}
