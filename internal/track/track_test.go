package track_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/carrier"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/pushover/pushovertest"
	"github.com/watchroom/watchroom/internal/notify/telegram/telegramtest"
	"github.com/watchroom/watchroom/internal/notify/twilio/twiliotest"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/outbound"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/track"
)

const (
	kim  = "+4915112345678"
	look = 5 * time.Millisecond // between two looks of a test
)

type taken struct {
	method   people.Method
	provider id.Provider
	event    notify.Event
}

// world is a Tracker on a real database with fake vendors.
type world struct {
	store    *store.Store
	box      *secret.Box
	set      *carrier.Set
	taken    chan taken
	answers  chan error // what taking comes to; nil when there is none waiting
	pushover *pushovertest.Server
	telegram *telegramtest.Server
	twilio   *twiliotest.Server
}

func (w *world) TakeEvent(ctx context.Context, m people.Method, p id.Provider, ev notify.Event) (string, error) {
	var err error
	select {
	case err = <-w.answers:
	default:
	}
	select {
	case w.taken <- taken{m, p, ev}:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return "", err
}

func newWorld(t *testing.T) *world {
	t.Helper()
	box := secrettest.Box(t)
	s := storetest.Open(t)
	return &world{
		store: s, box: box, taken: make(chan taken), answers: make(chan error, 10),
		set:      carrier.New(carrier.Options{Box: box, Guard: outbound.Policy{AllowPrivate: true}}),
		pushover: pushovertest.New(t), telegram: telegramtest.New(t), twilio: twiliotest.New(t),
	}
}

// define puts a provider into the organisation.
func (w *world) define(t *testing.T, n id.Provider, kind org.ProviderKind, settings, secrets map[string]string) {
	t.Helper()
	p, err := carrier.Sealed(w.box, org.Provider{}, org.Provider{ID: n, Kind: kind, Name: string(n), Settings: settings}, secrets)
	if err != nil {
		t.Fatal(err)
	}
	w.apply(t, org.Put(p))
}

func (w *world) apply(t *testing.T, changes ...org.Change) {
	t.Helper()
	err := w.store.Do(t.Context(), func(tx *store.Tx) error {
		_, done, err := tx.Org.Apply(changes...)
		if err != nil {
			return err
		}
		tx.PutDefinition(done...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) withPushover(t *testing.T) {
	w.define(t, "po", org.Pushover, map[string]string{"base_url": w.pushover.URL}, map[string]string{"token": pushovertest.Token})
}

func (w *world) withTwilio(t *testing.T) {
	w.define(t, "tw", org.Twilio, map[string]string{"account_sid": twiliotest.AccountSID, "from": twiliotest.Number, "base_url": w.twilio.URL},
		map[string]string{"auth_token": twiliotest.AuthToken})
}

func (w *world) withTelegram(t *testing.T) {
	w.define(t, "te", org.Telegram, map[string]string{"base_url": w.telegram.URL}, map[string]string{"token": telegramtest.Token})
}

// send sends a page about incident 1 and records that it was accepted.
func (w *world) send(t *testing.T, p id.Provider, m people.Method, to string) (remote string) {
	t.Helper()
	o, err := w.store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, ok := w.set.Carrying(o, p, m)
	if !ok {
		t.Fatalf("nobody carries %s", m)
	}
	got, err := c.Provider.Send(t.Context(), notify.Page{Key: "d-1", To: to, Token: "7-abc", Incidents: []notify.PageIncident{{Number: 1, Title: "Disk full", Severity: "critical"}}})
	if err != nil {
		t.Fatal(err)
	}
	err = w.store.Do(t.Context(), func(tx *store.Tx) error {
		tx.AddDelivery(store.Delivery{
			Key: "d-" + got.RemoteID, Kind: store.StepPage, DueAt: tx.Now, ExpiresAt: tx.Now.Add(time.Hour), Incident: 1, Person: "kim", Contact: "c-kim",
			Provider: p, Remote: got.RemoteID, Body: store.DeliveryBody{Method: string(m), Address: to},
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	found, err := w.store.DeliveriesTo(t.Context(), "c-kim", 1)
	if err != nil || len(found) != 1 {
		t.Fatalf("the delivery is %v, %v", found, err)
	}
	err = w.store.Do(t.Context(), func(tx *store.Tx) error {
		d := found[0]
		d.State = store.Accepted
		tx.PutDelivery(d)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got.RemoteID
}

// run lets a Tracker work until the test ends.
func (w *world) run(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	tracker := track.New(track.Options{Store: w.store, Carriers: w.set, Events: w, Log: slog.New(slog.DiscardHandler), Holder: id.New(), Interval: look})
	go func() { ended <- tracker.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
}

func (w *world) next(t *testing.T) taken {
	t.Helper()
	select {
	case got := <-w.taken:
		return got
	case <-t.Context().Done():
	case <-time.After(10 * time.Second):
	}
	t.Fatal("nothing was taken")
	return taken{}
}

// Where no callback can come in, Twilio is asked; what is known is not told twice.
func TestMessagesAreAskedAbout(t *testing.T) {
	w := newWorld(t)
	w.withTwilio(t)
	sms := w.send(t, "tw", people.SMS, kim)
	w.run(t)
	w.twilio.SetStatus(sms, "sent", 0)
	if got := w.next(t); got.event.State != notify.Accepted || got.event.RemoteID != sms || got.provider != "tw" || got.method != people.SMS {
		t.Fatalf("taken was %+v, want that it was accepted", got)
	}
	w.answers <- fault.Unavailable("busy", 0) // it is handed over again
	w.twilio.SetStatus(sms, "delivered", 0)
	for range 2 {
		if got := w.next(t); got.event.State != notify.Delivered {
			t.Fatalf("taken was %+v, want that it arrived", got)
		}
	}
	call := w.send(t, "tw", people.Voice, kim)
	w.twilio.SetStatus(call, "no-answer", 0)
	if got := w.next(t); got.event.State != notify.Undelivered || got.event.RemoteID != call || got.method != people.Voice {
		t.Errorf("taken was %+v, want the call that nobody took, and no second word about the message", got)
	}
}

// Pushover goes on being asked after a page has arrived: it may be answered there.
func TestAnswersAreAskedFor(t *testing.T) {
	w := newWorld(t)
	w.withPushover(t)
	w.run(t)
	receipt := w.send(t, "po", people.Pushover, pushovertest.User)
	w.pushover.Deliver(receipt)
	if got := w.next(t); got.event.State != notify.Delivered {
		t.Fatalf("taken was %+v, want that it arrived", got)
	}
	w.pushover.Acknowledge(receipt, pushovertest.User, "iphone")
	got := w.next(t)
	if got.event.Answer == nil || got.event.Answer.Action != notify.Acknowledge || got.event.State != notify.Seen {
		t.Fatalf("taken was %+v, want the answer", got)
	}
	// It falls silent: that is no failure to arrive, and nothing more is told.
	second := w.send(t, "po", people.Pushover, pushovertest.User)
	w.pushover.Deliver(second)
	if got := w.next(t); got.event.RemoteID != second {
		t.Fatalf("taken was %+v, want the second page", got)
	}
	w.pushover.Expire(second)
	third := w.send(t, "po", people.Pushover, pushovertest.User)
	w.pushover.Expire(third)
	if got := w.next(t); got.event.RemoteID != third || got.event.State != notify.Undelivered {
		t.Errorf("taken was %+v, want that the third never arrived", got)
	}
}

// When somebody looks after the incident, the noise ends.
func TestNoiseEnds(t *testing.T) {
	w := newWorld(t)
	w.withPushover(t)
	n := id.Incident(0)
	put := func(state incident.State) {
		err := w.store.Do(t.Context(), func(tx *store.Tx) error {
			if n == 0 {
				n = tx.NewIncident()
			}
			tx.Save(incident.Decision{Changed: true, Incident: incident.Incident{ID: n, State: state, EntityID: "disk", TriggeredAt: tx.Now}})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put(incident.Triggered)
	receipt := w.send(t, "po", people.Pushover, pushovertest.User)
	w.run(t)
	w.pushover.Deliver(receipt)
	w.next(t)
	if w.pushover.Cancelled(receipt) {
		t.Fatal("the noise ended while nobody looks after the incident")
	}
	put(incident.Acknowledged)
	deadline := time.After(10 * time.Second)
	for tick := time.Tick(look); !w.pushover.Cancelled(receipt); {
		select {
		case <-tick:
		case <-deadline:
			t.Fatal("the incident is acknowledged, and the phone goes on")
		}
	}
}

// Telegram is listened to; who may not answer is told so, and a provider that
// is changed is listened to anew.
func TestTelegramIsListenedTo(t *testing.T) {
	w := newWorld(t)
	user := telegramtest.User{ID: 77, FirstName: "Kim"}
	w.telegram.AddChat(77, "private")
	w.withTelegram(t)
	w.run(t)
	w.telegram.Say(user, telegramtest.Chat{ID: 77, Type: "private"}, "ack 42", 0)
	got := w.next(t)
	if got.method != people.Telegram || got.provider != "te" || got.event.Answer == nil || got.event.Answer.Incident != 42 || got.event.Answer.From != "77" {
		t.Fatalf("taken was %+v", got)
	}
	w.answers <- fault.Conflict("Lee was first.")
	w.telegram.Say(user, telegramtest.Chat{ID: 77, Type: "private"}, "ack 43", 0)
	w.next(t)
	err := w.telegram.Await(t.Context(), func() bool {
		said := w.telegram.Messages()
		return len(said) > 0 && said[len(said)-1].Text == "Lee was first."
	})
	if err != nil {
		t.Fatalf("the person was told %+v, %v", w.telegram.Messages(), err)
	}
	reads := w.telegram.Reads()
	o, err := w.store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	renamed := o.Providers["te"]
	renamed.Name = "Another bot"
	w.apply(t, org.Put(renamed))
	if err := w.telegram.Await(t.Context(), func() bool { return w.telegram.Reads() > reads }); err != nil {
		t.Fatal(err)
	}
	w.telegram.Say(user, telegramtest.Chat{ID: 77, Type: "private"}, "ack 44", 0)
	got = w.next(t)
	for got.event.Answer != nil && got.event.Answer.Incident == 43 { // was not confirmed yet, and comes again
		got = w.next(t)
	}
	if got.event.Answer == nil || got.event.Answer.Incident != 44 {
		t.Errorf("after the change taken was %+v", got)
	}
}

// A text message that does not count is answered, so that nobody relies on it;
// a stranger's is not.
func TestRepliesAreFetched(t *testing.T) {
	w := newWorld(t)
	w.withTwilio(t)
	w.answers <- fault.NotFound("who are you?")
	w.answers <- fault.Conflict("Lee was first.")
	w.twilio.Receive("+15005550099", "ack 41")
	w.twilio.Receive(kim, "ack 42")
	w.run(t)
	if got := w.next(t); got.event.Answer == nil || got.event.Answer.Incident != 41 || got.method != people.SMS {
		t.Fatalf("taken was %+v", got)
	}
	if got := w.next(t); got.event.Answer == nil || got.event.Answer.From != kim {
		t.Fatalf("taken was %+v", got)
	}
	deadline := time.After(10 * time.Second)
	for tick := time.Tick(look); len(w.twilio.Messages()) == 0; {
		select {
		case <-tick:
		case <-deadline:
			t.Fatal("the person was not told")
		}
	}
	if got := w.twilio.Messages(); len(got) != 1 || got[0].To != kim || got[0].Body != "Lee was first." {
		t.Errorf("told were %+v, want Kim alone", got)
	}
}
