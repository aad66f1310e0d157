package config

import (
	"errors"
	"net"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/phrase"
)

// Bounds of what can be set.
const (
	minBody            = 1 << 10
	maxBody            = 1 << 30
	maxShutdownTimeout = 10 * time.Minute
	maxMessageRate     = 10_000
)

// Validate returns a sentence for everything that is wrong with the storage.
func (s Storage) Validate() error {
	var all sentences
	all.when(strings.TrimSpace(s.Data) == "", "cli.config.data")
	if s.Database != "" {
		u, err := url.Parse(s.Database)
		bad := err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql"
		all.when(bad, "cli.config.database") // never with the value: it has a password
	}
	return all.err()
}

// Validate returns a sentence for everything that is wrong with the log.
func (l Logging) Validate() error {
	var all sentences
	all.when(!slices.Contains([]string{"text", "json"}, l.LogFormat), "cli.config.log_format", l.LogFormat)
	all.when(!slices.Contains([]string{"debug", "info", "warn", "error"}, l.LogLevel), "cli.config.log_level", l.LogLevel)
	return all.err()
}

// Validate returns a sentence for everything that is wrong with the addresses.
func (s Site) Validate() error {
	var all sentences
	all.when(!listenable(s.Listen), "cli.config.listen", s.Listen)
	all.when(s.PublicURL != "" && !public(s.PublicURL), "cli.config.public_url", withoutSecrets(s.PublicURL))
	return all.err()
}

// Validate returns a sentence for everything that is wrong with c, one a line.
func (c Config) Validate() error {
	var all sentences
	all.add(c.Storage.Validate())
	all.add(c.Logging.Validate())
	all.add(c.Site.Validate())
	all.add(c.Mail.Validate())
	all.add(c.validateAdmin())
	all.when(!slices.Contains([]string{MetricsOff, MetricsOn, MetricsToken}, c.Metrics), "cli.config.metrics", c.Metrics)
	for _, p := range c.TrustedProxies {
		_, err := network(p)
		all.when(err != nil, "cli.config.trusted_proxies", p)
	}
	all.when(c.MaxAlertBody < minBody || c.MaxAlertBody > maxBody, "cli.config.max_alert_body", c.MaxAlertBody, Size(minBody), Size(maxBody))
	all.when(c.MaxUpload < minBody || c.MaxUpload > maxBody, "cli.config.max_upload", c.MaxUpload, Size(minBody), Size(maxBody))
	all.when(!(c.MessageRate >= 0 && c.MessageRate <= maxMessageRate), "cli.config.message_rate", maxMessageRate) // NaN is neither
	all.when(c.ShutdownTimeout <= 0 || c.ShutdownTimeout > maxShutdownTimeout, "cli.config.shutdown_timeout", c.ShutdownTimeout, maxShutdownTimeout)
	return all.err()
}

func listenable(address string) bool {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// public refuses a path too: every address in the program begins at the root.
func public(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" &&
		u.User == nil && strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == ""
}

// Validate returns a sentence about what is wrong with the settings of mail at
// first sight; the provider looks more closely.
func (m Mail) Validate() error {
	var all sentences
	switch {
	case m.SMTPURL == "" && m.MailFrom == "":
	case m.SMTPURL == "":
		all.say("cli.config.no_smtp_url")
	case m.MailFrom == "":
		all.say("cli.config.no_mail_from")
	default:
		u, err := url.Parse(m.SMTPURL)
		all.when(err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Host == "", "cli.config.smtp_url")
		_, err = mail.ParseAddress(m.MailFrom)
		all.when(err != nil, "cli.config.mail_from", m.MailFrom)
	}
	return all.err()
}

func (c Config) validateAdmin() error {
	var all sentences
	password := c.AdminPassword != "" || c.AdminPasswordFile != ""
	all.when(c.AdminPassword != "" && c.AdminPasswordFile != "", "cli.config.two_passwords")
	all.when(c.AdminEmail == "" && password, "cli.config.no_admin_email")
	all.when(c.AdminEmail != "" && !password, "cli.config.no_admin_password")
	if c.AdminEmail != "" {
		a, err := mail.ParseAddress(c.AdminEmail)
		all.when(err != nil || a.Address != c.AdminEmail, "cli.config.admin_email", c.AdminEmail)
	}
	return all.err()
}

// sentences collects what is wrong, so that everything can be put right at once.
type sentences struct{ all []error }

func (s *sentences) say(key string, args ...any) {
	s.all = append(s.all, errors.New(phrase.T(key, args...)))
}

func (s *sentences) when(wrong bool, key string, args ...any) {
	if wrong {
		s.say(key, args...)
	}
}

func (s *sentences) add(err error) {
	if err != nil {
		s.all = append(s.all, err)
	}
}

func (s *sentences) err() error { return errors.Join(s.all...) }
