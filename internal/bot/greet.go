package bot

import (
	"context"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// greetAtOnce is how many newcomers one transaction greets.
const greetAtOnce = 20

// greet introduces the bot to everybody it has not greeted, each once.
func (b *Bot) greet(ctx context.Context) error {
	o, err := b.store.Org(ctx)
	if err != nil || len(strangers(o)) == 0 {
		return err
	}
	return b.store.Do(ctx, func(tx *store.Tx) error {
		var changes []org.Change
		for _, u := range strangers(tx.Org) {
			own := room.DirectOf(u.ID, room.Bot)
			text := phrase.T("bot.hello", u.Name, tx.Org.Settings.Bot.Called())
			if !u.Role.May(people.Talk) {
				text = phrase.T("bot.hello_observer", u.Name, tx.Org.Settings.Bot.Called())
			}
			doc, buttons := b.desk.Arm(&timeline.Document{Blocks: []timeline.Block{
				{Text: text},
				{Actions: []timeline.Action{
					{Label: phrase.T("bot.button.tour"), Line: "tour", Style: "primary"}, {Label: phrase.T("bot.button.help"), Line: "help"},
				}},
			}}, store.Action{Message: tx.NextSeq(), Person: u.ID, ExpiresAt: tx.Now.Add(greetingLife)})
			if _, err := dispatch.Answer(tx, dispatch.Line{Room: own, Text: text, Doc: doc}); err != nil {
				return err
			}
			for _, a := range buttons {
				tx.AddAction(a)
			}
			u.Chat.Greeted = tx.Now
			changes = append(changes, org.Put(u))
		}
		_, done, err := tx.Org.Apply(changes...)
		if err != nil {
			return err
		}
		tx.PutDefinition(done...)
		return nil
	})
}

// strangers are those whom the bot has not greeted, some of them.
func strangers(o *org.Org) []people.User {
	var all []people.User
	for _, u := range o.Users {
		if !u.Disabled && !u.Robot && u.Chat.Greeted.IsZero() {
			if all = append(all, u); len(all) == greetAtOnce {
				break
			}
		}
	}
	return all
}

func roomOf(o *org.Org, n id.Room) room.Room {
	r, _ := o.Room(n)
	return r
}
