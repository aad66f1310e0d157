package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestQuantile(t *testing.T) {
	s := samples{}
	if got := s.p99(); got != 0 {
		t.Errorf("p99 of nothing = %v", got)
	}
	for i := 100; i > 0; i-- {
		s = append(s, time.Duration(i))
	}
	for q, want := range map[float64]time.Duration{0: 1, .5: 50, .99: 99, 1: 100} {
		if got := s.quantile(q); got != want {
			t.Errorf("quantile(%v) = %d, want %d", q, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		span(1234 * time.Microsecond):  "1.23 ms",
		span(45678 * time.Millisecond): "45.7 s",
		count(999.6):                   "1,000",
		count(12):                      "12",
		perSecond(1234567):             "1,234,567/s",
		size(3 << 20):                  "3.0 MiB",
		size(1536):                     "1.5 KiB",
		percent(.505):                  "50 %",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestTable(t *testing.T) {
	tab := &table{title: "Figures"}
	tab.atMost("late", 3*time.Millisecond, 50*time.Millisecond, "p50 1 ms")
	tab.show("rate", "12/s", "limit 20/s")
	tab.note("a note")
	var b strings.Builder
	if err := tab.print(&b, true); err != nil {
		t.Fatal(err)
	}
	want := `
### Figures

| figure | measured           | reference  | bar       |     |
| ------ | ------------------ | ---------- | --------- | --- |
| late   | 3.00 ms (p50 1 ms) |            | ≤ 50.0 ms | ✓   |
| rate   | 12/s               | limit 20/s |           |     |

a note
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestAlertHasARealisticLength(t *testing.T) {
	if n := len(critical(first).body(1)); n < 350 || n > 450 {
		t.Errorf("an alert has %d bytes", n)
	}
}

func TestConn(t *testing.T) {
	seen := make(chan string, 2)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen <- r.URL.Path + " " + string(body)
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, "fine")
	}))
	defer s.Close()
	c, err := dial(t.Context(), s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	request := template{"/x", "alert " + digits}.request()
	for n := range int64(2) { // on one connection
		status, err := c.do(request.number(n + 41))
		if err != nil || status != http.StatusAccepted {
			t.Fatalf("status %d, %v", status, err)
		}
		if got, want := <-seen, fmt.Sprintf("/x alert 000000%d", n+41); got != want {
			t.Errorf("arrived %q, want %q", got, want)
		}
	}
}

func TestBlackholeTakesMail(t *testing.T) {
	b, err := openBlackhole(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	c, err := net.Dial("tcp", strings.TrimPrefix(b.url(), "smtp://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	said := "EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nSubject: x\r\n\r\n" + strings.Repeat("y", 9000) + "\r\n.\r\nQUIT\r\n"
	if _, err := io.WriteString(c, said); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	want := "220 blackhole\r\n250 OK\r\n250 OK\r\n250 OK\r\n354 go on\r\n250 OK\r\n221 bye\r\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

// TestLimitWritesWhatANodeWrites keeps the reference honest: the bare driver
// can write the rows of a real alert, as many of each as the node.
func TestLimitWritesWhatANodeWrites(t *testing.T) {
	ctx := t.Context()
	s, err := openFiles(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w, err := sample(ctx, s, first)
	if err != nil {
		t.Fatal(err)
	}
	for _, repeated := range []bool{false, true} {
		p, err := s.fresh(ctx)
		if err != nil {
			t.Fatal(err)
		}
		db, err := s.open(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		l := newLimit(db, w, repeated)
		for range 2 {
			if err := db.group(ctx, l.statements(70)); err != nil {
				t.Fatal(err)
			}
		}
		want := []int64{140, 140, 140, 280}
		if repeated {
			want = []int64{1, 140, 0, 0}
		}
		var got []int64
		for _, table := range []string{"incident", "alert", "timer", "entry WHERE incident > 0"} {
			n, err := db.number(ctx, "SELECT COUNT(*) FROM "+table)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, n)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("repeated %v: %s", repeated, diff)
		}
		if err := db.close(ctx); err != nil {
			t.Error(err)
		}
	}
}

// BenchmarkLimit is a group of 64 alerts through the bare driver.
func BenchmarkLimit(b *testing.B) {
	ctx := context.Background()
	s, err := openFiles(ctx, b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	w, err := sample(ctx, s, first)
	if err != nil {
		b.Fatal(err)
	}
	p, err := s.fresh(ctx)
	if err != nil {
		b.Fatal(err)
	}
	db, err := s.open(ctx, p)
	if err != nil {
		b.Fatal(err)
	}
	defer db.close(ctx) //nolint:errcheck // the folder goes away with it
	l := newLimit(db, w, false)
	for b.Loop() {
		if err := db.group(ctx, l.statements(64)); err != nil {
			b.Fatal(err)
		}
	}
}
