package secret

import "testing"

// FuzzFromText reads keys that an operator wrote into a file or a variable;
// what is taken is a key that seals and opens.
func FuzzFromText(f *testing.F) {
	f.Add(NewKey())
	f.Add(" \n" + NewKey() + "==\n")
	f.Add("AAAA")
	f.Add("=")
	f.Fuzz(func(t *testing.T, text string) {
		box, err := FromText(text)
		if err != nil {
			return
		}
		if plain, err := box.Open(box.Seal("a secret")); err != nil || plain != "a secret" {
			t.Errorf("with the key %q: %q, %v", text, plain, err)
		}
	})
}
