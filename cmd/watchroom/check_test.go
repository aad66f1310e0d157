package main

import (
	"testing"

	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Whatever an incident can wait for has words.
func TestCheckNamesEveryTimer(t *testing.T) {
	for _, kind := range incident.TimerKinds() {
		if key := "cli.check.timer." + string(kind); !phrase.Has(key) {
			t.Errorf("there is no %s", key)
		}
	}
}
