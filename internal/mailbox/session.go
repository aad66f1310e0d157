package mailbox

import (
	"crypto/subtle"
	"errors"
	"io"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// session is one conversation; a server calls it from one goroutine.
type session struct {
	box    *Mailbox
	conn   *smtp.Conn
	authed bool
	from   string
	to     []string
}

var _ smtp.AuthSession = (*session)(nil)

func (m *Mailbox) newSession(c *smtp.Conn) (smtp.Session, error) {
	s := &session{box: m, conn: c}
	return s, s.ask(StageHello, c.Hostname())
}

// ask carries out ErrDrop; every other error becomes the answer.
func (s *session) ask(at Stage, who string) error {
	err := s.box.ask(at, who)
	if errors.Is(err, ErrDrop) {
		_ = s.conn.Conn().Close() // not smtp.Conn.Close: it would call Logout and wait for itself
	}
	return err
}

func (s *session) Reset() { s.from, s.to = "", nil }

func (s *session) Logout() error { return nil }

func (s *session) AuthMechanisms() []string {
	if s.box.opts.User == "" {
		return nil
	}
	return []string{sasl.Plain, sasl.Login}
}

func (s *session) Auth(mech string) (sasl.Server, error) {
	switch mech {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, user, password string) error { return s.signIn(user, password) }), nil
	case sasl.Login:
		return &loginServer{signIn: s.signIn}, nil
	default:
		return nil, smtp.ErrAuthUnknownMechanism
	}
}

func (s *session) signIn(user, password string) error {
	if err := s.ask(StageAuth, user); err != nil {
		return err
	}
	want, got := s.box.opts.User+"\x00"+s.box.opts.Password, user+"\x00"+password
	if subtle.ConstantTimeCompare([]byte(want), []byte(got)) == 0 {
		return smtp.ErrAuthFailed
	}
	s.authed = true
	return nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.box.opts.User != "" && !s.authed {
		return refuse(530, smtp.EnhancedCode{5, 7, 0}, "Authentication required")
	}
	s.from, s.to = from, nil
	return s.ask(StageMail, from)
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := s.ask(StageRcpt, to); err != nil {
		return err
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err // it is the answer
	}
	if err := s.ask(StageData, s.from); err != nil {
		return err
	}
	if err := Check(raw); err != nil {
		return refuse(554, smtp.EnhancedCode{5, 6, 0}, "Not a proper mail: "+err.Error())
	}
	msg, err := parse(raw)
	if err != nil {
		return refuse(554, smtp.EnhancedCode{5, 6, 0}, err.Error())
	}
	msg.Sender, msg.To = s.from, s.to
	s.box.keep(msg)
	return s.ask(StageAnswer, s.from)
}

func refuse(code int, enhanced smtp.EnhancedCode, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
}

// loginServer is the far side of AUTH LOGIN, which has no specification but
// many users: two prompts, two answers.
type loginServer struct {
	signIn func(user, password string) error
	step   int
	user   string
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if l.step == 0 && response == nil { // no user name with the command itself
		l.step = 1
		return []byte("Username:"), false, nil
	}
	if l.step < 2 {
		l.user, l.step = string(response), 2
		return []byte("Password:"), false, nil
	}
	return nil, true, l.signIn(l.user, string(response))
}
