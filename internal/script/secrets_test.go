package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/fault"
)

// A secret that is not there is told by its name and place, never by what
// stands in another.
func TestSecretsOfACommand(t *testing.T) {
	c := write(t, "#!/bin/sh\n", reads+"secrets: [TOKEN, OTHER]\n")
	place := filepath.Join(c.folder, secretsFolder, c.name)
	put := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := os.MkdirAll(place, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(place, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(place, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	lacks := func(want ...string) {
		t.Helper()
		got := c.Lacks()
		if len(got) != len(want) {
			t.Fatalf("it lacks %v, want %v", got, want)
		}
		for i, l := range got {
			if s := l.Sentence(); !strings.Contains(s, want[i]) || strings.Contains(s, "value") {
				t.Errorf("%q does not say %q", s, want[i])
			}
		}
		values, err := c.ReadSecrets()
		if len(want) > 0 && (values != nil || !strings.Contains(fault.MessageOf(err), want[0])) {
			t.Errorf("ReadSecrets() = %v, %v", values, err)
		}
	}
	lacks("The secret TOKEN of", "The secret OTHER of")
	put("TOKEN", "value-one\n", 0o600)
	lacks("secrets/" + c.name + "/OTHER in the folder")
	put("OTHER", "value-two", 0o644)
	lacks("others on the machine can read")
	put("OTHER", "\n", 0o600)
	lacks("is empty")
	put("OTHER", strings.Repeat("value", maxSecret), 0o600)
	lacks("is longer than 64 KiB")
	put("OTHER", "value-two", 0o600)
	lacks()
	if values, err := c.ReadSecrets(); err != nil || values["TOKEN"] != "value-one" || values["OTHER"] != "value-two" {
		t.Errorf("ReadSecrets() = %v, %v", values, err)
	}
}
