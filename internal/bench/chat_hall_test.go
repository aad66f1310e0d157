package bench

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// fakeRoom gives every line that is posted to every open stream; twice makes it
// give each a second time.
type fakeRoom struct {
	mu      sync.Mutex
	seq     int
	streams []chan string
	twice   bool
}

func (f *fakeRoom) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		body, _ := io.ReadAll(r.Body)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.seq++
		for _, s := range f.streams {
			s <- fmt.Sprintf("id: %d\ndata: {\"sentence\":\"Ann: line 1\",\"payload\":%s}\n\n", f.seq, body)
			if f.twice {
				s <- fmt.Sprintf("id: %d\ndata: {\"payload\":%s}\n\n", f.seq, body)
			}
		}
		fmt.Fprint(w, "{}")
		return
	}
	lines := make(chan string, 100)
	f.mu.Lock()
	f.streams = append(f.streams, lines)
	f.mu.Unlock()
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, "retry: 3000\n\n")
	_ = control.Flush()
	for {
		select {
		case text := <-lines:
			fmt.Fprint(w, text)
			_ = control.Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func TestHallWaitsForEveryReader(t *testing.T) {
	const readers, said = 5, 20
	for _, twice := range []bool{false, true} {
		room := &fakeRoom{twice: twice}
		s := httptest.NewServer(room)
		r := &run{site: &files{first: furnished{tokens: []string{"token", "another"}}}}
		n := &node{addr: s.Listener.Addr().String()}
		h := &hall{}
		if err := h.join(t.Context(), n, r.site.known(), readers); err != nil {
			t.Fatal(err)
		}
		a, err := r.speaker(t.Context(), n, "hall")
		if err != nil {
			t.Fatal(err)
		}
		for range said {
			if err = h.hears(t.Context(), a); err != nil {
				break
			}
		}
		a.conn.close()
		h.leave()
		s.CloseClientConnections()
		s.Close()
		switch {
		case twice && (err == nil || !strings.Contains(err.Error(), "came after")):
			t.Errorf("a line that comes twice: %v", err)
		case !twice && err != nil:
			t.Errorf("after %d lines: %v", len(h.heard())/readers, err)
		case !twice && len(h.heard()) != readers*said:
			t.Errorf("%d readings, want %d", len(h.heard()), readers*said)
		}
	}
}
