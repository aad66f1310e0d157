package twilio

import (
	"net/url"
	"testing"
)

// A known pair, from the tests of Twilio's own libraries: our signing and the
// fake's could otherwise be wrong together.
func TestSignatureOfTwiliosLibraries(t *testing.T) {
	client := New(Config{AuthToken: "12345", CallbackURL: "https://mycompany.com"}, nil)
	form := url.Values{
		"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"}, "From": {"+14158675309"}, "To": {"+18005551212"},
	}
	const address, signature = "https://mycompany.com/myapp.php?foo=1&bar=2", "RSOYDt4T1cUTdK1PDd93/VVr8B8="
	if !client.signed(address, form, signature) {
		t.Error("the signature is refused")
	}
	form.Set("Digits", "1235")
	if client.signed(address, form, signature) {
		t.Error("the signature passes for other keys")
	}
}
