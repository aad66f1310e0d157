// Package config is the settings of one node: the struct with its defaults, how
// it is filled, and what is wrong with it in sentences.
//
// A setting comes from the command line, else from the environment
// (WATCHROOM_<NAME>), else from the file given with --config, else it has its
// default. The struct tags are for kong, which reads the first two; File adds
// the third. Nothing here is global and nothing is opened but those files.
//
// Settings hold secrets (the database's password, the mail server's, the first
// administrator's). Printing or logging a Config shows none of them. Whether a
// mail server's URL is good in detail is for notify/email to say.
package config

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/phrase"
)

// Storage is where the data is: what every command needs.
type Storage struct {
	Data          string `help:"Folder of the SQLite file, of uploads and of the secret key." default:"./watchroom-data" env:"WATCHROOM_DATA"`
	Database      string `help:"PostgreSQL to use instead of SQLite: postgres://user:password@host/name" env:"WATCHROOM_DATABASE" placeholder:"URL"`
	SecretKeyFile string `help:"File with the key that seals stored secrets; made when missing. Default: secret.key in the data folder. Several nodes need the same one." env:"WATCHROOM_SECRET_KEY_FILE" placeholder:"FILE"`
}

// DatabaseFile is the SQLite file.
func (s Storage) DatabaseFile() string { return filepath.Join(s.Data, "watchroom.db") }

// KeyFile is the file with the key of the secret box.
func (s Storage) KeyFile() string {
	if s.SecretKeyFile != "" {
		return s.SecretKeyFile
	}
	return filepath.Join(s.Data, "secret.key")
}

// Logging is how the log looks.
type Logging struct {
	LogFormat string `help:"How log lines look: text or json." default:"text" env:"WATCHROOM_LOG_FORMAT"`
	LogLevel  string `help:"The least important lines to log: debug, info, warn or error." default:"info" env:"WATCHROOM_LOG_LEVEL"`
}

// Who may read GET /metrics.
const (
	MetricsOff   = "off"   // nobody: there is no such page
	MetricsOn    = "on"    // everybody who can reach the port
	MetricsToken = "token" // an API token with the scope read
)

// Site is where people find the server: what commands need that write links.
// Whoever embeds it may set another default of listen.
type Site struct {
	Listen    string `help:"Address and port to serve on." default:"${listen=:8080}" env:"WATCHROOM_LISTEN"`
	PublicURL string `help:"The address under which people reach the server; links in mails begin with it. Default: http://localhost with the port of --listen." env:"WATCHROOM_PUBLIC_URL" placeholder:"URL" name:"public-url"`
}

// Mail is how mail leaves.
type Mail struct {
	SMTPURL  string `help:"Server for outgoing mail: smtp://user:password@host:port, or smtps://" env:"WATCHROOM_SMTP_URL" placeholder:"URL" name:"smtp-url"`
	MailFrom string `help:"Sender of mails: Watchroom <pager@example.org>" env:"WATCHROOM_MAIL_FROM" placeholder:"ADDRESS"`
}

// Configured reports whether mail can leave.
func (m Mail) Configured() bool { return m.SMTPURL != "" }

// Uploads is where uploaded files are kept.
type Uploads struct {
	Files string `help:"Where uploaded files are kept: a folder, or s3://KEY:SECRET@host/bucket?region=... Default: files in the folder of --data." env:"WATCHROOM_FILES" placeholder:"PLACE"`
}

// Place is that of a server which has its other data at s.
func (u Uploads) Place(s Storage) string { return cmp.Or(u.Files, filepath.Join(s.Data, "files")) }

// Programs is where the operator's own commands are.
type Programs struct {
	Commands string `help:"Folder of executables that people may run as commands in a conversation; each has a manifest beside it." env:"WATCHROOM_COMMANDS" placeholder:"FOLDER"`
}

