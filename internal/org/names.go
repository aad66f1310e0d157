package org

import (
	"errors"
	"slices"
	"strconv"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Who wrote a line is read off its name, so that no name may look like another
// person's, the bot's, or a word that calls many. Names that are there already
// stay: what was stored before anybody looked can be loaded and changed.

// checkNames looks at the names that are new.
func (o *Org) checkNames(was *Org) error {
	var looks map[string][]id.User // made when it is needed: most changes leave the names alone
	bot := people.Look(o.Settings.Bot.Called())
	if bot != people.Look(was.Settings.Bot.Called()) {
		looks = o.looks()
		if len(looks[bot]) > 0 || slices.Contains(people.ReservedNames, bot) && bot != "bot" {
			return errors.New(phrase.T("org.name.bot_taken", o.Settings.Bot.Called()))
		}
	}
	for n, u := range o.Users {
		before, known := was.Users[n]
		if known && before.Name == u.Name && before.Username == u.Username {
			continue
		}
		if looks == nil {
			looks = o.looks()
		}
		if _, wrong := o.impostor(was, u, looks); wrong != "" {
			return errors.New(wrong)
		}
	}
	return nil
}

// Impostor says by which field u, whom o does not have yet or under another
// name, would be taken for somebody else, in a sentence; "" when by none.
func (o *Org) Impostor(u people.User) (field, sentence string) { return o.impostor(o, u, o.looks()) }

func (o *Org) impostor(was *Org, u people.User, looks map[string][]id.User) (field, sentence string) {
	before := was.Users[u.ID]
	for _, said := range []struct{ field, name, before string }{{"username", u.Username, before.Username}, {"name", u.Name, before.Name}} {
		if said.name == said.before {
			continue
		}
		if wrong := people.WrongName(said.name); wrong != "" {
			return said.field, wrong
		}
		look := people.Look(said.name)
		another := func(n id.User) bool { return n != u.ID }
		switch {
		case look == people.Look(o.Settings.Bot.Called()):
			return said.field, phrase.T("org.name.bot", said.name)
		case slices.Contains(people.ReservedNames, look):
			return said.field, phrase.T("org.name.reserved", said.name)
		case slices.ContainsFunc(looks[look], another):
			return said.field, phrase.T("org.name.taken", said.name)
		}
	}
	return "", ""
}

// looks are the people by what their names and usernames look like.
func (o *Org) looks() map[string][]id.User {
	all := make(map[string][]id.User, 2*len(o.Users))
	for n, u := range o.Users {
		for _, name := range []string{u.Name, u.Username} {
			look := people.Look(name)
			all[look] = append(all[look], n)
		}
	}
	return all
}

// FreeUsername is a username like wish that nobody has and that means nothing else.
func (o *Org) FreeUsername(wish string) string {
	looks := o.looks()
	free := wish
	for n := 2; ; n++ {
		if _, taken := o.impostor(&Org{}, people.User{Username: free}, looks); taken == "" {
			return free
		}
		free = wish + strconv.Itoa(n)
	}
}
