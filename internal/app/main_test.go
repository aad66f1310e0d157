package app

import (
	"os"
	"testing"

	"github.com/watchroom/watchroom/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
