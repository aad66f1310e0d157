package carrier_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/carrier"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/email"
	"github.com/watchroom/watchroom/internal/notify/gateway/gatewaytest"
	"github.com/watchroom/watchroom/internal/notify/gotify/gotifytest"
	"github.com/watchroom/watchroom/internal/notify/hook/hooktest"
	"github.com/watchroom/watchroom/internal/notify/ntfy/ntfytest"
	"github.com/watchroom/watchroom/internal/notify/pushover/pushovertest"
	"github.com/watchroom/watchroom/internal/notify/telegram/telegramtest"
	"github.com/watchroom/watchroom/internal/notify/twilio/twiliotest"
	"github.com/watchroom/watchroom/internal/notify/vonage/vonagetest"
	"github.com/watchroom/watchroom/internal/notify/webpush/webpushtest"
	"github.com/watchroom/watchroom/internal/notifytest"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/outbound"
	"github.com/watchroom/watchroom/internal/outbox"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// links are those of a page.
type links struct{}

func (links) Incident(id.Incident) string { return public + "/incidents/1" }
func (links) Action(string, id.Incident, time.Time, id.User, time.Time) string {
	return public + "/a/x"
}
func (links) Drill(string) string { return public + "/drill" }

// outlet is one way out and its far end.
type outlet struct {
	mail    notify.Provider // the way of e-mail
	def     *org.Provider   // the one provider of the method; nil: it needs none
	contact people.Contact  // Kim's; Secret in plain. Without a method the step tells def, a webhook
	push    *webpushtest.Service
	knows   bool // the far end drops what comes with a key that it has seen
	// marks has, for each message that arrived, what is the same in a repetition:
	// the key where the channel has a field for it, else the token or the text.
	marks func() []string
}

// outlets makes every way out that there is, by name.
func outlets(box *secret.Box) map[string]func(t *testing.T) outlet {
	phone := func(m people.Method) people.Contact { return people.Contact{Method: m, Address: kim} }
	return map[string]func(t *testing.T) outlet{
		"email": func(t *testing.T) outlet {
			far := notifytest.NewSMTP(t)
			mailer, err := email.New(email.Config{URL: far.URL(), AllowPlain: true, From: "Watchroom <pager@watch.example.org>"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = mailer.Close() })
			return outlet{
				mail: mailer, contact: people.Contact{Method: people.Email, Address: "kim@example.org"},
				marks: func() (all []string) {
					for _, m := range far.Messages() {
						all = append(all, m.Header.Get("Message-Id"))
					}
					return all
				},
			}
		},
		"sms by twilio": func(t *testing.T) outlet {
			far := twiliotest.New(t)
			return outlet{def: new(twilioAccount(t, box, far.URL)), contact: phone(people.SMS), marks: func() (all []string) {
				for _, m := range far.Messages() {
					all = append(all, m.To+" "+m.Body)
				}
				return all
			}}
		},
		"voice by twilio": func(t *testing.T) outlet {
			far := twiliotest.New(t)
			return outlet{def: new(twilioAccount(t, box, far.URL)), contact: phone(people.Voice), marks: func() (all []string) {
				for _, c := range far.Calls() {
					all = append(all, c.To+" "+c.Twiml)
				}
				return all
			}}
		},
		"sms by vonage": func(t *testing.T) outlet {
			far := vonagetest.New(t)
			def := provider(t, box, org.Vonage, map[string]string{"api_key": vonagetest.APIKey, "from": vonagetest.Number, "base_url": far.URL},
				map[string]string{"api_secret": vonagetest.APISecret})
			return outlet{def: &def, contact: phone(people.SMS), marks: func() (all []string) {
				for _, form := range far.Sent() {
					all = append(all, form.Get("client-ref"))
				}
				return all
			}}
		},
		"sms by gateway": func(t *testing.T) outlet {
			far := gatewaytest.New(t)
			def := provider(t, box, org.Gateway, map[string]string{"format": "json"}, map[string]string{
				"url": far.URL, "template": `{"to":"{to}","text":"{text}"}`, "headers": "Authorization: " + gatewaytest.Authorization, "signing_key": gatewaytest.Secret,
			})
			return outlet{def: &def, contact: phone(people.SMS), knows: true, marks: func() (all []string) {
				for _, m := range far.Sent() {
					all = append(all, m.Key)
				}
				return all
			}}
		},
		"push": func(t *testing.T) outlet {
			far := webpushtest.New(t)
			return outlet{push: far, contact: people.Contact{Method: people.WebPush}, marks: func() (all []string) {
				for _, m := range far.Messages() {
					all = append(all, m.Topic+" "+string(m.Plain))
				}
				return all
			}}
		},
		"ntfy": func(t *testing.T) outlet {
			far := ntfytest.New(t)
			return outlet{contact: people.Contact{Method: people.Ntfy, Address: far.URL + "/kim"}, marks: func() (all []string) {
				for _, m := range far.Messages() {
					if len(m.Actions) == 0 {
						t.Fatalf("the message %+v has no button", m)
					}
					all = append(all, m.Actions[0].URL) // with the page's token
				}
				return all
			}}
		},
		"gotify": func(t *testing.T) outlet {
			const token = "AAaaBBbbCCccDDd"
			far := gotifytest.New(t, token)
			return outlet{contact: people.Contact{Method: people.Gotify, Address: far.URL, Secret: token}, marks: func() (all []string) {
				for _, m := range far.Messages() {
					all = append(all, m.Title+" "+m.Message)
				}
				return all
			}}
		},
		"pushover": func(t *testing.T) outlet {
			far := pushovertest.New(t)
			def := provider(t, box, org.Pushover, map[string]string{"base_url": far.URL}, map[string]string{"token": pushovertest.Token})
			return outlet{def: &def, contact: people.Contact{Method: people.Pushover, Address: pushovertest.User}, marks: func() (all []string) {
				for _, m := range far.Messages() {
					all = append(all, m.Form.Encode())
				}
				return all
			}}
		},
		"telegram": func(t *testing.T) outlet {
			far := telegramtest.New(t)
			far.AddChat(77, "private")
			def := provider(t, box, org.Telegram, map[string]string{"base_url": far.URL}, map[string]string{"token": telegramtest.Token})
			return outlet{def: &def, contact: people.Contact{Method: people.Telegram, Address: "77"}, marks: func() (all []string) {
				for _, m := range far.Messages() {
					if m.ReplyMarkup == nil {
						t.Fatalf("the message %+v has no button", m)
					}
					all = append(all, m.ReplyMarkup.Rows[0][0].Data) // with the page's token
				}
				return all
			}}
		},
		"webhook": func(t *testing.T) outlet {
			far := hooktest.New(t, "hook-signing-key")
			def := provider(t, box, org.Webhook, nil, map[string]string{"url": far.URL, "signing_key": far.Secret})
			return outlet{def: &def, marks: func() (all []string) {
				for _, form := range far.Forms() {
					all = append(all, form.Encode())
				}
				return all
			}}
		},
	}
}

