package app

import (
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/invocation"
)

// A command of our own whose secret nobody has set fails at once and says which
// and where; as soon as it is there it works, and the secret is not shown.
func TestACommandWithASecret(t *testing.T) {
	w := serving(t, nil, func(o *Options) {
		put(t, o.Config.Commands, "tell.sh", "#!/bin/sh\ntest \"$TOKEN\" = hush-hush && echo \"told with $TOKEN\"\n", 0o755)
		put(t, o.Config.Commands, "tell.yaml", "words: tell\nsummary: Tells it.\nrisk: read\nsecrets: [TOKEN]\n", 0o644)
	})
	w.known("tell")
	inv := w.typed("kim", "!tell", invocation.Failed)
	if !strings.Contains(inv.Why, "The secret TOKEN of tell is not set") || !strings.Contains(inv.Why, "secrets/tell.sh/TOKEN") {
		t.Errorf("it failed: %q", inv.Why)
	}
	if got := w.app.secretsOf("tell"); len(got) != 1 || got[0].Name != "TOKEN" || got[0].Problem != inv.Why {
		t.Errorf("the page says %+v", got)
	}
	put(t, w.dir, "secrets/tell.sh/TOKEN", "hush-hush\n", 0o600)
	inv = w.typed("kim", "!tell", invocation.Succeeded)
	inv, err := w.app.Store.Invocation(w.Context(), inv.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(inv.Output, "told with ***") {
		t.Errorf("it said %q", inv.Output)
	}
	if got := w.app.secretsOf("tell"); len(got) != 1 || got[0].Problem != "" {
		t.Errorf("the page says %+v", got)
	}
}
