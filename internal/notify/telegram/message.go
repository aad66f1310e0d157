package telegram

import (
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/push"
	"github.com/watchroom/watchroom/internal/phrase"
)

// What a message may hold, in UTF-16 units, the way Telegram counts. Telegram
// counts without markup; we count with it, and leave room for the lines that
// say who answered.
const (
	maxText     = 4096
	maxComposed = 3800
	maxData     = 64 // bytes of callback_data
)

// outgoing is the body of sendMessage.
type outgoing struct {
	ChatID      int64     `json:"chat_id"`
	Text        string    `json:"text"`
	ParseMode   string    `json:"parse_mode,omitempty"`
	Preview     preview   `json:"link_preview_options"`
	ReplyMarkup *keyboard `json:"reply_markup,omitempty"`

	linkText string // what to add to Text when the buttons may have no links
}

// preview switches off the fetching of links, which would open pages of ours.
type preview struct {
	Disabled bool `json:"is_disabled"`
}

type keyboard struct {
	Rows [][]button `json:"inline_keyboard"`
}

type button struct {
	Text string `json:"text"`
	Data string `json:"callback_data,omitempty"`
	URL  string `json:"url,omitempty"`
}

func (c *Client) compose(p notify.Page) (outgoing, error) {
	w, err := push.New(p, c.cfg.HomeURL)
	if err != nil {
		return outgoing{}, err
	}
	head := "<b>" + escape(w.Subject) + "</b>"
	body := w.Body(push.Markup{Limit: maxComposed - units(head) - 1, Size: units, Escape: escape, Item: itemLine})
	m := outgoing{Text: head, ParseMode: "HTML", Preview: preview{true}, ReplyMarkup: buttons(p, w)}
	if body != "" {
		m.Text += "\n" + body
	}
	if w.Link != "" && units(m.Text)+units(w.Link) < maxComposed {
		m.linkText = "\n" + escape(w.LinkLabel+": "+w.Link)
	}
	return m, nil
}

// buttons are answers in the first row and a link in the second.
func buttons(p notify.Page, w push.Words) *keyboard {
	var k keyboard
	var answers []button
	if p.Token != "" && len(p.Incidents) > 0 {
		ack, resolve := phrase.T("notify.ack"), phrase.T("notify.resolve")
		if len(p.Incidents) > 1 {
			ack, resolve = phrase.T("notify.ack.all"), phrase.T("notify.resolve.all")
		}
		for _, b := range []button{
			{Text: ack, Data: dataFor(notify.Acknowledge, p.Token)},
			{Text: resolve, Data: dataFor(notify.Resolve, p.Token)},
		} {
			if len(b.Data) <= maxData { // a longer one would refuse the page
				answers = append(answers, b)
			}
		}
	}
	if len(answers) > 0 {
		k.Rows = append(k.Rows, answers)
	}
	if w.Link != "" {
		k.Rows = append(k.Rows, []button{{Text: w.LinkLabel, URL: w.Link}})
	}
	if len(k.Rows) == 0 {
		return nil
	}
	return &k
}

func itemLine(i push.Item) string {
	if i.URL == "" {
		return escape(i.Text)
	}
	return `<a href="` + strings.ReplaceAll(escape(i.URL), `"`, "&quot;") + `">` + escape(i.Text) + "</a>"
}

// escape writes the three characters that mean something in Telegram's HTML.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

func units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

func (k *keyboard) hasLinks() bool {
	return k != nil && slices.ContainsFunc(k.Rows, func(row []button) bool {
		return slices.ContainsFunc(row, func(b button) bool { return b.URL != "" })
	})
}

func (k *keyboard) withoutLinks() *keyboard {
	return k.without(func(b button) bool { return b.URL != "" })
}

// without returns a copy that lacks some buttons; nil when none is left.
func (k *keyboard) without(drop func(button) bool) *keyboard {
	if k == nil {
		return nil
	}
	var left keyboard
	for _, row := range k.Rows {
		if row = slices.DeleteFunc(slices.Clone(row), drop); len(row) > 0 {
			left.Rows = append(left.Rows, row)
		}
	}
	if len(left.Rows) == 0 {
		return nil
	}
	return &left
}

// dataFor is what a button carries: a letter for the action, and the page's token.
func dataFor(action notify.Action, token string) string {
	if action == notify.Resolve {
		return "r:" + token
	}
	return "a:" + token
}

// parseData reads what dataFor wrote. A client can send any data, so it is
// checked as if it came from a stranger.
func parseData(data string) (action notify.Action, token string, ok bool) {
	kind, token, _ := strings.Cut(data, ":")
	switch kind {
	case "a":
		action = notify.Acknowledge
	case "r":
		action = notify.Resolve
	default:
		return "", "", false
	}
	return action, token, len(data) <= maxData && isCode(token)
}

// isCode says whether s is made of what tokens and link codes are made of.
func isCode(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return ('a' > r || r > 'z') && ('A' > r || r > 'Z') && ('0' > r || r > '9') && r != '-' && r != '_'
	})
}
