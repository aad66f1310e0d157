package app

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The figures of resting.
const (
	restEvery = 500 * time.Millisecond
	quietFor  = 256 << 10 // bytes made in this time, at most, on a node that has nothing to do
	worthRest = 4 << 20   // bytes made since it last rested
)

// What is made while a node opens stays, and the more garbage lies in between
// the more memory it is spread over. What an alert makes does not: with the
// little there is besides, half of the collections are enough.
const (
	opening = 30
	usual   = 200
)

// thrifty has garbage collected often until what it returns is called, and then
// seldom, unless the environment says how often.
func thrifty() (done func()) {
	before := debug.SetGCPercent(opening)
	if os.Getenv("GOGC") == "" {
		before = usual
	}
	return func() { debug.SetGCPercent(before) }
}

// rest gives memory back to the machine whenever the node has become quiet.
// Opening, and every storm, need more than what follows, and a process that
// makes no more garbage collects none for two minutes.
func rest(ctx context.Context) {
	made := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	var last, rested uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(restEvery):
		}
		metrics.Read(made)
		now := made[0].Value.Uint64()
		if now-last <= quietFor && now-rested >= worthRest {
			debug.FreeOSMemory()
			rested = now
		}
		last = now
	}
}
