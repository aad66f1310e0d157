package mailbox

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
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

// parse reads a mail as ours are made: text in UTF-8, at most one of each kind.
// What says that it is something else is kept in Raw alone.
func parse(raw []byte) (Message, error) {
	in, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Message{}, fmt.Errorf("parse mail: %w", err)
	}
	msg := Message{
		From:    decoded(in.Header.Get("From")),
		Subject: decoded(in.Header.Get("Subject")),
		Header:  textproto.MIMEHeader(in.Header),
		Raw:     raw,
	}
	if err := msg.read(msg.Header, in.Body, maxDepth); err != nil {
		return Message{}, fmt.Errorf("parse mail: %w", err)
	}
	msg.Links = links(msg.HTML, msg.Text)
	return msg, nil
}

// maxDepth is of parts inside parts.
const maxDepth = 8

// read takes the text out of a part and the parts inside it.
func (m *Message) read(h textproto.MIMEHeader, body io.Reader, depth int) error {
	media, params, err := mime.ParseMediaType(cmp.Or(h.Get("Content-Type"), "text/plain"))
	if err != nil {
		return fmt.Errorf("content type %q: %w", h.Get("Content-Type"), err)
	}
	if strings.HasPrefix(media, "multipart/") {
		if depth == 0 {
			return errors.New("too many parts inside parts")
		}
		parts := multipart.NewReader(body, params["boundary"])
		for {
			part, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := m.read(part.Header, part, depth-1); err != nil {
				return err
			}
		}
	}
	into := map[string]*string{"text/plain": &m.Text, "text/html": &m.HTML}[media]
	if charset := cmp.Or(params["charset"], "utf-8"); into == nil || !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "us-ascii") {
		return nil
	}
	switch strings.ToLower(h.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	*into += strings.ToValidUTF8(string(text), "\uFFFD")
	return nil
}

// decoded is a header's text without RFC 2047's encoded words; what cannot be
// decoded stays as it is.
func decoded(header string) string {
	if text, err := new(mime.WordDecoder).DecodeHeader(header); err == nil {
		return text
	}
	return header
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
