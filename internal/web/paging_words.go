package web

import (
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// summary is a rule in one plain sentence; "" while it makes no sense.
func (rule ruleDraft) summary(u people.User) string {
	rule.Name = "x" // the sentence does not say it
	p, errs := pagingDraft{Rules: []ruleDraft{rule}}.policy()
	if len(errs) > 0 {
		return ""
	}
	r := p.Rules[0]
	parts := make([]string, 0, len(r.Steps)+1)
	var at time.Duration
	for _, s := range r.Steps {
		at += s.After.D()
		parts = append(parts, strings.Join(stepMethods(u, s), " + ")+" "+sinceStart(at))
	}
	what := phrase.T("paging_web.urgency." + anyOr(r.Urgency))
	if len(r.When) > 0 {
		what += ", " + windowsWords(r.When)
	}
	switch {
	case r.Wait.At != "" && len(r.Wait.Days) > 0:
		what += ", " + phrase.T("paging_web.summary.wait.days", r.Wait.At, daysWords(r.Wait.Days))
	case r.Wait.At != "":
		what += ", " + phrase.T("paging_web.summary.wait", r.Wait.At)
	}
	sentence := phrase.T("paging_web.summary", what, strings.Join(parts, "; "))
	if r.Again > 0 {
		sentence = phrase.T("paging_web.summary.again", what, strings.Join(parts, "; "), spoken(r.Again.D()))
	}
	return sentence
}

func anyOr(u people.Urgency) string {
	if u == "" {
		return "any"
	}
	return string(u)
}

// stepMethods are the methods of a step in words, each once.
func stepMethods(u people.User, s people.PagingStep) []string {
	var all []string
	add := func(words string) {
		if !slices.Contains(all, words) {
			all = append(all, words)
		}
	}
	for _, c := range s.Contacts {
		add(contactWords(u, c))
	}
	for _, m := range s.Methods {
		add(m.Words())
	}
	return all
}

func contactWords(u people.User, c id.Contact) string {
	i := slices.IndexFunc(u.Contacts, func(have people.Contact) bool { return have.ID == c })
	if i < 0 {
		return phrase.T("paging.former")
	}
	return u.Contacts[i].Method.Words()
}

// windowsWords are times of the week in words: "Mon–Fri 09:00–17:00, Sat".
func windowsWords(all []people.PagingWindow) string {
	words := make([]string, len(all))
	for i, w := range all {
		var parts []string
		if len(w.Days) > 0 {
			parts = append(parts, daysWords(w.Days))
		}
		if w.From != "" || w.To != "" {
			parts = append(parts, w.From+"–"+w.To)
		}
		if len(parts) == 0 {
			parts = append(parts, phrase.T("escalation.hours.always"))
		}
		words[i] = strings.Join(parts, " ")
	}
	return strings.Join(words, ", ")
}

// daysWords joins days that follow one another: "Mon–Fri", "Sat, Sun".
func daysWords(days []people.Day) string {
	var words []string
	week := weekdays()
	for i := 0; i < len(week); i++ {
		if !slices.Contains(days, week[i]) {
			continue
		}
		from := i
		for i+1 < len(week) && slices.Contains(days, week[i+1]) {
			i++
		}
		first, last := phrase.T("escalation.day."+string(week[from])), phrase.T("escalation.day."+string(week[i]))
		switch i - from {
		case 0:
			words = append(words, first)
		case 1:
			words = append(words, first, last)
		default:
			words = append(words, first+"–"+last)
		}
	}
	return strings.Join(words, ", ")
}

// sinceStart says how long after the page something happens.
func sinceStart(d time.Duration) string {
	if d == 0 {
		return phrase.T("paging_web.at_once")
	}
	return phrase.T("paging_web.after_span", spoken(d))
}

// spoken is a duration as people say it: "2 minutes", "1h30m".
func spoken(d time.Duration) string {
	switch {
	case d >= time.Hour && d%time.Hour == 0:
		return phrase.N("paging_web.hours", int(d/time.Hour))
	case d >= time.Minute && d < time.Hour && d%time.Minute == 0:
		return phrase.N("paging_web.minutes", int(d/time.Minute))
	case d < time.Minute && d%time.Second == 0:
		return phrase.N("paging_web.seconds", int(d/time.Second))
	}
	return people.Duration(d).String()
}