// process is a run of the server: everything in it is gone when it dies.
type process struct {
	*testing.T
	store    *store.Store
	dispatch *dispatch.Dispatcher
	planner  *outbox.Planner
	sender   *outbox.Sender
	set      *carrier.Set
	pages    []notify.Page // that a provider has taken
	taken    func()        // is called right after it has, before anything is recorded
}

func begin(t *testing.T, cfg store.Config, box *secret.Box, out outlet) *process {
	t.Helper()
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	p := &process{T: t, store: s, dispatch: dispatch.New(s, box, log), taken: func() {}}
	p.set = carrier.New(carrier.Options{Box: box, Guard: outbound.Policy{AllowPrivate: true}, PublicURL: public, Email: out.mail, InsecurePush: true})
	p.planner = outbox.NewPlanner(s, log, time.Second)
	p.sender = outbox.NewSender(s, p.dispatch, p.carry, box, links{}, log, id.New(), time.Second)
	return p
}

func (p *process) carry(o *org.Org, method, _ string) (ways []outbox.Carrier) {
	for _, c := range p.set.For(o, people.Method(method)) {
		ways = append(ways, outbox.Carrier{ID: c.ID, Provider: taker{c.Provider, p}, Tracked: c.Tracked})
	}
	return ways
}

// taker is a provider and tells the process when it has taken a page.
type taker struct {
	notify.Provider
	process *process
}

// Send implements notify.Provider.
func (w taker) Send(ctx context.Context, page notify.Page) (notify.Receipt, error) {
	receipt, err := w.Provider.Send(ctx, page)
	if err != nil {
		w.process.Errorf("the provider refuses the page: %v", err)
		return receipt, err
	}
	w.process.pages = append(w.process.pages, page)
	w.process.taken()
	return receipt, nil
}

// end is the end of a process, in good order or not.
func (p *process) end() {
	p.Helper()
	if err := p.store.Close(); err != nil {
		p.Error(err)
	}
}

// furnish makes Kim, who is paged by one method only, and the ways to her.
func (p *process) furnish(box *secret.Box, out outlet) {
	p.Helper()
	var changes []org.Change
	target := escalation.Target{User: "kim"}
	if out.def != nil {
		changes = append(changes, org.Put(*out.def))
	}
	user := people.User{ID: "kim", Username: "kim", Name: "Kim", Email: "kim@example.org", Role: people.Admin, Zone: "UTC"}
	c := out.contact
	if out.push != nil {
		c.Address, c.Secret = p.subscribe(box, out.push)
	}
	if c.Method == "" {
		target = escalation.Target{Webhook: out.def.Name}
	} else {
		c.ID, c.VerifiedAt = "c", time.Now()
		if c.Secret != "" {
			c.Secret = box.Seal(c.Secret)
		}
		user.Contacts = []people.Contact{c}
		user.Paging = &people.PagingPolicy{Rules: []people.PagingRule{{Name: "Always", Steps: []people.PagingStep{{Contacts: []id.Contact{"c"}}}}}}
	}
	changes = append(changes, org.Put(user),
		org.Put(escalation.Policy{ID: "p", Slug: "p", Name: "P", RepeatAfter: escalation.DefaultRepeatAfter, Steps: []escalation.Step{{Targets: []escalation.Target{target}}}}),
		org.Put(org.Settings{Name: "Example", DefaultPolicy: "p", SnoozeMorningAt: "09:00"}))
	_, err := p.dispatch.ChangeOrg(p.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) { return changes, nil })
	if err != nil {
		p.Fatal(err)
	}
}

