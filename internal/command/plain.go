package command

import (
	"regexp"
	"strings"
	"sync"
)

// question is a way to ask for a command in plain words. In line $1 and so on
// are what was said, made a value. The patterns are made when somebody first
// talks to the bot, for they are large.
type question struct {
	asks func() *regexp.Regexp
	line string
}

// subject is what can be asked about: a name of one or some words.
const subject = `(@{0,2}[\p{L}\p{N}][\p{L}\p{N}._-]*(?: [\p{L}\p{N}._-]+){0,3}?)`

// numbers are one or more incidents.
const numbers = `((?:incidents? )?#?\d+(?:(?:,| and|, and)? #?\d+)*)`

// questions is the whole of our small talk. The line says nothing that the
// person did not: what to do with it is decided as if they had typed it.
var questions = []question{
	ask(`(?:who is|whos|who's|is (?:any|some)(?:one|body)) on[- ]?call(?: now| right now| today| at the moment)?`, "oncall"),
	ask(`(?:who is|whos|who's|is (?:any|some)(?:one|body)) on[- ]?call(?: now| right now)? (?:for|in|at|of|with) (?:the )?`+subject+`(?: team)?(?: now| right now)?`, "oncall $1"),
	ask(`who (?:has|holds|carries) the (?:pager|phone)(?: (?:for|of|in) (?:the )?`+subject+`)?(?: now| right now)?`, "oncall $1"),
	ask(`who am i`, "whoami"),
	ask(`(?:ack|acknowledge) `+numbers, "ack $1"),
	ask(`(?:i|i'll|i will) (?:take|have|look at|am on) `+numbers, "ack $1"),
	ask(`(?:resolve|close) `+numbers, "resolve $1"),
	ask(numbers+` (?:is|are) (?:resolved|fixed|done|solved)`, "resolve $1"),
	ask(`snooze (?:incident )?(#?\d+) for ([\p{L}\p{N}]+(?: [\p{L}]+)?)`, "snooze $1 $2"),
	ask(`page (@?[\p{L}\p{N}][\p{L}\p{N}._-]*)`, "page $1"),
	ask(`(?:what is|what's|whats|which incidents are|is anything|are there any) (?:open|broken|burning|wrong|going on|up|on fire)(?: now| right now)?`, "incident list"),
	ask(`(?:what are the |show (?:me )?(?:the )?|list (?:the )?|any |are there any )?open incidents`, "incident list"),
	ask(`(?:what is|what's|what|who is) (?:waiting|waits) for (?:my |an )?approval`, "pending"),
	ask(`what (?:do i have|is there) to approve`, "pending"),
	ask(`what can (?:you|i) (?:do|say|ask|type)(?: here)?`, "help"),
	ask(`help me`, "help"),
	ask(`(?:help me with|how (?:do|can) i|how does|what does|tell me about|explain) (?:the command )?`+subject+`(?: work| do| mean)?`, "help $1"),
}

func ask(pattern, line string) question {
	return question{asks: sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }), line: line}
}

var (
	politeBefore = regexp.MustCompile(`^(?:(?:please|hey|hi|hello|ok|okay|so|and|can you|could you|would you)[, ]+)+`)
	politeAfter  = regexp.MustCompile(`(?:[, ]+(?:please|pls|thanks|thank you|thx))+$`)
	onlyNumbers  = regexp.MustCompile(`^` + numbers + `$`)
	notDigits    = regexp.MustCompile(`[^0-9]+`)
)

// maxQuestion is how long, in bytes, a plain question is. Longer ones are talk.
const maxQuestion = 200

// Plain turns a plain question or request into the line that says the same, if
// it is one of a few and the tree has the command. It is for lines in which the
// bot was spoken to (How.Asked), before they are parsed.
func (t *Tree) Plain(line string) (string, bool) {
	if len(line) > maxQuestion || strings.ContainsAny(line, "\n`\"") {
		return "", false
	}
	typed := strings.ToLower(strings.Join(strings.Fields(line), " "))
	said := strings.TrimRight(typed, "?!. ")
	said = politeAfter.ReplaceAllString(said, "")
	said = politeBefore.ReplaceAllString(strings.TrimRight(said, "?!., "), "")
	for _, q := range questions {
		m := q.asks().FindStringSubmatch(said)
		if m == nil {
			continue
		}
		name, args, _ := strings.Cut(q.line, " $")
		if _, ok := t.Named(name); !ok {
			continue
		}
		if args != "" {
			for _, group := range m[1:] {
				switch {
				case group == "":
				case q.line == "help $1": // takes any words
					name += " " + group
				default:
					name += " " + plainValue(group)
				}
			}
		}
		return name, name != typed
	}
	return "", false
}

// plainValue is what was said, as one value; of several incidents their numbers.
func plainValue(said string) string {
	if onlyNumbers.MatchString(said) {
		return strings.TrimSpace(notDigits.ReplaceAllString(said, " "))
	}
	return quoteValue(said)
}
