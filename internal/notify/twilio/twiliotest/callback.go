package twiliotest

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's choice
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Reply is what a hook answered.
type Reply struct {
	Status      int
	ContentType string
	Body        string
}

// Route carries callbacks for addresses below public ("https://oncall.example")
// to target (the address of a test server). Their signature and their Host are
// those of the public address and of the target, as behind a proxy.
func (s *Server) Route(public, target string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.routes = append(s.routes, [2]string{public, target})
}

// Sign is the signature of a form posted to address.
func Sign(address string, form url.Values) string {
	h := hmac.New(sha1.New, []byte(AuthToken))
	_, _ = io.WriteString(h, address)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		_, _ = io.WriteString(h, name+form.Get(name))
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// SendStatus sets the status of a message or a call and tells its StatusCallback.
func (s *Server) SendStatus(ctx context.Context, sid, status string, code int) (Reply, error) {
	s.SetStatus(sid, status, code)
	form := url.Values{"AccountSid": {AccountSID}, "ApiVersion": {"2010-04-01"}}
	if code != 0 {
		form.Set("ErrorCode", fmt.Sprint(code))
	}
	for _, m := range s.Messages() {
		if m.SID == sid {
			form.Set("MessageSid", sid)
			form.Set("SmsSid", sid)
			form.Set("MessageStatus", status)
			form.Set("SmsStatus", status)
			form.Set("To", m.To)
			form.Set("From", m.From)
			return s.post(ctx, m.StatusCallback, form)
		}
	}
	for _, c := range s.Calls() {
		if c.SID == sid {
			form.Set("CallSid", sid)
			form.Set("CallStatus", status)
			form.Set("To", c.To)
			form.Set("From", c.From)
			form.Set("Direction", "outbound-api")
			return s.post(ctx, c.StatusCallback, form)
		}
	}
	return Reply{}, fmt.Errorf("there is no %s", sid)
}

// SendReply is a text message from somebody, posted to the address that would be
// entered for the number.
func (s *Server) SendReply(ctx context.Context, address, from, body string) (Reply, error) {
	sid := s.Receive(from, body)
	return s.post(ctx, address, url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "SmsMessageSid": {sid}, "SmsStatus": {"received"}, "AccountSid": {AccountSID},
		"From": {from}, "To": {Number}, "Body": {body}, "NumMedia": {"0"}, "NumSegments": {"1"}, "FromCountry": {"DE"}, "ApiVersion": {"2010-04-01"},
	})
}

// PressKey presses a key during a call: it posts to the action of the Gather that
// is being read, and what comes back is read from then on.
func (s *Server) PressKey(ctx context.Context, callSID, digits string) (Reply, error) {
	for _, c := range s.Calls() {
		if c.SID != callSID {
			continue
		}
		action, err := gatherAction(c.Twiml)
		if err != nil {
			return Reply{}, err
		}
		reply, err := s.post(ctx, action, url.Values{
			"CallSid": {c.SID}, "AccountSid": {AccountSID}, "CallStatus": {"in-progress"}, "Direction": {"outbound-api"},
			"From": {c.From}, "To": {c.To}, "Digits": {digits}, "FinishedOnKey": {""}, "msg": {"Gather End"}, "ApiVersion": {"2010-04-01"},
		})
		if err != nil {
			return reply, err
		}
		if reply.Status == http.StatusOK {
			if err := checkTwiML(reply.Body); err != nil {
				return reply, fmt.Errorf("the answer to the key: %w", err)
			}
			s.setTwiml(callSID, reply.Body)
		}
		return reply, nil
	}
	return Reply{}, fmt.Errorf("there is no call %s", callSID)
}

func (s *Server) setTwiml(sid, twiml string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.calls {
		if s.calls[i].SID == sid {
			s.calls[i].Twiml = twiml
		}
	}
}

// post calls a hook as Twilio does.
func (s *Server) post(ctx context.Context, address string, form url.Values) (Reply, error) {
	if address == "" {
		return Reply{}, errors.New("no callback was asked for")
	}
	target := address
	s.mu.Lock()
	for _, route := range s.routes {
		if rest, ok := strings.CutPrefix(address, route[0]); ok {
			target = route[1] + rest
		}
	}
	s.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return Reply{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	req.Header.Set("User-Agent", "TwilioProxy/1.1")
	req.Header.Set("X-Twilio-Signature", Sign(address, form))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return Reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return Reply{Status: resp.StatusCode, ContentType: resp.Header.Get("Content-Type"), Body: string(body)}, err
}

// verbs is what TwiML may hold, of what we use, with the attributes.
func verbs(name string) (attributes []string, ok bool) {
	switch name {
	case "Response", "Hangup":
		return nil, true
	case "Say":
		return []string{"language", "voice", "loop"}, true
	case "Pause":
		return []string{"length"}, true
	case "Message":
		return nil, true
	case "Gather":
		return []string{"input", "numDigits", "timeout", "action", "method", "finishOnKey", "actionOnEmptyResult"}, true
	case "Redirect":
		return []string{"method"}, true
	default:
		return nil, false
	}
}

// checkTwiML reports what Twilio could not read.
func checkTwiML(text string) error {
	d := xml.NewDecoder(strings.NewReader(text))
	depth := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if depth != 0 {
				return errors.New("the document ends too early")
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			attributes, ok := verbs(t.Name.Local)
			if !ok || (t.Name.Local == "Response") != (depth == 0) {
				return fmt.Errorf("%s does not belong here", t.Name.Local)
			}
			for _, a := range t.Attr {
				if !slices.Contains(attributes, a.Name.Local) {
					return fmt.Errorf("%s has no attribute %s", t.Name.Local, a.Name.Local)
				}
			}
			depth++
		case xml.EndElement:
			depth--
		}
	}
}

// gatherAction is where the keys of a document go.
func gatherAction(twiml string) (string, error) {
	var doc struct {
		Gather []struct {
			Action string `xml:"action,attr"`
		} `xml:"Gather"`
	}
	if err := xml.Unmarshal([]byte(twiml), &doc); err != nil {
		return "", err
	}
	if len(doc.Gather) == 0 || doc.Gather[0].Action == "" {
		return "", errors.New("no key is being waited for")
	}
	return doc.Gather[0].Action, nil
}
