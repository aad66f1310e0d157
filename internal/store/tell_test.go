package store

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// told collects what a teller's payer tells.
func told(t *testing.T, tl *teller) (about func() Topics) {
	t.Helper()
	var all Topics
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tl.pay(ctx, func(about Topics) { all |= about })
	}()
	synctest.Wait()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return func() Topics {
		synctest.Wait()
		defer func() { all = 0 }()
		return all
	}
}

// committed is a commit that succeeds; it returns what it told.
func (t *teller) committed(about Topics) Topics {
	now := time.Now()
	said := t.with(about, now)
	if said == 0 {
		t.owe(about, now)
	}
	return said
}

func TestOthersAreToldInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tl := newTeller()
		paid := told(t, tl)
		for i := range wakeBurst {
			if said := tl.committed(Entries); said != Entries {
				t.Fatalf("the commit number %d of a few in a row told %b, want what it is about", i, said)
			}
		}
		if said := tl.committed(Timers) | tl.committed(Deliveries) | tl.committed(0); said != 0 {
			t.Errorf("after them commits told %b at once, want it to be owed", said)
		}
		time.Sleep(wakeGap)
		if said := tl.committed(0); said != 0 {
			t.Errorf("a commit about nothing told %b", said)
		}
		if said := tl.committed(Entries); said != Entries|Timers|Deliveries {
			t.Errorf("the next one told %b, want also what is owed", said)
		}
		if said := paid(); said != 0 {
			t.Errorf("%b was told twice", said)
		}
		tl.committed(Presences)
		time.Sleep(tellWithin)
		if said := paid(); said != Presences {
			t.Errorf("when no commit came that could tell, %b was told, want what is owed", said)
		}
	})
}

// A commit that fails has told nobody of what was owed before it.
func TestWhatAFailedCommitShouldHaveToldIsOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tl := newTeller()
		paid := told(t, tl)
		for range wakeBurst + 1 {
			tl.committed(Timers)
		}
		time.Sleep(wakeGap)
		tl.owe(tl.with(Entries, time.Now()), time.Now())
		time.Sleep(tellWithin)
		if said := paid(); said != Entries|Timers {
			t.Errorf("%b was told after a commit that failed, want what it would have told", said)
		}
	})
}

// A command that writes has nobody who would tell later.
func TestNothingIsOwedWhenNobodyPays(t *testing.T) {
	tl := newTeller()
	for i := range 5 * wakeBurst {
		if said := tl.committed(Entries); said != Entries {
			t.Fatalf("the commit number %d told %b", i, said)
		}
	}
}

func TestCommitsInAStreamAreToldOnceEveryGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tl := newTeller()
		paid := told(t, tl)
		n := 0
		for range 1000 {
			if tl.committed(Entries) != 0 {
				n++
			}
			time.Sleep(time.Millisecond)
		}
		if n > 1000/10+wakeBurst+1 || n < 90 {
			t.Errorf("1000 commits in a second told others %d times", n)
		}
		if paid() != 0 {
			t.Error("somebody paid although commits came all the time")
		}
	})
}
