package ical

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/id"
)

// Person is somebody a shift may belong to.
type Person struct {
	ID       id.User
	Name     string
	Email    string
	Username string
}

// Match says whose shift o is. The first of these that fits anybody decides:
// the address of an attendee; the summary being a name, a user name or an
// address; an address, a name, or a user name as words of the summary; the
// address of the organizer, which is last because many calendars name there
// whoever keeps the calendar. Case does not matter. Where two people fit equally
// well the shift is nobody's: guessing would page the wrong one.
func Match(o Occurrence, users []Person) (Person, bool) {
	var ways []func(Person) int
	for _, a := range o.Attendees {
		ways = append(ways, func(p Person) int { return same(p.Email, a) })
	}
	s := fold(o.Summary)
	ways = append(ways,
		func(p Person) int { return max(same(p.Name, s), same(p.Username, s), same(p.Email, s)) },
		func(p Person) int { return words(s, p.Email) },
		func(p Person) int { return words(s, p.Name) },
		func(p Person) int { return words(s, p.Username) },
		func(p Person) int { return same(p.Email, o.Organizer) },
	)
	for _, fit := range ways {
		if best := fittest(users, fit); len(best) > 0 {
			return best[0], len(best) == 1
		}
	}
	return Person{}, false
}

// fittest returns those whom fit rates highest. It is 0 for not at all; of "Kim"
// and "Kim Lee" in the same summary the longer fits better.
func fittest(users []Person, fit func(Person) int) []Person {
	var best []Person
	most := 1
	for _, p := range users {
		n := fit(p)
		if n > most {
			best, most = nil, n
		}
		if n == most {
			best = append(best, p)
		}
	}
	return best
}

func same(a, b string) int {
	if a = fold(a); a == "" || a != fold(b) {
		return 0
	}
	return len(a)
}

// words returns the length of what if it stands in s as whole words.
func words(s, what string) int {
	if what = fold(what); what == "" {
		return 0
	}
	for begin := 0; begin < len(s); {
		i := strings.Index(s[begin:], what)
		if i < 0 {
			return 0
		}
		i += begin
		if !joinsBefore(s[:i]) && !joinsAfter(s[i+len(what):]) {
			return len(what)
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		begin = i + size
	}
	return 0
}

// Marks that make one word of what stands on both sides: kim.lee, kim@example.org.
const joints = ".-_@+'"

func joinsBefore(s string) bool {
	r, size := utf8.DecodeLastRuneInString(s)
	if strings.ContainsRune(joints, r) {
		r, _ = utf8.DecodeLastRuneInString(s[:len(s)-size])
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

func joinsAfter(s string) bool {
	r, size := utf8.DecodeRuneInString(s)
	if strings.ContainsRune(joints, r) {
		r, _ = utf8.DecodeRuneInString(s[size:])
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
