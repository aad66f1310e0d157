package runner

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/phrase"
)

// What of an output stands in a message; the rest is in a file.
const (
	maxLines = 20
	maxRunes = 3000
	// Of what is longer, this much of the beginning and of the end.
	headLines, tailLines = 12, 6
	headRunes, tailRunes = 1800, 900

	maxWhy  = 300
	maxLine = 200
)

// clean makes text storable and at most n characters long.
func clean(text string, n int) string {
	text = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\uFFFD"))
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}

// output makes what a run said storable, and at most n bytes long.
func output(text string, n int) string {
	if len(text) > n {
		text = text[:n]
	}
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\uFFFD")
	return strings.TrimRight(strings.TrimLeft(text, "\r\n"), " \t\r\n")
}

// long reports whether a text is too long for a message.
func long(text string) bool {
	return strings.Count(text, "\n") >= maxLines || utf8.RuneCountInString(text) > maxRunes
}

// shorten is the beginning and the end of a long text, and in between how much
// of it is missing and where all of it is: on the page of job, 0 for none, and,
// kept says, in a file.
func shorten(text string, job int64, kept bool) string {
	if !long(text) {
		return text
	}
	lines := strings.Split(text, "\n")
	head, tail := lines[:len(lines)/2], lines[len(lines)/2:] // of few lines, and long ones
	if len(lines) > headLines+tailLines {
		head, tail = lines[:headLines], lines[len(lines)-tailLines:]
	}
	first, last := firstRunes(strings.Join(head, "\n"), headRunes), lastRunes(strings.Join(tail, "\n"), tailRunes)
	missing := max(1, len(lines)-1-strings.Count(first, "\n")-1-strings.Count(last, "\n"))
	between := phrase.N("runner.more_unkept", missing)
	switch {
	case kept:
		between = phrase.N("runner.more", missing, job)
	case job != 0:
		between = phrase.N("runner.more_page", missing, job)
	}
	if before := text[:len(text)-len(last)]; closed(before) != before { // the end begins inside a block of code
		last = "```\n" + last
	}
	return closed(first) + "\n\n" + between + "\n\n" + closed(last)
}

// closed ends a code block that text begins and does not end.
func closed(text string) string {
	if strings.Count(text, "```")%2 == 1 {
		return text + "\n```"
	}
	return text
}

func firstRunes(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n])
	}
	return text
}

func lastRunes(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[len(r)-n:])
	}
	return text
}

// tick makes a command line fit between two back quotes.
func tick(line string) string {
	return clean(strings.Join(strings.Fields(strings.ReplaceAll(line, "`", "'")), " "), maxLine)
}

// spent is a duration as people say it: "0.4 s", "12 s", "3 m 12 s", "2 h 5 m".
func spent(d time.Duration) string {
	switch d = max(d, 0); {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		if int(d.Seconds())%60 == 0 {
			return fmt.Sprintf("%d m", int(d.Minutes()))
		}
		return fmt.Sprintf("%d m %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d m", int(d.Hours()), int(d.Minutes())%60)
}
