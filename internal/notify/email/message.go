package email

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	stdmail "net/mail"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/phrase"
)

// outgoing is a mail ready for the wire.
type outgoing struct {
	id       string // Message-ID with its angle brackets
	from, to string // the envelope
	data     []byte
}

// compose writes p as a mail. Everything in it but Date depends on p and the
// settings alone.
func (s *Sender) compose(p notify.Page) (outgoing, error) {
	to, err := recipient(p)
	if err != nil {
		return outgoing{}, err
	}
	if p.Notice == nil && len(p.Incidents) == 0 {
		return outgoing{}, &notify.Failure{Permanent: true, Reason: phrase.T("mail.fail.empty")}
	}
	body, err := s.render.page(p)
	if err != nil {
		return outgoing{}, fmt.Errorf("render page %s: %w", p.Key, err)
	}
	m := outgoing{id: messageID("page", p.Key, s.domain), from: s.from.Address, to: to.Address}

	msg := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithBoundary("watchroom-"+digest("boundary", p.Key)))
	msg.FromMailAddress(s.from)
	msg.ToMailAddress(to)
	msg.Subject(body.Subject)
	msg.SetDateWithValue(s.cfg.Now().UTC())
	msg.SetGenHeader(mail.HeaderMessageID, m.id)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	if key, ok := thread(p); ok {
		// The first mail of an incident differs from person to person, so all of
		// them answer to a mail that never was; mail programs thread by that.
		root := messageID("incident", key, s.domain)
		msg.SetGenHeader(mail.HeaderInReplyTo, root)
		msg.SetGenHeader(mail.HeaderReferences, root)
	}
	msg.SetBodyString(mail.TypeTextPlain, body.Text)
	msg.AddAlternativeString(mail.TypeTextHTML, body.HTML)

	var buf bytes.Buffer
	if _, err := msg.WriteTo(&buf); err != nil {
		return outgoing{}, fmt.Errorf("write mail %s: %w", m.id, err)
	}
	m.data = buf.Bytes()
	return m, nil
}

// recipient parses the address of the contact method; a wrong one stays wrong.
func recipient(p notify.Page) (*stdmail.Address, error) {
	to, err := stdmail.ParseAddress(p.To)
	if err != nil || !plainAddress(to.Address) {
		return nil, &notify.Failure{Permanent: true, Reason: phrase.T("mail.fail.address", oneLine(p.To, 200))}
	}
	return &stdmail.Address{Name: oneLine(p.UserName, 60), Address: to.Address}, nil
}

// thread returns what all incidents of p have in common, if they do.
func thread(p notify.Page) (key string, ok bool) {
	for i, inc := range p.Incidents {
		if i > 0 && inc.ThreadKey != key {
			return "", false
		}
		key = inc.ThreadKey
	}
	return key, key != ""
}

func messageID(kind, key, domain string) string {
	return "<" + kind + "-" + digest(kind, key) + "@" + domain + ">"
}

// digest makes any key fit into a header.
func digest(kind, key string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + key))
	return hex.EncodeToString(sum[:16])
}

func domainOf(addr string) string { return addr[strings.LastIndexByte(addr, '@')+1:] }
