package runner

import (
	"testing"

	"github.com/watchroom/watchroom/internal/timeline"
)

// TestUsedMarksOneButton, and leaves the document that was posted alone.
func TestUsedMarksOneButton(t *testing.T) {
	posted := &timeline.Document{Blocks: []timeline.Block{
		{Text: "Hello"}, {Actions: []timeline.Action{{Label: "A", Token: "a"}, {Label: "B", Token: "b"}}},
	}}
	got, found := used(posted, "b", "Kim")
	if !found || got.Blocks[1].Actions[1].Used != "Kim" || got.Blocks[1].Actions[0].Used != "" {
		t.Errorf("used() = %+v, %v", got, found)
	}
	if posted.Blocks[1].Actions[1].Used != "" {
		t.Error("the document that was posted has changed")
	}
	for name, doc := range map[string]*timeline.Document{"no document": nil, "no such button": posted} {
		if _, found := used(doc, "c", "Kim"); found {
			t.Errorf("%s: a button was found", name)
		}
	}
}
