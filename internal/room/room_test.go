package room_test

import (
	"slices"
	"testing"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/room"
)

// What stands in one room may be said in another when nobody reads there who
// could not read it where it stands.
func TestOpenTo(t *testing.T) {
	direct := func(a, b id.User) room.Room { return room.Room{ID: room.DirectOf(a, b), Kind: room.Direct} }
	var (
		main   = room.Room{Kind: room.Public}
		ops    = room.Room{ID: "ops", Kind: room.Public, Members: []id.User{"ann"}}
		staff  = room.Room{ID: "staff", Kind: room.Private, Members: []id.User{"ann", "ben", "cyd"}}
		raise  = room.Room{ID: "raise", Kind: room.Private, Members: []id.User{"ann", "ben"}}
		others = room.Room{ID: "others", Kind: room.Group, Members: []id.User{"ann", "dan"}}
	)
	for _, c := range []struct {
		what     string
		of, here room.Room
		want     bool
	}{
		{"the timeline anywhere", main, raise, true},
		{"a public room in the timeline", ops, main, true},
		{"a public room in a private one", ops, raise, true},
		{"a private room in the timeline", raise, main, false},
		{"a private room in a public one whose members all know it", raise, ops, false},
		{"a private room in itself", raise, raise, true},
		{"among some of those who know", staff, raise, true},
		{"among more than those who know", raise, staff, false},
		{"among others", raise, others, false},
		{"between two who know", raise, direct("ann", "ben"), true},
		{"between two of whom one knows", raise, direct("ann", "dan"), false},
		{"to the bot alone", raise, direct("ann", room.Bot), true},
		{"to the bot by somebody else", raise, direct("dan", room.Bot), false},
		{"between two, in a room of theirs", direct("ann", "ben"), raise, true},
		{"between two, in a room of more", direct("ann", "ben"), staff, false},
		{"what was told the bot, in a room", direct("ann", room.Bot), raise, false},
	} {
		if got := c.of.OpenTo(c.here); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

func TestWish(t *testing.T) {
	for _, c := range []struct{ slug, wished, want string }{
		{"leads-nvn8p", "leads", "leads"}, {"team-infra", "", "team-infra"}, {"", "", ""},
	} {
		r := room.Room{ID: "r", Kind: room.Private, Slug: c.slug, Wished: c.wished}
		if got := r.Wish(); got != c.want {
			t.Errorf("the private room %s is called %q, want %q", c.slug, got, c.want)
		}
	}
}

// A room that belongs to its members keeps the last one.
func TestWithAndWithout(t *testing.T) {
	for _, c := range []struct {
		what string
		is   room.Room
		want []id.User
	}{
		{"one more", room.Room{Members: []id.User{"ann"}}.With("ben"), []id.User{"ann", "ben"}},
		{"one who is there", room.Room{Members: []id.User{"ann"}}.With("ann"), []id.User{"ann"}},
		{"one less", room.Room{Kind: room.Private, Members: []id.User{"ann", "ben"}}.Without("ann"), []id.User{"ben"}},
		{"one who is not there", room.Room{Kind: room.Private, Members: []id.User{"ann", "ben"}}.Without("cyd"), []id.User{"ann", "ben"}},
		{"the last one", room.Room{Kind: room.Private, Members: []id.User{"ann"}}.Without("ann"), []id.User{"ann"}},
		{"the last one of a public room", room.Room{Kind: room.Public, Members: []id.User{"ann"}}.Without("ann"), []id.User{}},
	} {
		if !slices.Equal(c.is.Members, c.want) {
			t.Errorf("%s: %v, want %v", c.what, c.is.Members, c.want)
		}
	}
}

func TestMayBind(t *testing.T) {
	for _, c := range []struct {
		what string
		in   room.Room
		want bool
	}{
		{"the timeline", room.Room{Kind: room.Public}, true},
		{"a public room", room.Room{ID: "r", Kind: room.Public}, true},
		{"a closed one", room.Room{ID: "r", Kind: room.Public, Closed: true}, false},
		{"their private room", room.Room{ID: "r", Kind: room.Private, Members: []id.User{"ann"}}, true},
		{"that of others", room.Room{ID: "r", Kind: room.Private, Members: []id.User{"ben"}}, false},
		{"of two people", room.Room{ID: room.DirectOf("ann", "ben"), Kind: room.Direct}, false},
	} {
		if got := c.in.MayBind("ann"); got != c.want {
			t.Errorf("%s: %t, want %t", c.what, got, c.want)
		}
	}
}
