package mailbox

import (
	"bytes"
	"fmt"
	"html"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jhillyerd/enmime/v2"
)

// Message is a mail as a reader sees it.
type Message struct {
	ID         int // 1, 2, 3 … in the order of arrival
	ReceivedAt time.Time
	Sender     string   // the envelope's, from MAIL FROM
	To         []string // the envelope's, from RCPT TO
	From       string   // the header's, decoded
	Subject    string   // decoded
	Text, HTML string   // the two alternatives, decoded
	Header     textproto.MIMEHeader
	Links      []string // web addresses in HTML, then those only in Text; each once
	Raw        []byte   // as it came over the wire
}

// IsTo says whether addr was a recipient.
func (m Message) IsTo(addr string) bool {
	return slices.ContainsFunc(m.To, func(to string) bool { return strings.EqualFold(to, addr) })
}

// Link returns the first link that contains part, or "".
func (m Message) Link(part string) string {
	for _, link := range m.Links {
		if strings.Contains(link, part) {
			return link
		}
	}
	return ""
}

func parse(raw []byte) (Message, error) {
	// The strict server knows the character set from the header; guessing it
	// would cost more than all the rest of receiving a mail.
	parser := enmime.NewParser(enmime.DisableCharacterDetection(true))
	env, err := parser.ReadEnvelope(bytes.NewReader(raw))
	if err != nil {
		return Message{}, fmt.Errorf("parse mail: %w", err)
	}
	for _, e := range env.Errors {
		if e.Severe {
			return Message{}, fmt.Errorf("parse mail: %s: %s", e.Name, e.Detail)
		}
	}
	msg := Message{
		From:    env.GetHeader("From"),
		Subject: env.GetHeader("Subject"),
		Text:    env.Text,
		HTML:    env.HTML,
		Header:  env.Root.Header,
		Raw:     raw,
	}
	msg.Links = links(msg.HTML, msg.Text)
	return msg, nil
}

// Compiled once, never changed.
var (
	href    = regexp.MustCompile(`href="(https?://[^"]+)"`)
	address = regexp.MustCompile(`https?://[^\s<>"]+`)
)

func links(inHTML, inText string) []string {
	var found []string
	add := func(link string) {
		if !slices.Contains(found, link) {
			found = append(found, link)
		}
	}
	for _, m := range href.FindAllStringSubmatch(inHTML, -1) {
		add(html.UnescapeString(m[1]))
	}
	for _, link := range address.FindAllString(inText, -1) {
		add(strings.TrimRight(link, ".,;:!?)"))
	}
	return found
}

func userinfo(user, password string) string { return url.UserPassword(user, password).String() }