func (p *process) org() *org.Org {
	p.Helper()
	o, err := p.store.Org(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	return o
}

// subscribe is Kim's browser that subscribes.
func (p *process) subscribe(box *secret.Box, far *webpushtest.Service) (endpoint, keys string) {
	p.Helper()
	if err := carrier.EnsureWebPush(p.Context(), p.org(), p.dispatch, box); err != nil {
		p.Fatal(err)
	}
	push, ok := p.set.Push(p.org())
	if !ok {
		p.Fatal("there is no web push")
	}
	endpoint, keys, err := push.ParseSubscription(far.Subscribe(push.PublicKey()).JSON())
	if err != nil {
		p.Fatal(err)
	}
	return endpoint, keys
}

// page is the one record of the one page.
func (p *process) page() store.Delivery {
	p.Helper()
	all, err := p.store.Deliveries(p.Context(), 1)
	if err != nil || len(all) != 1 {
		p.Fatalf("the records are %+v, %v, want one", all, err)
	}
	return all[0]
}

// said counts how often the timeline says that a provider took the page.
func (p *process) said() (n int) {
	p.Helper()
	entries, err := p.store.Entries(p.Context(), store.EntryFilter{FromStart: true, Limit: 1000})
	if err != nil {
		p.Fatal(err)
	}
	for _, e := range entries {
		if e.Kind == timeline.PageSent {
			n++
		}
	}
	return n
}

// alert takes in an alert and plans the page.
func (p *process) alert() {
	p.Helper()
	intake, stop := context.WithCancel(p.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.dispatch.Run(intake) }()
	_, refused := p.dispatch.Accept(p.Context(), alert.Alert{Type: alert.Critical, EntityID: "disk", Title: "Disk full"})
	stop()
	if err := errors.Join(refused, <-ended, p.planner.Drain(p.Context())); err != nil {
		p.Fatal(err)
	}
}

func (p *process) drain() {
	p.Helper()
	if err := p.sender.Drain(p.Context()); err != nil {
		p.Fatal(err)
	}
}

// The server dies after a provider took a page and before that is on record:
// whoever comes next cannot know, and sends it again under the same key.
func TestACrashBetweenSentAndRecorded(t *testing.T) {
	box := newBox(t)
	for name, open := range outlets(box) {
		t.Run(name, func(t *testing.T) {
			out := open(t)
			var ahead atomic.Int64
			cfg := store.Config{Path: filepath.Join(t.TempDir(), "watchroom.db"), Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}
			first := begin(t, cfg, box, out)
			first.furnish(box, out)
			first.alert()
			life, die := context.WithCancel(t.Context())
			first.taken = die
			if err := first.sender.Drain(life); !errors.Is(err, context.Canceled) {
				t.Fatalf("Drain() = %v, want it to die", err)
			}
			if d := first.page(); len(first.pages) != 1 || d.State != store.Pending || first.said() != 0 {
				t.Fatalf("the provider took %d pages and the record says %s, want one and pending", len(first.pages), d.State)
			}
			first.end()

			second := begin(t, cfg, box, out)
			defer second.end()
			second.drain()
			if n := len(second.pages); n != 0 {
				t.Fatalf("%d pages were sent while the dead still holds the claim", n)
			}
			ahead.Store(int64(11 * time.Second)) // a claim lasts 10 s
			second.drain()
			if len(second.pages) != 1 {
				t.Fatalf("the page was sent %d times after the crash, want once", len(second.pages))
			}
			was, is := first.pages[0], second.pages[0]
			if is.Key == "" || is.Key != was.Key || is.Token != was.Token {
				t.Errorf("the page has key %q and token %q, at first %q and %q", is.Key, is.Token, was.Key, was.Token)
			}
			if is.Key != second.page().Key {
				t.Errorf("the page has key %q, its record %q", is.Key, second.page().Key)
			}
			ahead.Store(int64(30 * time.Second))
			second.drain()
			want := 2 // and not one more
			if out.knows {
				want = 1
			}
			marks := out.marks()
			if len(marks) != want || marks[0] != marks[want-1] || strings.TrimSpace(marks[0]) == "" {
				t.Errorf("what arrived is %q, want the same, %d in all", marks, want)
			}
			if d := second.page(); !slices.Contains([]store.DeliveryState{store.Sent, store.Accepted, store.Delivered}, d.State) || second.said() != 1 {
				t.Errorf("the record says %s and the timeline %d times that it left, want once", d.State, second.said())
			}
		})
	}
}
