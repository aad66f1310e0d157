// Package slash runs commands that are outgoing webhooks in the format of Slack
// and Mattermost slash commands, for which thousands of receivers exist: a form
// is posted, signed, and the answer shown. Command is the program of one webhook;
// Replies takes what the receiver says later through its response_url.
//
// It promises that a call is posted once and that a receiver hears nothing of us
// but what the format has: no rights, no token that does more than answer here,
// for half an hour, five times. A call whose answer did not come is an error,
// which means unknown. Who may run it was decided before; that the answer is kept
// from others when the receiver wants it so is for whoever shows it.
package slash

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/program"
)

// Timeout is how long a receiver may take. Slack waits 3 s, and receivers are
// built for that; not all keep to it.
const Timeout = 30 * time.Second

// TextArg is the one argument of a webhook: all behind its words.
const TextArg = "text"

// Format is whose slash commands a receiver was written for.
type Format string

// The formats.
const (
	Slack      Format = "slack"      // text is mrkdwn
	Mattermost Format = "mattermost" // text is Markdown; the token is also a header
)

// Config is one webhook.
type Config struct {
	Name    string   // unique, a slug: its id is webhook.NAME
	Words   []string // as typed; the first becomes "command", the others begin "text"
	URL     string
	Format  Format // "": Slack
	Secret  string // signs requests as Slack does; "": they are not signed
	Token   string // the older way, in the form; "": none
	Summary string
	Details string

	Risk       command.Risk // "": change
	Permission string
	Rooms      []string
	Confirm    bool
	Approval   command.Approval
	Lock       string
}

// Validate returns a sentence about the first thing that is wrong.
func (c Config) Validate() error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("url: give the whole address, beginning with https://")
	case !slices.Contains([]Format{"", Slack, Mattermost}, c.Format):
		return fmt.Errorf("format %q: use slack or mattermost", c.Format)
	case c.Secret == "" && c.Token == "":
		return errors.New("secret: without a secret or a token the receiver cannot know who calls")
	}
	return c.Declaration().Validate()
}

// Declaration is the webhook as a command.
func (c Config) Declaration() command.Declaration {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", c.URL, c.Words, c.Format)) // what it runs, and no secret
	return command.Declaration{
		ID: "webhook." + c.Name, Words: c.Words, Summary: c.Summary, Details: c.Details, Args: []command.Arg{{Name: TextArg, Type: command.Rest}},
		Risk: cmp.Or(c.Risk, command.Changes), Permission: c.Permission, Rooms: c.Rooms, Confirm: c.Confirm, Approval: c.Approval, Lock: c.Lock,
		Timeout: Timeout, Origin: "webhook " + c.Name, Version: hex.EncodeToString(sum[:]),
	}
}

// Command is the program of one webhook.
type Command struct {
	cfg     Config
	http    *http.Client
	replies *Replies
	team    string // how receivers know this server
	now     func() time.Time
}

var _ program.Program = (*Command)(nil)

// New makes the program. c is a guarded client; replies may be nil, and then
// receivers get no response_url; team tells servers apart, such as our host name.
func New(cfg Config, c *http.Client, replies *Replies, team string) (*Command, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.Format = cmp.Or(cfg.Format, Slack)
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Command{cfg: cfg, http: &own, replies: replies, team: team, now: time.Now}, nil
}

// Declaration is what New was given, as a command.
func (c *Command) Declaration() command.Declaration { return c.cfg.Declaration() }

// form is what the receiver gets.
func (c *Command) form(r program.Request) url.Values {
	words := append(slices.Clone(c.cfg.Words[1:]), strings.TrimSpace(r.Args[TextArg]))
	f := url.Values{
		"team_id": {"T" + tag(c.team)}, "team_domain": {c.team}, "channel_id": {"C" + tag(string(r.Room))}, "channel_name": {r.RoomName},
		"user_id": {"U" + tag(string(r.Actor.User))}, "user_name": {r.Username}, "command": {"/" + c.cfg.Words[0]},
		"text": {strings.TrimSpace(strings.Join(words, " "))}, "trigger_id": {string(r.ID)},
	}
	if c.cfg.Token != "" {
		f.Set("token", c.cfg.Token)
	}
	if c.replies != nil {
		f.Set("response_url", c.replies.address(To{Invocation: r.ID, Command: r.Command, Room: r.Room, Thread: r.Thread, User: r.Actor.User}, c.cfg.Format))
	}
	return f
}

// tag is an id as such receivers expect it: capitals and digits, the same every
// time, with nothing of ours in it.
func tag(of string) string {
	sum := sha256.Sum256([]byte(of))
	return strings.ToUpper(hex.EncodeToString(sum[:5]))
}

// Sign is Slack's signature, version 0, over a body at a time.
func Sign(secret string, at time.Time, body string) (timestamp, signature string) {
	timestamp = strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + timestamp + ":" + body))
	return timestamp, "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// To is what an answer belongs to.
type To struct {
	Invocation id.Invocation `json:"i"`
	Command    string        `json:"c"`
	Room       id.Room       `json:"r,omitempty"`
	Thread     id.Seq        `json:"t,omitempty"`
	User       id.User       `json:"u,omitempty"` // who asked, to whom alone a private answer goes
}
