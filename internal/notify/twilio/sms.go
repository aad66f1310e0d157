package twilio

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/reply"
	"github.com/watchroom/watchroom/internal/notify/rest"
	"github.com/watchroom/watchroom/internal/notify/sms"
	"github.com/watchroom/watchroom/internal/phrase"
)

// SMS sends text messages and, where no hook reaches us, fetches the replies.
type SMS struct{ c *Client }

var (
	_ notify.Provider = (*SMS)(nil)
	_ notify.Tracker  = (*SMS)(nil)
	_ notify.Listener = (*SMS)(nil)
)

// Send sends p as one message of at most two segments.
func (s *SMS) Send(ctx context.Context, p notify.Page) (notify.Receipt, error) {
	if err := check(p); err != nil {
		return notify.Receipt{}, err
	}
	cfg := s.c.cfg
	form := url.Values{
		"To":   {p.To},
		"Body": {sms.Text(p, cfg.canReply())},
		// A page that is delivered hours late does harm.
		"ValidityPeriod": {strconv.Itoa(int(cfg.Validity.Seconds()))},
	}
	if cfg.MessagingServiceSID != "" {
		form.Set("MessagingServiceSid", cfg.MessagingServiceSID)
	}
	if cfg.From != "" {
		form.Set("From", cfg.From)
	}
	if cfg.CallbackURL != "" {
		form.Set("StatusCallback", cfg.CallbackURL+StatusPath)
	}
	made, err := s.c.create(ctx, "Messages", form)
	if err != nil {
		return notify.Receipt{}, err
	}
	return s.c.receipt(made)
}

// Track asks what became of a message.
func (s *SMS) Track(ctx context.Context, remoteID string) (notify.Event, error) {
	return s.c.track(ctx, "Messages", remoteID)
}

// How far back replies are looked for. Twilio lists a message a little after it
// came, and a restart must not lose what was written meanwhile.
const (
	lookBack = 15 * time.Minute
	maxPages = 20 // of 100 messages
)

// Listen looks for replies every Config.PollEvery. Within one process every
// reply is taken once. After a restart those of the last quarter of an hour are
// handed over again, which does no harm to an answer that names its incident;
// others ("ack", "ack all") would mean something else by now, so of them only
// those count that came since this process first looked.
func (s *SMS) Listen(ctx context.Context, take func(context.Context, notify.Event) error) error {
	tick := time.NewTicker(s.c.cfg.PollEvery)
	defer tick.Stop()
	for {
		if err := s.poll(ctx, take); err != nil {
			if ctx.Err() != nil {
				return nil // we were told to stop
			}
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// poll is one look.
func (s *SMS) poll(ctx context.Context, take func(context.Context, notify.Event) error) error {
	found, now, err := s.inbox(ctx)
	if err != nil {
		return err
	}
	oldest := now.Add(-lookBack)
	for _, m := range found {
		if s.c.wasTaken(m.SID) {
			continue
		}
		if err := s.hand(ctx, m, take); err != nil {
			// It stays, and is found again by the next look.
			if m.at().Before(oldest) {
				oldest = m.at()
			}
			continue
		}
		s.c.markTaken(m)
	}
	s.c.forget(oldest)
	return nil
}

// hand gives the answer in m to take, if there is one that still has its meaning.
func (s *SMS) hand(ctx context.Context, m inbound, take func(context.Context, notify.Event) error) error {
	ev := answer(m.From, m.Body)
	if ev.Answer == nil || ev.Answer.Incident == 0 && m.at().Before(s.c.firstLook()) {
		return nil
	}
	return take(ctx, ev)
}

// inbound is a message that somebody sent to us.
type inbound struct {
	SID       string `json:"sid"`
	Direction string `json:"direction"`
	From      string `json:"from"`
	Body      string `json:"body"`
	Sent      string `json:"date_sent"`    // RFC 2822
	Created   string `json:"date_created"` // the same; there before date_sent
}

func (m inbound) at() time.Time {
	at, _ := time.Parse(time.RFC1123Z, cmp.Or(m.Sent, m.Created)) // zero sorts first and is taken at once
	return at
}

// inbox lists what came since the last look, oldest first, and says what
// Twilio's clock shows. Ours may differ, and its dates are compared with its own.
func (s *SMS) inbox(ctx context.Context) (all []inbound, now time.Time, err error) {
	query := url.Values{"PageSize": {"100"}}
	if sms.E164(s.c.cfg.From) || shortCode.MatchString(s.c.cfg.From) {
		query.Set("To", s.c.cfg.From)
	}
	query.Set("DateSent>", s.c.lookSince().UTC().Format(time.RFC3339))
	next := s.c.address("Messages.json") + "?" + query.Encode()
	for range maxPages {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, next, http.NoBody)
		if err != nil {
			return nil, now, &notify.Failure{Reason: phrase.T("sms.twilio.fail.no_json")}
		}
		var page struct {
			Messages []inbound `json:"messages"`
			Next     string    `json:"next_page_uri"`
		}
		got, err := s.c.ask(req, &page)
		if err != nil {
			return nil, now, err
		}
		if now.IsZero() {
			now = serverTime(got)
			s.c.started(now)
		}
		all = append(all, page.Messages...)
		if !strings.HasPrefix(page.Next, "/2010-04-01/") { // "" at the end; anything else is not ours to call
			break
		}
		next = s.c.cfg.BaseURL + page.Next
	}
	all = slices.DeleteFunc(all, func(m inbound) bool { return m.Direction != "inbound" || m.SID == "" })
	slices.Reverse(all) // Twilio lists the newest first
	slices.SortStableFunc(all, func(a, b inbound) int { return a.at().Compare(b.at()) })
	return all, now, nil
}

func serverTime(a rest.Answer) time.Time {
	if now, err := http.ParseTime(a.Header.Get("Date")); err == nil {
		return now
	}
	return time.Now()
}

func (c *Client) wasTaken(sid string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.seen[sid]
	return ok
}

func (c *Client) markTaken(m inbound) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[m.SID] = m.at()
}

// started notes Twilio's clock at the first look.
func (c *Client) started(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.began.IsZero() {
		c.began = now
	}
}

func (c *Client) firstLook() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.began
}

// lookSince is where the next look begins.
func (c *Client) lookSince() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() {
		return time.Now().Add(-lookBack)
	}
	return c.since
}

// forget drops what can no longer be listed: everything sent before since.
func (c *Client) forget(since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = since
	for sid, at := range c.seen {
		if at.Before(since.Add(-time.Minute)) {
			delete(c.seen, sid)
		}
	}
}

// answer is what a text message says to us. Without an Answer, Detail is what to
// tell the writer; it is "" for words that the carrier answers.
func answer(from, body string) notify.Event {
	action, inc, all, ok := reply.Parse(body)
	switch {
	case ok:
		return notify.Event{Answer: &notify.Answer{Action: action, Incident: inc, All: all, From: from}}
	case reply.Subscription(body):
		return notify.Event{}
	default:
		return notify.Event{Detail: phrase.T("sms.reply.unknown")}
	}
}
