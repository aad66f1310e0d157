package twilio

import (
	"cmp"
	"context"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Voice calls and reads a page aloud.
type Voice struct{ c *Client }

var (
	_ notify.Provider = (*Voice)(nil)
	_ notify.Tracker  = (*Voice)(nil)
)

// The keys of a call, as spoken.
const (
	keyAcknowledge = "4"
	keyResolve     = "6"
)

// Send makes a call. It is accepted when Twilio will dial; Delivered comes when
// somebody, or something, answers.
func (v *Voice) Send(ctx context.Context, p notify.Page) (notify.Receipt, error) {
	if err := check(p); err != nil {
		return notify.Receipt{}, err
	}
	if !v.c.cfg.CanCall() {
		return notify.Receipt{}, &notify.Failure{Config: true, Reason: phrase.T("sms.twilio.fail.no_caller")}
	}
	form := url.Values{
		"To":      {p.To},
		"From":    {v.c.cfg.From},
		"Twiml":   {v.c.script(p)},
		"Timeout": {strconv.Itoa(int(v.c.cfg.RingFor.Seconds()))},
	}
	if v.c.cfg.CallbackURL != "" {
		form.Set("StatusCallback", v.c.cfg.CallbackURL+StatusPath)
		form["StatusCallbackEvent"] = []string{"answered", "completed"}
	}
	made, err := v.c.create(ctx, "Calls", form)
	if err != nil {
		return notify.Receipt{}, err
	}
	return v.c.receipt(made)
}

// Track asks what became of a call.
func (v *Voice) Track(ctx context.Context, remoteID string) (notify.Event, error) {
	return v.c.track(ctx, "Calls", remoteID)
}

// What is read aloud of each, in characters. Longer is not listened to.
const (
	maxScript      = 4000 // bytes of TwiML; Twilio's limit is in characters
	maxSpoken      = 200  // one title
	maxSpokenEach  = 80   // each title of a bundle
	maxSpokenFirst = 3    // titles of a bundle
	maxNotice      = 1200
)

// script is the TwiML of a call. Keys are asked for only where their answer can
// reach us: with a callback address and for a page that can be answered.
func (c *Client) script(p notify.Page) string {
	text, keys, times := spoken(p)
	if c.cfg.CallbackURL == "" || p.Token == "" {
		keys = ""
	}
	for {
		// A moment of silence: the phone is on its way to the ear.
		body := `<Pause length="1"/>`
		if keys == "" {
			body += say(text, times)
		} else {
			body += c.gather(p.Token, keys, text+" "+ask(keys)) + say(phrase.T("sms.voice.bye"), 1)
		}
		if body = "<Response>" + body + "</Response>"; len(body) <= maxScript || text == "" {
			return body
		}
		text = cutSpoken(text, len([]rune(text))*3/4)
	}
}

// spoken is p in words, the keys it can be answered with, and how often it is
// said when nobody can press one.
func spoken(p notify.Page) (text, keys string, times int) {
	switch {
	case p.Notice != nil:
		// A code is written down while listening: digit by digit, twice.
		words := []string{spell(speakable(p.Notice.Subject))}
		for _, line := range p.Notice.Lines {
			words = append(words, spell(speakable(line)))
		}
		text, times = cutSpoken(sentences(words), maxNotice), 2
	case len(p.Incidents) == 1:
		inc := p.Incidents[0]
		severity := cmp.Or(cutSpoken(speakable(inc.Severity), 20), phrase.T("sms.voice.new"))
		text, keys, times = phrase.T("sms.voice.one", severity, inc.Number, sentences([]string{spokenTitle(inc, maxSpoken)})), keyAcknowledge+keyResolve, 3
	default:
		var titles []string
		for i, inc := range p.Incidents {
			if i < maxSpokenFirst {
				titles = append(titles, spokenTitle(inc, maxSpokenEach))
			}
		}
		text, keys, times = phrase.N("sms.voice.many", len(p.Incidents), sentences(titles)), keyAcknowledge, 3
		if more := len(p.Incidents) - len(titles); more > 0 {
			text += " " + phrase.N("sms.voice.more", more)
		}
	}
	if p.Drill {
		text = phrase.T("sms.voice.drill") + " " + text
	}
	return text, keys, times
}

func spokenTitle(inc notify.PageIncident, limit int) string {
	for _, s := range []string{inc.Title, inc.EntityID, inc.Message} {
		if s = cutSpoken(speakable(s), limit); s != "" {
			return s
		}
	}
	return phrase.T("sms.untitled")
}

// sentences puts a stop after each.
func sentences(all []string) string {
	var b strings.Builder
	for _, s := range all {
		if s = strings.TrimRight(s, " .,"); s != "" {
			b.WriteString(s + ". ")
		}
	}
	return strings.TrimSpace(b.String())
}

// speakable makes of an alert's text what a voice can read: no addresses, and
// words where there were separators, db-7.prod as "db 7 prod".
func speakable(s string) string {
	var words []string
	for word := range strings.FieldsSeq(strings.ToValidUTF8(s, " ")) {
		lower := strings.ToLower(word)
		if strings.Contains(word, "://") || strings.HasPrefix(lower, "www.") {
			continue
		}
		words = append(words, word)
	}
	runes := []rune(strings.Join(words, " "))
	digit := func(i int) bool { return i >= 0 && i < len(runes) && runes[i] >= '0' && runes[i] <= '9' }
	var b strings.Builder
	for i, r := range runes {
		last := i+1 == len(runes) || runes[i+1] == ' '
		switch {
		case unicode.IsLetter(r), unicode.IsMark(r), unicode.IsDigit(r), r == '\'' || r == '’':
			b.WriteRune(r)
		case r == '.' && digit(i-1) && digit(i+1): // 93.5
			b.WriteRune(r)
		case strings.ContainsRune(".,;:!?", r) && last: // the end of something
			b.WriteRune(r)
		case r == '%':
			b.WriteString(" " + phrase.T("sms.voice.percent") + " ")
		default:
			b.WriteRune(' ')
		}
	}
	text := strings.Join(strings.Fields(b.String()), " ")
	return strings.TrimLeft(strings.NewReplacer(" .", ".", " ,", ",", " ;", ";", " :", ":", " !", "!", " ?", "?").Replace(text), ".,;:!? ")
}

// spell reads numbers of three digits and more digit by digit, with pauses.
func spell(s string) string {
	var b strings.Builder
	digits := ""
	flush := func() {
		if len(digits) >= 3 {
			digits = strings.Join(strings.Split(digits, ""), ", ")
		}
		b.WriteString(digits)
		digits = ""
	}
	for _, r := range s {
		if r >= '0' && r <= '9' {
			digits += string(r)
			continue
		}
		flush()
		b.WriteRune(r)
	}
	flush()
	return b.String()
}

// cutSpoken ends s after a word. A voice needs no sign that there is more.
func cutSpoken(s string, limit int) string {
	runes := []rune(s)
	if len(runes) <= limit {
		return s
	}
	s = string(runes[:limit])
	if space := strings.LastIndexByte(s, ' '); space > len(s)/2 {
		s = s[:space]
	}
	return strings.TrimSpace(s)
}
