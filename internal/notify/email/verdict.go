package email

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"os"
	"strings"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/phrase"
)

// verdict turns trouble into what the outbox and the operator need to know:
//
//	no connection, no answer, broken off     try again
//	name of the server unknown               try again, tell the operator
//	4xx anywhere                             try again
//	5xx to our greeting, AUTH or MAIL FROM   try again, tell the operator
//	530 (sign in first) anywhere             try again, tell the operator
//	no TLS, wrong certificate, no AUTH       try again, tell the operator
//	5xx to RCPT TO, DATA or the mail         never
//
// Wrong settings are not final: the operator mends them, and the page still waits.
func (s *Sender) verdict(err error) *notify.Failure {
	t, ok := errors.AsType[*trouble](err)
	if !ok {
		return &notify.Failure{Reason: phrase.T("mail.fail.broken", s.server.host), Err: err}
	}
	if code, text := t.reply(); code != 0 {
		return s.refusal(t.at, code, text)
	}
	f := &notify.Failure{Err: t.err}
	_, wrongCertificate := errors.AsType[*tls.CertificateVerificationError](t.err)
	_, notTLS := errors.AsType[tls.RecordHeaderError](t.err)
	_, alert := errors.AsType[tls.AlertError](t.err)
	unknown, isDNS := errors.AsType[*net.DNSError](t.err)
	switch {
	case timeout(t.err):
		f.Reason = phrase.T("mail.fail.timeout", s.server.host, phrase.T("mail.stage."+string(t.at)))
	case isDNS && unknown.IsNotFound:
		f.Config, f.Reason = true, phrase.T("mail.fail.unknown_host", s.server.host)
	case errors.Is(t.err, errNoTLS):
		f.Config, f.Reason = true, phrase.T("mail.fail.no_tls", s.server.host)
	case errors.Is(t.err, errNoAuth):
		f.Config, f.Reason = true, phrase.T("mail.fail.no_auth", s.server.host)
	case wrongCertificate || notTLS || alert:
		f.Config, f.Reason = true, phrase.T("mail.fail.tls", s.server.host)
	case t.at == stageConnect:
		f.Reason = phrase.T("mail.fail.connect", s.server.addr)
	default:
		f.Reason = phrase.T("mail.fail.broken_off", s.server.host, phrase.T("mail.stage."+string(t.at)))
	}
	return f
}

// refusal judges an answer. The answer is part of the reason, and there is no
// Err that would say it a second time.
func (s *Sender) refusal(at stage, code int, text string) *notify.Failure {
	f := &notify.Failure{
		Reason: phrase.T("mail.fail.answer", s.server.host, code, s.redact(text), phrase.T("mail.stage."+string(at))),
	}
	if code < 500 {
		return f
	}
	switch at {
	case stageRcpt, stageData, stageAnswer:
		f.Permanent = code != 530
		f.Config = code == 530
	case stageConnect, stageHello, stageTLS, stageAuth, stageMail:
		f.Config = true
	}
	return f
}

func timeout(err error) bool {
	var slow net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &slow) && slow.Timeout()
}

// redact takes our password out of an answer, for servers that quote what they refuse.
func (s *Sender) redact(text string) string {
	if s.server.password == "" {
		return text
	}
	b64 := base64.StdEncoding.EncodeToString
	return strings.NewReplacer(
		b64([]byte("\x00"+s.server.user+"\x00"+s.server.password)), "***",
		b64([]byte(s.server.password)), "***",
		s.server.password, "***",
	).Replace(text)
}
