package mailbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"strings"
)

// Check says what is wrong with a mail as it came over the wire, before dots
// were stuffed: lines and bytes that RFC 5321 forbids, missing or doubled
// headers of RFC 5322, and eight-bit text that no header announces.
func Check(raw []byte) error {
	if err := checkLines(raw); err != nil {
		return err
	}
	head, _, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ok {
		return errors.New("no empty line between header and body")
	}
	if i := bytes.IndexFunc(head, func(r rune) bool { return r > 0x7e }); i >= 0 {
		return fmt.Errorf("eight-bit header near byte %d", i)
	}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if err := checkHeader(msg.Header); err != nil {
		return err
	}
	return checkPart(textproto.MIMEHeader(msg.Header), msg.Body)
}

func checkLines(raw []byte) error {
	n := 0
	for line := range bytes.SplitAfterSeq(raw, []byte("\n")) {
		n++
		text, ok := bytes.CutSuffix(line, []byte("\r\n"))
		switch {
		case len(line) == 0: // after the last line
		case !ok && bytes.HasSuffix(line, []byte("\n")):
			return fmt.Errorf("line %d ends with a bare LF", n)
		case bytes.ContainsRune(text, '\r'):
			return fmt.Errorf("line %d has a bare CR", n)
		case bytes.ContainsRune(text, 0):
			return fmt.Errorf("line %d has a NUL", n)
		case len(text) > 998:
			return fmt.Errorf("line %d is %d bytes long, more than 998", n, len(text))
		}
	}
	return nil
}

func checkHeader(h mail.Header) error {
	for _, key := range []string{"Date", "Message-Id", "From", "To", "Subject", "Mime-Version"} {
		if n := len(h[key]); n != 1 {
			return fmt.Errorf("%d %s headers instead of one", n, key)
		}
	}
	if _, err := h.Date(); err != nil {
		return fmt.Errorf("date %q: %w", h.Get("Date"), err)
	}
	for _, key := range []string{"From", "To"} {
		if _, err := h.AddressList(key); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	for _, key := range []string{"Message-Id", "In-Reply-To", "References"} {
		for ref := range strings.FieldsSeq(h.Get(key)) {
			if !strings.HasPrefix(ref, "<") || !strings.HasSuffix(ref, ">") || strings.Count(ref, "@") != 1 {
				return fmt.Errorf("%s has %q, which is not a message id", key, ref)
			}
		}
	}
	return nil
}

// checkPart holds a part, and the parts inside it, to the encoding it declares.
func checkPart(h textproto.MIMEHeader, body io.Reader) error {
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("content type %q: %w", h.Get("Content-Type"), err)
	}
	if !strings.HasPrefix(media, "multipart/") {
		return checkBody(h, body)
	}
	parts := multipart.NewReader(body, params["boundary"])
	for n := 1; ; n++ {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("part %d: %w", n, err)
		}
		if err := checkPart(part.Header, part); err != nil {
			return fmt.Errorf("part %d: %w", n, err)
		}
	}
}

func checkBody(h textproto.MIMEHeader, body io.Reader) error {
	data, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("body: %w", err)
	}
	encoding := strings.ToLower(h.Get("Content-Transfer-Encoding"))
	eight := bytes.ContainsFunc(data, func(r rune) bool { return r > 0x7f })
	if eight && encoding != "8bit" && encoding != "binary" {
		return fmt.Errorf("eight-bit text in a part declared as %q", encoding)
	}
	return nil
}
