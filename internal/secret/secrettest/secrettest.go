// Package secrettest gives tests a box with a key of its own, so that none has to
// make, keep or name one. What is sealed with it can be opened with it alone: a
// test of two nodes shares one box.
package secrettest

import (
	"testing"

	"github.com/watchroom/watchroom/internal/secret"
)

// Box returns a box whose key nobody else has.
func Box(tb testing.TB) *secret.Box {
	tb.Helper()
	box, err := secret.FromText(secret.NewKey())
	if err != nil {
		tb.Fatalf("make a box: %v", err)
	}
	return box
}
