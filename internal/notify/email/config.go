package email

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/phrase"
)

// Config says through which server mail leaves and who it is from. Only URL and
// From are needed.
type Config struct {
	// URL is smtp://user:password@host:port or smtps://…. Without a port it is
	// 465 for smtps, 587 with credentials, else 25. smtp: changes to TLS
	// when the server offers it, and insists on TLS with a valid certificate
	// when there are credentials and the host is not this machine; ?insecure=1
	// (or AllowPlain) takes that back.
	URL        string
	AllowPlain bool

	From    string // Watchroom <pager@example.org>
	Hello   string // our name in EHLO; "" means the host's name
	HomeURL string // the list of incidents, where a mail about very many points to; may be ""

	Timeout  time.Duration // for one mail altogether; 0 means 30 s
	IdleFor  time.Duration // how long an unused connection is kept; 0 means 10 s
	MaxConns int           // connections at a time; 0 means 4

	// The rest is for tests.
	TLSConfig *tls.Config // nil: the system's certificates
	Dial      func(ctx context.Context, network, addr string) (net.Conn, error)
	Now       func() time.Time
}

// server is what Config.URL says.
type server struct {
	host, addr     string
	user, password string
	implicitTLS    bool
	needTLS        bool // STARTTLS or nothing
	verify         bool // the certificate has to be valid
}

// Validate says in a sentence what is wrong. It never repeats the URL, which has a password.
func (c Config) Validate() error {
	if _, err := c.server(); err != nil {
		return err
	}
	_, err := c.from()
	return err
}

func (c Config) from() (*mail.Address, error) {
	if strings.TrimSpace(c.From) == "" {
		return nil, errors.New(phrase.T("mail.config.no_from"))
	}
	addr, err := mail.ParseAddress(c.From)
	if err != nil || !plainAddress(addr.Address) {
		return nil, errors.New(phrase.T("mail.config.bad_from", c.From))
	}
	return addr, nil
}

func (c Config) server() (server, error) {
	complain := func(key string, args ...any) (server, error) {
		return server{}, errors.New(phrase.T(key, args...))
	}
	if strings.TrimSpace(c.URL) == "" {
		return complain("mail.config.no_url")
	}
	u, err := url.Parse(strings.TrimSpace(c.URL))
	if err != nil { // the error quotes the URL or pieces of it
		return complain("mail.config.bad_url")
	}
	if u.Scheme != "smtp" && u.Scheme != "smtps" {
		return complain("mail.config.scheme")
	}
	s := server{host: u.Hostname(), implicitTLS: u.Scheme == "smtps"}
	if s.host == "" {
		return complain("mail.config.no_host")
	}
	if strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return complain("mail.config.path")
	}
	if u.User != nil {
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
		if s.user == "" || s.password == "" {
			return complain("mail.config.half_credentials")
		}
	}
	insecure, bad := insecureFrom(u.Query())
	if bad != "" {
		return complain("mail.config.query", bad)
	}
	insecure = insecure || c.AllowPlain

	s.needTLS = !s.implicitTLS && s.user != "" && !loopback(s.host) && !insecure
	// Where plain text would do, an unproven certificate is still better than
	// none: whoever can forge it can also hide the offer of STARTTLS.
	s.verify = s.needTLS || s.implicitTLS && !insecure

	port, err := portOf(u, s)
	if err != nil {
		return complain("mail.config.port")
	}
	s.addr = net.JoinHostPort(s.host, port)
	if _, _, err := net.SplitHostPort(s.addr); err != nil { // a stray bracket passes as part of a URL
		return complain("mail.config.bad_url")
	}
	return s, nil
}

func insecureFrom(query url.Values) (insecure bool, bad string) {
	for key, values := range query {
		if key != "insecure" {
			return false, key
		}
		yes, err := strconv.ParseBool(values[len(values)-1])
		if err != nil {
			return false, key
		}
		insecure = yes
	}
	return insecure, ""
}

func portOf(u *url.URL, s server) (string, error) {
	switch {
	case u.Port() != "":
		if n, err := strconv.ParseUint(u.Port(), 10, 16); err != nil || n == 0 {
			return "", errors.New("not a port")
		}
		return u.Port(), nil
	case s.implicitTLS:
		return "465", nil
	case s.user != "":
		return "587", nil
	default:
		return "25", nil
	}
}

func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// hello is a name a server accepts: with a dot, and ours as far as we know.
func hello(configured, domain string) string {
	if configured != "" {
		return configured
	}
	if name, err := os.Hostname(); err == nil && strings.Contains(name, ".") && plainAddress("x@"+name) {
		return name
	}
	return domain
}

// plainAddress says whether addr can be used in every SMTP conversation: ASCII,
// with a domain, and nothing that could end a command early.
func plainAddress(addr string) bool {
	at := strings.LastIndexByte(addr, '@')
	if at < 1 || at == len(addr)-1 {
		return false
	}
	for _, r := range addr {
		if r <= ' ' || r >= 0x7f || r == '<' || r == '>' {
			return false
		}
	}
	return true
}
