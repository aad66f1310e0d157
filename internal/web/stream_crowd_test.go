package web

import "testing"

func TestTheOldestStreamGivesWay(t *testing.T) {
	var c openStreams
	var ended []int
	var leave []func()
	for n := range maxStreams + 2 {
		leave = append(leave, c.join("kim", func() { ended = append(ended, n) }))
	}
	c.join("lee", func() { t.Error("a stream of another session has ended") })()
	if len(ended) != 2 || ended[0] != 0 || ended[1] != 1 {
		t.Errorf("streams %v have ended, want the two oldest", ended)
	}
	for _, f := range leave {
		f()
	}
	if len(c.open) != 0 {
		t.Errorf("what has ended is still known: %v", c.open)
	}
}

// Who gives way is told why, so that its page does not come back at once and
// end the next.
func TestACrowdedStreamSaysSo(t *testing.T) {
	h := newWatch(t)
	first := h.listen("kim", "", "")
	first.until("ping", func(sse) bool { return true })
	for range maxStreams {
		h.listen("kim", "", "")
	}
	first.until("crowded", func(sse) bool { return true })
	if e, ok := first.next(); ok {
		t.Errorf("after its last word came %+v", e)
	}
}
