package browser

import "github.com/chromedp/cdproto/input"

var keyCommand = input.DispatchKeyEvent

// keyEvent is a key that writes no letter.
func keyEvent(name string) input.DispatchKeyEventParams {
	return input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: name, Code: name}
}
