package org

import (
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/people"
)

func TestNobodyIsTakenForAnother(t *testing.T) {
	o := example(t)
	called := func(username, name string) people.User {
		u := person("new", name, people.Member)
		u.Username = username
		return u
	}
	for _, c := range []struct {
		why   string
		put   any
		wrong string // part of the sentence; "" when it is allowed
	}{
		{"a new person", called("zoe", "Zoe Ng"), ""},
		{"another's name", called("zoe", "Kim"), "Somebody else"},
		{"another's name with what is invisible", called("zoe", "k\u200bim "), "Somebody else"},
		{"another's name in letters of another alphabet", called("zoe", "Кim"), "Somebody else"},
		{"another's username as a name", called("zoe", "@kim"), "Somebody else"},
		{"another's name as a username", called("k.i.m", "Zoe"), "Somebody else"},
		{"the bot", called("victor", "Zoe"), "the bot's name"},
		{"the bot's name", called("zoe", "Victor"), "the bot's name"},
		{"a word that calls many", called("here", "Zoe"), "means something else"},
		{"a word that calls many, as a name", called("zoe", "On Call"), "means something else"},
		{"nothing to be seen", called("zoe", "\u200b"), "can be seen"},
		{"a name that turns its line round", called("zoe", "Zoe\u202e"), "from left to right"},
		{"oneself, written otherwise", func() people.User { k := person("kim", "KIM", people.Member); return k }(), ""},
		{"a person who takes another's name", person("kim", "Lee", people.Member), "Somebody else"},
		{"a bot that takes a person's", Settings{Name: "Example", DefaultPolicy: "fallback", SnoozeMorningAt: "09:00", Bot: Bot{Name: "kim"}}, "somebody is"},
		{"a bot with a name of its own", Settings{Name: "Example", DefaultPolicy: "fallback", SnoozeMorningAt: "09:00", Bot: Bot{Name: "hal"}}, ""},
	} {
		_, _, err := o.Apply(Put(c.put))
		if c.wrong == "" && err != nil || c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%s: Apply = %v, want %q", c.why, err, c.wrong)
		}
	}
}

// TestNamesOfOldStay: what was stored before names were looked at is loaded,
// and all but the name of it can be changed.
func TestNamesOfOldStay(t *testing.T) {
	twin := person("here", "Kim", people.Member)
	o := example(t)
	o.Users[twin.ID] = twin
	twin.Zone = "Europe/Berlin"
	if _, _, err := o.Apply(Put(twin)); err != nil {
		t.Errorf("another zone: %v", err)
	}
	twin.Name = "kim"
	if _, _, err := o.Apply(Put(twin)); err == nil {
		t.Error("a new name that is another's is allowed")
	}
	lee := person("lee", "Kim", people.Member)
	if _, _, err := o.Apply(Put(lee), Put(person("kim", "Lee", people.Member))); err == nil {
		t.Error("Kim is still the name of the twin")
	}
	if _, _, err := example(t).Apply(Put(lee), Put(person("kim", "Lee", people.Member))); err == nil {
		t.Error("two who exchange their names, while each keeps the other's as username")
	}
}

func TestFreeUsername(t *testing.T) {
	o := example(t)
	for wish, want := range map[string]string{"zoe": "zoe", "kim": "kim2", "victor": "victor2", "here": "here2", "all": "all2"} {
		if got := o.FreeUsername(wish); got != want {
			t.Errorf("FreeUsername(%q) = %q, want %q", wish, got, want)
		}
	}
}
