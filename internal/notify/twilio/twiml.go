package twilio

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"

	"github.com/watchroom/watchroom/internal/phrase"
)

// ContentType is for every answer made here.
const ContentType = "text/xml; charset=utf-8"

// declaration begins every document.
const declaration = `<?xml version="1.0" encoding="UTF-8"?>`

// TwiMLMessage answers a text message with text; "" answers nothing.
func TwiMLMessage(text string) string {
	if text == "" {
		return declaration + "<Response/>"
	}
	return declaration + "<Response><Message>" + escape(text) + "</Message></Response>"
}

// TwiMLSay answers a key with text, spoken once, and hangs up.
func TwiMLSay(text string) string {
	return declaration + "<Response>" + say(text, 1) + "<Hangup/></Response>"
}

// TwiMLAsk answers a wrong key: r is the request that ParseKey read. It says
// which keys there are and waits for one.
func (c *Client) TwiMLAsk(r *http.Request) string {
	query := r.URL.Query()
	keys := query.Get("k")
	if keys == "" || query.Get("t") == "" {
		return TwiMLSay(phrase.T("sms.voice.bye"))
	}
	text := phrase.T("sms.voice.wrong") + " " + ask(keys)
	return declaration + "<Response>" + c.gather(query.Get("t"), keys, text) + say(phrase.T("sms.voice.bye"), 1) + "</Response>"
}

// ask names keys.
func ask(keys string) string {
	if strings.Contains(keys, keyResolve) {
		return phrase.T("sms.voice.keys.one")
	}
	return phrase.T("sms.voice.keys.many")
}

// gather says text three times and takes a key meanwhile and some time after.
// Which keys are offered goes with the address: it is under the signature.
func (c *Client) gather(token, keys, text string) string {
	action := c.cfg.CallbackURL + VoicePath + "?" + url.Values{"t": {token}, "k": {keys}}.Encode()
	return `<Gather input="dtmf" numDigits="1" timeout="10" method="POST" action="` + escape(action) + `">` + say(text, 3) + "</Gather>"
}

func say(text string, times int) string {
	loop := ""
	if times > 1 {
		loop = ` loop="` + string(rune('0'+times)) + `"`
	}
	return `<Say language="en-US"` + loop + ">" + escape(text) + "</Say>"
}

// escape is for text and attributes; what XML cannot hold is left out.
func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == '\ufffe' || r == '\uffff' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder never fails
	return b.String()
}
