package app

import (
	"os"
	"testing"

	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/script"
)

func TestMain(m *testing.M) {
	script.Main() // in a process that looks after a command, this is all there is to do
	os.Exit(pgtest.Main(m))
}
