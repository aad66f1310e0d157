package auth

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var (
	noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	home = netip.MustParseAddr("203.0.113.7")
)

func TestLimiter(t *testing.T) {
	l := NewLimiter(10*time.Second, 3, 100)
	for i := range 3 {
		if wait, ok := l.Take("a", noon); !ok || wait != 0 {
			t.Fatalf("turn %d: %v, %v", i, wait, ok)
		}
	}
	for _, c := range []struct {
		name string
		key  string
		at   time.Duration
		ok   bool
		wait time.Duration
	}{
		{"used up", "a", 0, false, 10 * time.Second},
		{"used up, still: refusals cost nothing", "a", 0, false, 10 * time.Second},
		{"the wait shrinks", "a", 4 * time.Second, false, 6 * time.Second},
		{"another key has its own", "b", 4 * time.Second, true, 0},
		{"one turn came back", "a", 10 * time.Second, true, 0},
		{"only one", "a", 10 * time.Second, false, 10 * time.Second},
		{"a clock set back does not break it", "a", 5 * time.Second, false, 10 * time.Second},
		{"after a long rest", "a", time.Hour, true, 0},
	} {
		wait, ok := l.Take(c.key, noon.Add(c.at))
		if ok != c.ok || (wait-c.wait).Abs() > time.Millisecond {
			t.Errorf("%s: Take = %v, %v, want %v, %v", c.name, wait, ok, c.wait, c.ok)
		}
	}
	for range 5 {
		l.Take("a", noon)
	}
	l.Forget("a")
	if _, ok := l.Take("a", noon); !ok {
		t.Error("Forget did not give the turns back")
	}
}

func TestLimiterWaitIsEnough(t *testing.T) {
	for _, every := range []time.Duration{time.Millisecond, 7 * time.Second, time.Hour} {
		l := NewLimiter(every, 1, 10)
		now := noon
		for range 20 {
			wait, ok := l.Take("a", now)
			if !ok {
				t.Fatalf("every %v: refused after the wait it gave, %v more", every, wait)
			}
			wait, ok = l.Take("a", now.Add(every/3))
			if ok {
				t.Fatalf("every %v: two at once", every)
			}
			now = now.Add(every/3 + wait + time.Nanosecond)
		}
	}
}

func TestLimiterMemoryIsBounded(t *testing.T) {
	const keys = 50
	l := NewLimiter(time.Minute, 5, keys)
	for {
		if _, ok := l.Take("victim", noon); !ok {
			break
		}
	}
	for i := range 5000 {
		l.Take(fmt.Sprintf("invented %d", i), noon)
		if len(l.buckets) > keys {
			t.Fatalf("%d keys remembered, want at most %d", len(l.buckets), keys)
		}
	}
	if _, ok := l.Take("victim", noon); ok {
		t.Error("inventing names freed the one under attack")
	}
	l.Take(strings.Repeat("x", 1<<20), noon)
	for key := range l.buckets {
		if len(key) > 128 {
			t.Errorf("a key of %d bytes is kept", len(key))
		}
	}
}

func TestThrottle(t *testing.T) {
	t.Run("guessing one password from one place", func(t *testing.T) {
		th := NewThrottle(nil)
		for i := range 5 {
			if wait, ok, _ := th.Take(t.Context(), "ada", home, noon); !ok {
				t.Fatalf("attempt %d refused for %v", i, wait)
			}
		}
		if wait, ok, _ := th.Take(t.Context(), "ada", home, noon); ok || wait != 30*time.Second {
			t.Errorf("sixth attempt: %v, %v, want 30 s", wait, ok)
		}
		if _, ok, _ := th.Take(t.Context(), "bob", home, noon); !ok {
			t.Error("somebody else at the same place is locked out")
		}
		if _, ok, _ := th.Take(t.Context(), "ada", netip.MustParseAddr("198.51.100.1"), noon); !ok {
			t.Error("the same person elsewhere is locked out")
		}
		if err := th.Forgive(t.Context(), "ada", home); err != nil {
			t.Fatal(err)
		}
		if _, ok, _ := th.Take(t.Context(), "ada", home, noon); !ok {
			t.Error("failures are not forgiven after a success")
		}
	})
	t.Run("trying many accounts from one place", func(t *testing.T) {
		th := NewThrottle(nil)
		passed := 0
		for i := range 1000 {
			if _, ok, _ := th.Take(t.Context(), fmt.Sprintf("user%d", i), home, noon); ok {
				passed++
			}
		}
		if passed != 60 {
			t.Errorf("%d attempts passed, want 60", passed)
		}
	})
	t.Run("changing the address inside one IPv6 network", func(t *testing.T) {
		th := NewThrottle(nil)
		passed := 0
		for i := range 100 {
			addr := netip.MustParseAddr(fmt.Sprintf("2001:db8:1:2:%x::1", i))
			if _, ok, _ := th.Take(t.Context(), "ada", addr, noon); ok {
				passed++
			}
		}
		if passed != 5 {
			t.Errorf("%d attempts passed, want 5", passed)
		}
	})
	for what, c := range map[string]struct {
		th   *Throttle
		want int
	}{
		"password": {NewThrottle(nil), 100 + 360},
		"code":     {NewCodeThrottle(nil), 20 + 12},
	} {
		t.Run("many machines guess one "+what+" for an hour", func(t *testing.T) {
			passed := 0
			for i := range 4000 {
				addr := netip.AddrFrom4([4]byte{20, 0, byte(i >> 8), byte(i)})
				if _, ok, _ := c.th.Take(t.Context(), "ada", addr, noon.Add(time.Duration(max(0, i-399))*time.Second)); ok {
					passed++
				}
			}
			if passed != c.want {
				t.Errorf("%d attempts passed, want %d", passed, c.want)
			}
		})
	}
}

// TestTurn: what a ledger counts by is the pace of a limiter.
func TestTurn(t *testing.T) {
	turn := Turn{Every: 30 * time.Second, Burst: 5}
	limit := NewLimiter(turn.Every, turn.Burst, 1)
	var upto time.Time
	for i, after := range []time.Duration{0, 0, 0, 0, 0, 0, 10, 20, 20, 29, 30, 30, 60, 75, 400, 400, 400, 400, 400, 400, 1e6} {
		now := noon.Add(after * time.Second)
		want, ok := limit.Take("ada", now)
		next, wait := turn.Book(upto, now)
		if ok != (wait == 0) || (want-wait).Abs() > time.Microsecond { // that one rounds up
			t.Errorf("attempt %d after %v: wait %v, the limiter says %v", i, after*time.Second, wait, want)
		}
		upto = next
	}
}

func TestNetwork(t *testing.T) {
	for _, c := range []struct{ addr, want string }{
		{"203.0.113.7", "203.0.113.7/32"},
		{"::ffff:203.0.113.7", "203.0.113.7/32"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"fe80::1%eth0", "fe80::/64"},
	} {
		if got := Network(netip.MustParseAddr(c.addr)).String(); got != c.want {
			t.Errorf("Network(%s) = %s, want %s", c.addr, got, c.want)
		}
	}
	if got := Network(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("Network of no address = %s", got)
	}
}