// Config is every setting of a node.
type Config struct {
	Storage `embed:""`
	Logging `embed:""`
	Site    `embed:""`
	Mail    `embed:""`

	AdminEmail        string `help:"Make this the first administrator when there is none, without the set-up link." env:"WATCHROOM_ADMIN_EMAIL" placeholder:"EMAIL"`
	AdminPassword     string `help:"The first administrator's password. Better given in the environment or a file: other users of the machine can read command lines." env:"WATCHROOM_ADMIN_PASSWORD" placeholder:"PASSWORD"`
	AdminPasswordFile string `help:"File with the first administrator's password." env:"WATCHROOM_ADMIN_PASSWORD_FILE" placeholder:"FILE"`

	AllowPrivateTargets bool     `help:"Let outgoing requests go to loopback, link-local and private addresses." env:"WATCHROOM_ALLOW_PRIVATE_TARGETS"`
	Metrics             string   `help:"Who may read /metrics: off (nobody), token (an API token with the scope read) or on (everybody)." default:"token" env:"WATCHROOM_METRICS"`
	TrustedProxies      []string `help:"Proxies whose X-Forwarded-For is believed: addresses or networks, separated by commas." env:"WATCHROOM_TRUSTED_PROXIES" placeholder:"CIDR"`

	HeartbeatURL   string        `help:"Address to call while this node is healthy, so that somebody else notices when it is not." env:"WATCHROOM_HEARTBEAT_URL" placeholder:"URL" name:"heartbeat-url"`
	HeartbeatEvery time.Duration `help:"How often to call it." default:"1m" env:"WATCHROOM_HEARTBEAT_EVERY"`
	SyntheticEvery time.Duration `help:"How often a page to nobody tries the whole way; 0: never." default:"5m" env:"WATCHROOM_SYNTHETIC_EVERY"`
	AlarmTo        []string      `help:"E-mail addresses of the operator, told past the queue when the server is in trouble, separated by commas." env:"WATCHROOM_ALARM_TO" placeholder:"EMAIL"`
	AlarmURL       string        `help:"Address that gets the same as JSON." env:"WATCHROOM_ALARM_URL" placeholder:"URL" name:"alarm-url"`

	MaxAlertBody    Size `help:"Longest alert that is accepted." default:"1MiB" env:"WATCHROOM_MAX_ALERT_BODY"`
	Uploads         `embed:""`
	ScanCommand     string `help:"Program that looks at each upload: it gets the file's path, and says by its exit status 0 clean, 1 infected." env:"WATCHROOM_SCAN_COMMAND" placeholder:"PROGRAM"`
	Programs        `embed:""`
	CommandsUser    string        `help:"Account of the machine that runs them; needs a server that runs as root." env:"WATCHROOM_COMMANDS_USER" placeholder:"USER"`
	MaxUpload       Size          `help:"Longest upload that is accepted." default:"25MiB" env:"WATCHROOM_MAX_UPLOAD"`
	MessageRate     float64       `help:"Lines a second that a person may write for long, after 60 at once; robots may write five times as many. 0: no limit." default:"1" env:"WATCHROOM_MESSAGE_RATE"`
	ShutdownTimeout time.Duration `help:"How long requests may take to end after SIGTERM." default:"20s" env:"WATCHROOM_SHUTDOWN_TIMEOUT"`
}

// Default is a Config in which nothing was set.
func Default() Config {
	return Config{
		Storage: Storage{Data: "./watchroom-data"}, Logging: Logging{LogFormat: "text", LogLevel: "info"},
		Site: Site{Listen: ":8080"}, Metrics: MetricsToken, HeartbeatEvery: time.Minute, SyntheticEvery: 5 * time.Minute, MaxAlertBody: 1 << 20, MaxUpload: 25 << 20, MessageRate: 1, ShutdownTimeout: 20 * time.Second,
	}
}

