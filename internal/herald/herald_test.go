package herald

import (
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func person(u id.User, chat people.ChatSettings) people.User {
	return people.User{
		ID: u, Username: string(u), Name: strings.ToUpper(string(u[:1])) + string(u[1:]), Email: string(u) + "@example.org", Role: people.Member, Zone: "Europe/Berlin", Chat: chat,
		Contacts: []people.Contact{
			{ID: id.Contact("mail-" + u), Method: people.Email, Address: string(u) + "@example.org", VerifiedAt: noon},
			{ID: id.Contact("ntfy-" + u), Method: people.Ntfy, Address: "https://ntfy.example/" + string(u), VerifiedAt: noon},
		},
	}
}

func objects() []org.Change {
	return []org.Change{
		org.Put(person("ada", people.ChatSettings{})),
		org.Put(person("kim", people.ChatSettings{Mentions: people.HearPush, Direct: people.HearPage})),
		org.Put(person("lee", people.ChatSettings{Mentions: people.HearPage, QuietFrom: "22:00", QuietTo: "07:00"})),
		org.Put(person("max", people.ChatSettings{Mentions: people.HearPush})),
		org.Put(room.Room{ID: "r1", Kind: room.Private, Slug: "us", Members: []id.User{"ada", "lee"}}),
		org.Put(org.Settings{Name: "Example", SnoozeMorningAt: "09:00"}),
	}
}

func TestCallings(t *testing.T) {
	o, err := org.Build(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if o, _, err = o.Apply(objects()...); err != nil {
		t.Fatal(err)
	}
	said := func(by id.User, in id.Room, m timeline.Message) timeline.Entry {
		return timeline.Entry{Seq: 7, At: noon, Kind: timeline.MessagePosted, Person: by, Actor: timeline.Actor{User: by}, Room: in, Payload: m}
	}
	bot := said("", room.DirectOf("kim", room.Bot), timeline.Message{Text: "done"})
	bot.Actor = timeline.Actor{Name: "victor", Origin: timeline.Bot}
	tests := []struct {
		intent string
		entry  timeline.Entry
		there  []store.Presence
		at     time.Time
		want   []string
	}{
		{"who wants a push gets one", said("ada", "", timeline.Message{Mentions: []id.User{"kim"}}), nil, noon, []string{"ntfy-kim"}},
		{"who wants a page gets it by every method of the first step", said("ada", "", timeline.Message{Mentions: []id.User{"lee"}}), nil, noon, []string{"mail-lee", "ntfy-lee"}},
		{"who wants nothing gets nothing", said("kim", "", timeline.Message{Mentions: []id.User{"ada"}}), nil, noon, nil},
		{"nobody hears of their own words", said("kim", "", timeline.Message{Mentions: []id.User{"kim"}}), nil, noon, nil},
		{"nobody in their quiet hours", said("ada", "", timeline.Message{Mentions: []id.User{"lee"}}), nil, noon.Add(10 * time.Hour), nil},
		{"nobody of what they may not read", said("ada", "r1", timeline.Message{Mentions: []id.User{"kim"}}), nil, noon, nil},
		{"a direct message", said("ada", room.DirectOf("ada", "kim"), timeline.Message{}), nil, noon, []string{"mail-kim", "ntfy-kim"}},
		{"an answer of the bot calls nobody", bot, nil, noon, nil},
		{"here calls who is there", said("ada", "", timeline.Message{Everybody: true}), []store.Presence{{Person: "kim"}, {Person: "ada"}}, noon, []string{"ntfy-kim"}},
		{"hours later it is no news", said("ada", "", timeline.Message{Mentions: []id.User{"kim"}}), nil, noon.Add(2 * time.Hour), nil},
	}
	for _, tt := range tests {
		if tt.at != noon {
			if tt.intent != "hours later it is no news" {
				tt.entry.At = tt.at
			}
		}
		var got []string
		for _, c := range Callings(o, tt.entry, tt.there, tt.at) {
			got = append(got, string(c.Contact.ID))
		}
		if len(got) > 0 && !calls(tt.entry) || calls(bot) {
			t.Errorf("%s: the cursor may rest before it: %t", tt.intent, !calls(tt.entry))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.intent, diff)
		}
	}
}

func TestAMessageIsToldOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		box := secrettest.Box(t)
		log := slog.New(slog.DiscardHandler)
		d := dispatch.New(s, box, log)
		if _, err := d.ChangeOrg(t.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) { return objects(), nil }); err != nil {
			t.Fatal(err)
		}
		h := New(s, box, log, "https://watch.example", time.Second)
		who := people.Actor{User: "ada", Name: "Ada", Role: people.Member, Origin: timeline.Browser}
		seq, err := d.Say(t.Context(), who, dispatch.Line{Text: "@kim have a look"})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Edit(t.Context(), who, seq, "@kim @max have a look"); err != nil {
			t.Fatal(err)
		}
		gone, err := d.Say(t.Context(), who, dispatch.Line{Text: "@kim never mind"})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Delete(t.Context(), who, gone); err != nil {
			t.Fatal(err)
		}
		if err := d.Edit(t.Context(), who, seq, "have a look"); err != nil {
			t.Fatal(err)
		}
		if err := d.Edit(t.Context(), who, seq, "@kim @max have a look at it"); err != nil { // both were called before
			t.Fatal(err)
		}
		for range 3 {
			if _, err := h.runOnce(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		sent, err := s.DeliveriesTo(t.Context(), "ntfy-kim", 10)
		if err != nil || len(sent) != 1 || sent[0].Entry != seq {
			t.Errorf("deliveries to Kim: %+v, %v; want one about %d", sent, err, seq)
		}
		if sent, err := s.DeliveriesTo(t.Context(), "ntfy-max", 10); err != nil || len(sent) != 1 || sent[0].Entry != seq {
			t.Errorf("deliveries to Max, whom an edit calls: %+v, %v; want one about %d", sent, err, seq)
		}
		before, err := s.Cursors(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Say(t.Context(), who, dispatch.Line{Text: "nobody is called"}); err != nil {
			t.Fatal(err)
		}
		if more, err := h.runOnce(t.Context()); more || err != nil {
			t.Errorf("runOnce() = %t, %v", more, err)
		}
		if after, err := s.Cursors(t.Context()); err != nil || after[Cursor] != before[Cursor] {
			t.Errorf("the cursor went from %d to %d for a message that calls nobody (%v)", before[Cursor], after[Cursor], err)
		}
	})
}
