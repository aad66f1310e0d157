package browser

import (
	"os"
	"testing"

	"github.com/watchroom/watchroom/internal/script"
)

func TestMain(m *testing.M) {
	script.Main() // in a process that looks after a command of the demo, this is all there is to do
	os.Exit(m.Run())
}