// Complete validates c and fills in what follows from the rest: PublicURL from
// Listen, AdminPassword from its file. The public URL ends without a slash.
func (c Config) Complete() (Config, error) {
	if err := c.Validate(); err != nil {
		return c, err
	}
	c.PublicURL = c.URL()
	if c.AdminPasswordFile != "" {
		text, err := os.ReadFile(c.AdminPasswordFile)
		if err != nil {
			return c, fmt.Errorf("--admin-password-file: %w", err)
		}
		if c.AdminPassword = strings.TrimRight(string(text), "\r\n"); c.AdminPassword == "" {
			return c, fmt.Errorf("%s", phrase.T("cli.config.empty_password_file", c.AdminPasswordFile))
		}
	}
	return c, nil
}

// URL is the public URL, without a slash at its end, or what follows from Listen.
func (s Site) URL() string {
	if s.PublicURL != "" {
		return strings.TrimRight(s.PublicURL, "/")
	}
	host, port, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return ""
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	if port == "80" {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return "http://" + host
	}
	return "http://" + net.JoinHostPort(host, port)
}

// MailConfigured reports whether mail can leave.
func (c Config) MailConfigured() bool { return c.Configured() }

// Proxies are the trusted proxies as networks; those that are none are left out.
func (c Config) Proxies() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range c.TrustedProxies {
		if p, err := network(text); err == nil {
			all = append(all, p)
		}
	}
	return all
}

func network(text string) (netip.Prefix, error) {
	text = strings.TrimSpace(text)
	if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" {
		return ip.Prefix(ip.BitLen())
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err
}

// String shows every setting and no secret.
func (c Config) String() string { return c.shown().String() }

// GoString is String, so that %#v shows no secret either.
func (c Config) GoString() string { return c.String() }

// LogValue is String for structured logs.
func (c Config) LogValue() slog.Value { return c.shown() }

func (c Config) shown() slog.Value {
	return slog.GroupValue(
		slog.String("listen", c.Listen), slog.String("data", c.Data), slog.String("database", withoutSecrets(c.Database)),
		slog.String("secret-key-file", c.SecretKeyFile), slog.String("public-url", c.PublicURL),
		slog.String("smtp-url", withoutSecrets(c.SMTPURL)), slog.String("mail-from", c.MailFrom),
		slog.String("log-format", c.LogFormat), slog.String("log-level", c.LogLevel),
		slog.String("admin-email", c.AdminEmail), slog.String("admin-password", hidden(c.AdminPassword)),
		slog.String("admin-password-file", c.AdminPasswordFile), slog.Bool("allow-private-targets", c.AllowPrivateTargets),
		slog.String("metrics", c.Metrics), slog.Any("trusted-proxies", c.TrustedProxies),
		slog.String("heartbeat-url", withoutSecrets(c.HeartbeatURL)), slog.Duration("heartbeat-every", c.HeartbeatEvery),
		slog.Duration("synthetic-every", c.SyntheticEvery), slog.Any("alarm-to", c.AlarmTo), slog.String("alarm-url", withoutSecrets(c.AlarmURL)),
		slog.String("files", placeShown(c.Files)), slog.String("scan-command", c.ScanCommand), slog.String("commands", c.Commands), slog.String("commands-user", c.CommandsUser),
		slog.String("max-alert-body", c.MaxAlertBody.String()), slog.String("max-upload", c.MaxUpload.String()), slog.Float64("message-rate", c.MessageRate),
		slog.Duration("shutdown-timeout", c.ShutdownTimeout),
	)
}

func hidden(secret string) string {
	if secret == "" {
		return ""
	}
	return "(hidden)"
}

// placeShown is a folder as it is, and an address without its secret.
func placeShown(place string) string {
	if !strings.Contains(place, "://") {
		return place
	}
	return withoutSecrets(place)
}

// withoutSecrets keeps of a URL what says where it leads.
func withoutSecrets(text string) string {
	u, err := url.Parse(text)
	if text == "" || err != nil || u.Host == "" {
		return hidden(text)
	}
	return u.Scheme + "://" + u.Host + u.Path
}
