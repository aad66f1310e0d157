// Package sms writes a page as a text message. All providers of text messages
// say the same thing in the same room.
//
// A message about incidents fits one segment of 160 characters of the GSM
// alphabet whenever its letters exist there: typography is spelled with plain
// characters, accents that the alphabet lacks are dropped, symbols are left
// out, titles are cut. Only a text whose letters would be lost (Cyrillic,
// Chinese) is sent as UCS-2. Nothing is ever longer than two segments. What must
// survive comes first in the reckoning: number and how to answer, then the
// title, then the link, which is whole or absent.
//
// Whether an answer by text can come back at all is the provider's knowledge.
package sms

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/phrase"
)

// maxTitles is how many incidents of a bundle are named.
const maxTitles = 3

// Text is p in at most two segments. With reply it says how to answer by text;
// without, the link that acknowledges matters more and may take the second
// segment.
func Text(p notify.Page, reply bool) string {
	w := newWriter(p)
	drill := ""
	if p.Drill {
		drill = phrase.T("sms.drill")
	}
	switch {
	case p.Notice != nil:
		return w.notice(drill, *p.Notice)
	case len(p.Incidents) == 1:
		return w.one(drill, p.Incidents[0], reply)
	default:
		return w.bundle(drill, p.Incidents, reply)
	}
}

// newWriter chooses the alphabet by what the page would lose in the smaller one.
func newWriter(p notify.Page) writer {
	gsm := true
	check := func(texts ...string) {
		for _, s := range texts {
			gsm = gsm && readable(s)
		}
	}
	for i, inc := range p.Incidents {
		if i < maxTitles {
			check(title(inc))
		}
	}
	if p.Notice != nil {
		check(p.Notice.Subject)
		check(p.Notice.Lines...)
	}
	return writer{gsm: gsm}
}

// title is the first that says something.
func title(inc notify.PageIncident) string {
	for _, s := range []string{inc.Title, inc.EntityID, inc.Message} {
		if s = oneLine(s); s != "" && (!readable(s) || fold(s) != "") {
			return s
		}
	}
	return phrase.T("sms.untitled")
}

func (w writer) one(drill string, inc notify.PageIncident, reply bool) string {
	head := drill + fmt.Sprintf("#%d ", inc.Number)
	if severity := w.cut(w.clean(inc.Severity), 10); severity != "" {
		head += severity + ": "
	}
	if !reply {
		return w.withLink(head, w.clean(title(inc)), w.clean(cmp.Or(inc.AckURL, inc.URL)))
	}
	tail := phrase.T("sms.reply.one", inc.Number)
	limit := w.single()
	if !w.gsm {
		limit = w.double() // 70 characters would leave the title nothing
	}
	text := stop(head+w.sentence(title(inc), limit-w.size(head)-w.size(tail)-1)) + tail
	if link := w.clean(inc.URL); link != "" && w.size(text)+1+w.size(link) <= limit {
		text += " " + link
	}
	return text
}

// withLink lets the link take a second segment, if it is whole there.
func (w writer) withLink(head, title, link string) string {
	room := w.single() - w.size(head)
	if link == "" || w.size(head)+w.size(link)+20 > w.double() {
		return head + w.cut(title, room)
	}
	return head + w.cut(title, min(room, w.double()-w.size(head)-w.size(link)-1)) + " " + link
}

// bundle names the first few incidents and says how many there are.
func (w writer) bundle(drill string, all []notify.PageIncident, reply bool) string {
	head := drill + phrase.N("sms.many", len(all))
	tail := ""
	if reply {
		tail = phrase.T("sms.reply.all")
	}
	limit := w.single()
	if !w.gsm {
		limit = w.double()
	}
	for named := min(maxTitles, len(all)); named > 0; named-- {
		more := ""
		if rest := len(all) - named; rest > 0 {
			more = phrase.N("sms.more", rest)
		}
		room := limit - w.size(head) - w.size(more) - w.size(tail) - 3
		if list, ok := w.list(all[:named], room); ok {
			return ended(head+": "+list+more, tail)
		}
	}
	return ended(head, tail)
}

// list shares room among titles; not ok when the shares are too small to say anything.
func (w writer) list(incidents []notify.PageIncident, room int) (string, bool) {
	const least = 10 // characters of a title, or all of it
	var parts []string
	for i, inc := range incidents {
		number := fmt.Sprintf("#%d ", inc.Number)
		separator := 0
		if i > 0 {
			separator = 2
		}
		share := room/(len(incidents)-i) - separator - w.size(number) // the earlier leave what they do not need
		text := w.sentence(title(inc), share)
		if share < least && w.size(text) < w.size(w.clean(title(inc))) {
			return "", false
		}
		parts = append(parts, number+text)
		room -= separator + w.size(number) + w.size(text)
	}
	return strings.Join(parts, "; "), true
}

// notice keeps its link whole and its lines before its subject: a code to type
// stands in the lines.
func (w writer) notice(drill string, n notify.Notice) string {
	subject := drill + w.clean(n.Subject)
	var lines []string
	for _, line := range n.Lines {
		if line = w.clean(line); line != "" {
			lines = append(lines, line)
		}
	}
	body := strings.Join(lines, " ")
	link := w.clean(n.URL)
	if link != "" {
		if w.size(link) > w.double()/2 {
			link = ""
		} else {
			link = " " + link
		}
	}
	room := w.double() - w.size(link)
	text := subject
	if body != "" {
		text = strings.TrimRight(subject, ".: ") + ": " + body
		if w.size(text) > room {
			text = drill + body
		}
	}
	return strings.TrimSpace(w.cut(text, room) + link)
}

// ended puts a stop before tail, if there is one.
func ended(text, tail string) string {
	if tail == "" {
		return text
	}
	return stop(text) + tail
}

// stop ends a sentence that has no end.
func stop(s string) string {
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?") || strings.HasSuffix(s, "…") {
		return s
	}
	return s + "."
}

// sentence is s cut to room, without what may not stand before a full stop.
func (w writer) sentence(s string, room int) string {
	return strings.TrimRight(w.cut(w.clean(s), room), ";: ")
}

// E164 reports whether number is written as providers want it: "+49301234567".
func E164(number string) bool {
	digits, plus := strings.CutPrefix(number, "+")
	return plus && len(digits) >= 7 && len(digits) <= 15 && digits[0] != '0' && strings.Trim(digits, "0123456789") == ""
}
