// Package telegram pages people through a Telegram bot (core.telegram.org/bots/api).
//
// A contact method is the numeric id of a chat (Page.To), usually the private
// chat of one person with the bot; the bot is ours (Config.Token). A page is a
// message with buttons that answer, and answers come back over a long poll
// (Listen), so no address of ours has to be reachable. A person is linked by
// t.me/<bot>?start=<code>, which Listen hands to Config.OnStart.
//
// It promises: a receipt means that Telegram put the message into the chat. Who
// answers is known by the numeric id of the account, never by a name, which
// anybody can choose. An update is confirmed to Telegram only after its event
// was taken, so an answer that could not be recorded is handed over again.
// Whether a person has read a message cannot be asked.
//
// Only one Listen may run for a bot, among all nodes; Telegram refuses a second.
package telegram

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/rest"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Config is the bot. Only Token is needed.
type Config struct {
	Token   string        // from @BotFather: 123456789:AAE…
	BaseURL string        // "" means https://api.telegram.org; a local Bot API server otherwise
	HomeURL string        // the list of incidents, where a bundle leads to; may be ""
	PollFor time.Duration // how long one question for updates waits; 0 means 50 s

	// OnStart links the private chat chatID to whoever was given code. name is
	// what the person calls themselves: for display, not for identity. The
	// reply is sent to the chat. After an error the same code is handed over
	// again, unless the error is permanent: then its reason is the reply.
	OnStart func(ctx context.Context, code, chatID, name string) (reply string, err error)
}

var tokenShape = regexp.MustCompile(`^[0-9]{3,20}:[A-Za-z0-9_-]{20,100}$`)

// Validate says in a sentence what is wrong. It never repeats the token.
func (c Config) Validate() error {
	if !tokenShape.MatchString(c.Token) {
		return errors.New(phrase.T("telegram.config.token"))
	}
	for _, u := range []string{c.BaseURL, c.HomeURL} {
		if _, ok := rest.WebURL(u); u != "" && !ok {
			return errors.New(phrase.T("telegram.config.url"))
		}
	}
	if c.PollFor < 0 || c.PollFor > 10*time.Minute {
		return errors.New(phrase.T("telegram.config.poll"))
	}
	return nil
}

// Client is safe for use by many goroutines.
type Client struct {
	cfg  Config
	host string // for people
	http *http.Client
	poll *http.Client // without a time limit of its own: a long poll is meant to be slow

	mu     sync.Mutex // guards offset
	offset int64      // the first update that is not confirmed; 0: whatever Telegram has
}

var (
	_ notify.Provider = (*Client)(nil)
	_ notify.Listener = (*Client)(nil)
)

// New makes a client that talks through h, whose transport must not limit the
// wait for an answer below Config.PollFor. It does not connect. A cfg that does
// not validate makes a client that fails.
func New(cfg Config, h *http.Client) *Client {
	if cfg.BaseURL == "" {
		cfg.BaseURL = "https://api.telegram.org"
	}
	cfg.BaseURL = strings.TrimSuffix(cfg.BaseURL, "/")
	if cfg.PollFor == 0 {
		cfg.PollFor = 50 * time.Second
	}
	c := &Client{cfg: cfg, host: "Telegram", http: rest.Client(h), poll: rest.Client(h)}
	c.poll.Timeout = 0
	if u, ok := rest.WebURL(cfg.BaseURL); ok {
		c.host = u.Host
	}
	return c
}

// Send puts p into its chat; see the package comment. RemoteID is the chat and
// the message, as 42:7. When the group has moved to a new id, the message goes
// there and Detail says so.
func (c *Client) Send(ctx context.Context, p notify.Page) (notify.Receipt, error) {
	chat, err := parseChat(p.To)
	if err != nil {
		return notify.Receipt{}, err
	}
	m, err := c.compose(p)
	if err != nil {
		return notify.Receipt{}, err
	}
	m.ChatID = chat
	moved := false
	for {
		var sent message
		err := c.call(ctx, c.http, "sendMessage", m, &sent)
		no, refused := errors.AsType[*refusal](err)
		switch {
		case err == nil:
			r := notify.Receipt{RemoteID: remoteID(sent.Chat.ID, sent.MessageID), Detail: phrase.T("telegram.done", sent.MessageID)}
			if moved {
				r.Detail = phrase.T("telegram.moved", m.ChatID)
			}
			return r, nil
		case refused && no.migrateTo != 0 && !moved:
			m.ChatID, moved = no.migrateTo, true
		case refused && no.badButton() && m.ReplyMarkup.hasLinks():
			// Telegram takes no link to localhost or to a host without a dot.
			// A page without its link is worth more than none.
			m.ReplyMarkup = m.ReplyMarkup.withoutLinks()
			m.Text += m.linkText
		case refused:
			return notify.Receipt{}, c.verdict(no)
		default:
			return notify.Receipt{}, err
		}
	}
}

func parseChat(to string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(to), 10, 64)
	if err != nil || n == 0 {
		return 0, &notify.Failure{Permanent: true, Reason: phrase.T("telegram.fail.address")}
	}
	return n, nil
}

func remoteID(chat, messageID int64) string {
	return strconv.FormatInt(chat, 10) + ":" + strconv.FormatInt(messageID, 10)
}

// Username asks Telegram who the bot is: the name in links to it. It proves the
// token at the same time; errors are as for Send.
func (c *Client) Username(ctx context.Context) (string, error) {
	var me user
	err := c.call(ctx, c.http, "getMe", struct{}{}, &me)
	if no, refused := errors.AsType[*refusal](err); refused {
		return "", c.verdict(no)
	}
	return me.Username, err
}

// LinkURL is where a person gives code to the bot with one touch. A code is at
// most 64 of [A-Za-z0-9_-].
func LinkURL(username, code string) string {
	return "https://t.me/" + url.PathEscape(username) + "?start=" + url.QueryEscape(code)
}
