package bench

import (
	"context"
	"testing"
)

// BenchmarkLimitSQLite is the reference itself: groups of 64 alerts through the bare driver.
func BenchmarkLimitSQLite(b *testing.B) {
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
	l := newLimit(db, w, false)
	for b.Loop() {
		if err := db.group(ctx, l.statements(64)); err != nil {
			b.Fatal(err)
		}
	}
}
