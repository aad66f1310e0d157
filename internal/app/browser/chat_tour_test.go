package browser

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/mailbox"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

// letter waits for a mail to user with text in it.
func (h *house) letter(user id.User, text string) mailbox.Message {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), patience)
	defer cancel()
	m, err := h.mail.Wait(ctx, func(m mailbox.Message) bool {
		return m.IsTo(string(user)+"@example.org") && strings.Contains(m.Subject+"\n"+m.Text, text)
	})
	if err != nil {
		h.Fatalf("no mail to %s that says %q: %v", user, text, err)
	}
	return m
}

// letters is how many mails went to user with text in them.
func (h *house) letters(user id.User, text string) int {
	n := 0
	for _, m := range h.mail.Messages() {
		if m.IsTo(string(user)+"@example.org") && strings.Contains(m.Subject+"\n"+m.Text, text) {
			n++
		}
	}
	return n
}

// presses a button, or a link that looks like one, of what the bot said last with it.
func (tb *tab) presses(label string) {
	tb.Helper()
	tb.clickLast(".by-bot .doc-actions .btn", label)
}

// botSays waits until the bot's last message in the room has text in it.
func (tb *tab) botSays(text string) {
	tb.Helper()
	tb.until(`squeeze(all(".msg.by-bot").at(-1)?.textContent ?? "").includes(` + quote(text) + `)`)
}

// chatTour: the bot greets a newcomer and shows her around, from the first
// contact method to the drill; she leaves in the middle and goes on with her
// telephone. An administrator reads what the organisation lacks besides.
func chatTour(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	h.change(
		org.Put(people.User{ID: "mei", Username: "mei", Name: "Mei Tanaka", Email: "mei@example.org", Role: people.Member, Zone: "Asia/Tokyo"}),
		org.Put(people.Team{ID: "db", Slug: "database", Name: "Database", Members: []id.User{"kim", "noor", "mei"}}),
	)
	mei := h.enter(chromium, "mei")
	mei.open("/")
	mei.live()
	mei.sees("[data-rooms] .room-link.is-unread", "victor")
	mei.click("[data-rooms] .room-link", "victor")
	mei.at("/rooms/@victor")
	mei.live()
	mei.sees(".msg.by-bot .tag", "Bot")
	mei.botSays("Hello Mei Tanaka")
	mei.presses("Show me around")
	mei.botSays("8 to go")
	a := newAuditor(mei, "chat")
	a.look("tour")
	a.media("light", wide)

	mei.presses("My contact methods")
	mei.at("/settings/profile/contacts")
	mei.click("a.reach-kind", "E-mail")
	mei.fill("main [name=address]", "mei@example.org")
	mei.click("main form button", "Add")
	mei.sees("main form[action$='/verify']", "")
	code := regexp.MustCompile(`\d{4,}`).FindString(h.letter("mei", "Your Watchroom code is").Subject)
	mei.fill("main [name=code]", code)
	mei.click("main form[action$='/verify'] button", "")
	mei.misses("main form[action$='/verify']", "")

	mei.open("/rooms/@victor")
	mei.live()
	mei.presses("Go on")
	mei.botSays("7 to go")
	mei.presses("Send me a test page")
	mei.botSays("is on its way by e-mail to")
	h.letter("mei", "test")
	mei.waitFor("the record says that the test page has left", func() bool {
		for _, c := range h.org().Users["mei"].Contacts {
			sent, err := h.app.Store.DeliveriesTo(t.Context(), c.ID, 5)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range sent {
				if d.State.Out() {
					return true
				}
			}
		}
		return false
	})
	mei.presses("Go on")
	mei.botSays("6 to go")
	mei.presses("Who is on call?")
	mei.botSays("Kim Okafor")
	mei.presses("Go on")
	mei.botSays("5 to go")
	mei.presses("Take on-call")
	mei.botSays("You are on call in Primary")

	// She leaves, and goes on with her telephone, by the word instead of a button.
	mei.open("/")
	mei.live()
	phone := h.enter(chromium, "mei")
	phone.media("dark", narrow)
	phone.open("/rooms/@victor")
	phone.live()
	phone.write("#composer", "tour")
	phone.botSays("4 to go")
	phone.presses("Hand it back")
	phone.botSays("Primary")
	phone.presses("Go on")
	phone.botSays("3 to go")
	phone.presses("Open a practice incident")
	phone.botSays("is open and pages you, and nobody else")
	mei.sees("#i-1", "Practice: nothing is broken")
	h.letter("mei", "Practice: nothing is broken")
	phone.presses("Acknowledge")
	mei.until(`document.querySelector("#i-1").dataset.state === "acknowledged"`)
	if inc := h.incident(1); inc.State != incident.Acknowledged || inc.AckedBy.User != "mei" {
		t.Errorf("the practice incident is %s by %q", inc.State, inc.AckedBy.Name)
	}
	phone.presses("Go on")
	phone.botSays("1 to go")
	phone.presses("Start a drill")
	phone.botSays("Database")
	for _, u := range []id.User{"kim", "noor"} {
		h.letter(u, "drill")
	}
	phone.presses("Go on")
	phone.botSays("You have seen it all")
	if n := h.letters("kim", "Practice") + h.letters("noor", "Practice"); n != 0 {
		t.Errorf("the practice incident was mailed to colleagues %d times", n)
	}
	newAuditor(phone, "chat").look("tour-over")
	phone.calm()

	h.change(org.Put(org.Settings{Name: "Example", WarningsOpen: true, SnoozeMorningAt: "09:00"}))
	ada := h.enter(chromium, "ada")
	ada.open("/rooms/@victor")
	ada.live()
	ada.write("#composer", "tour")
	ada.botSays("it still lacks")
	ada.botSays("There is no default policy")
	newAuditor(ada, "chat").look("tour-lacks")
	mei.calm()
}
