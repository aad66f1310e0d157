package browser

import (
	"context"
	"testing"
)

// TestInTheBrowser tells every story in one browser, each with a server and
// tabs of its own.
func TestInTheBrowser(t *testing.T) {
	chromium := newChromium(t)
	for _, story := range []struct {
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
	} {
		t.Run(story.name, func(t *testing.T) { story.tell(t, chromium) })
	}
}
