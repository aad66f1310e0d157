package browser

import (
	"context"
	"testing"
)

// TestInTheBrowser tells every story in one browser, each with a server and
// tabs of its own. Together they look at every page.
func TestInTheBrowser(t *testing.T) {
	chromium := newChromium(t)
	stories := []struct {
		name string
		tell func(t *testing.T, chromium context.Context)
	}{
		{"FirstIncident", firstIncident},
		{"Together", together},
		{"Offline", offline},
		{"MailLink", mailLink},
		{"Keys", keys},
		{"Past", past},
		{"ByHand", byHand},
		{"Push", push},
		{"OnCallTaken", onCallTaken},
		{"OnCallDragged", onCallDragged},
		{"ChatTogether", chatTogether},
		{"ChatThread", chatThread},
		{"ChatPaste", chatPaste},
		{"ChatUnread", chatUnread},
		{"ChatDraft", chatDraft},
		{"ChatPrivate", chatPrivate},
		{"ChatPages", chatPages},
		{"ChatTour", chatTour},
		{"ChatApproval", chatApproval},
		{"ChatFails", chatFails},
		{"ChatRestart", chatRestart},
		{"ChatDrop", chatDrop},
		{"ChatCalled", chatCalled},
		{"ChatPresence", chatPresence},
		{"ChatFlood", chatFlood},
		{"ChatBack", chatBack},
		{"ChatThreadTyping", chatThreadTyping},
		{"ChatFinds", chatFinds},
		{"ChatOnlooker", chatOnlooker},
		{"ChatRobot", chatRobot},
		{"StepUp", stepUp},
		{"PublicPages", publicPages},
		{"EveryPage", everyPage},
		{"Onlooker", onlooker},
	}
	told := 0
	for _, story := range stories {
		t.Run(story.name, func(t *testing.T) {
			told++
			story.tell(t, chromium)
		})
	}
	if told == len(stories) && !t.Failed() { // what was cut short has not seen all
		nothingForgotten(t)
	}
}
