// Package secrettest gives tests a box with a key of its own.
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
