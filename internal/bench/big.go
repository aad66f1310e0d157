package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// big is what changes when the database is full: a million entries and a
// hundred thousand closed incidents are put there, then the same is measured.
func big(ctx context.Context, r *run, t *table) (err error) {
	h, err := newHistory(pick(r, 100_000, 10_000), r.site.known().version)
	if err != nil {
		return err
	}
	p, err := r.site.fresh(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.site.discard(context.WithoutCancel(ctx), p)) }()
	db, err := r.site.open(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close(ctx)) }()
	began := time.Now()
	if err := h.fill(ctx, db); err != nil {
		return err
	}
	t.note("%s entries and %s closed incidents were put there in %s.", count(h.entries()), count(h.incidents), time.Since(began).Round(time.Second))
	if err := bigReads(ctx, r, t, h, p); err != nil {
		return err
	}
	if err := bigStart(ctx, r, t, p); err != nil {
		return err
	}
	return bigIngest(ctx, r, t, p, db)
}

// bigReads asks for the first page with every kind of filter.
func bigReads(ctx context.Context, r *run, t *table, h *history, p place) (err error) {
	n, err := r.startNode(ctx, p, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.stop()) }()
	const list, entries = "/api/v1/incidents", "/api/v1/timeline"
	middle := h.incidents / 2
	for _, q := range []struct{ what, path string }{
		{"timeline", entries},
		{"timeline of a kind", entries + "?kinds=incident_resolved"},
		{"timeline of a rare kind", entries + "?kinds=org_changed"},
		{"timeline of a team", entries + "?team=team-003"},
		{"timeline of an incident", fmt.Sprintf("%s?incident=%d", entries, middle)},
		{"timeline of a person", entries + "?person=user042"},
		{"timeline, rare word", entries + "?q=" + rareWord},
		{"timeline, common word", entries + "?q=" + commonWord},
		{"timeline, one incident's number", entries + "?q=" + eight(int64(middle))},
		{"timeline, beginning of a word", entries + "?q=disk+loo"},
		{"timeline, team and kind", entries + "?team=team-003&kinds=incident_triggered,incident_resolved"},
		{"timeline, team and rare kind", entries + "?team=team-003&kinds=page_failed"},
		{"timeline, team and person", entries + "?team=team-002&person=user042"},
		{"timeline, common word and team", entries + "?q=" + commonWord + "&team=team-003"},
		{"timeline, common word and rare kind", entries + "?q=" + commonWord + "&kinds=page_failed"},
		{"timeline, everything at once", entries + "?q=" + commonWord + "&team=team-002&person=user042&kinds=note_added"},
		{"incidents", list},
		{"incidents, open", list + "?state=triggered,acknowledged"},
		{"incidents, resolved", list + "?state=resolved"},
		{"incidents of a team", list + "?team=team-003"},
		{"incidents, common word", list + "?q=" + commonWord},
		{"incidents, rare word", list + "?q=" + rareWord},
	} {
		var took samples
		for range pick(r, 150, 40) {
			d, err := r.get(ctx, n, q.path)
			if err != nil {
				return err
			}
			if took = append(took, d); d > time.Second && len(took) > 5 {
				break // one that takes so long is bad enough to be known by a few
			}
		}
		t.atMost(q.what+", p99", took.p99(), 30*time.Millisecond, "p50 "+span(took.p50()))
	}
	return nil
}

func bigStart(ctx context.Context, r *run, t *table, p place) error {
	var full, empty samples
	for range pick(r, 5, 3) {
		n, err := r.startNode(ctx, p, "")
		if err != nil {
			return err
		}
		full = append(full, n.started)
		if err := n.stop(); err != nil {
			return err
		}
		if err := r.withNode(ctx, "", func(n *node, _ place) error { empty = append(empty, n.started); return nil }); err != nil {
			return err
		}
	}
	t.add("start to the first healthy answer", span(full.p50()), "empty "+span(empty.p50()), "≤ 300 ms", judge(full.p50() <= 300*time.Millisecond))
	return nil
}

// bigIngest takes turns between the full database and empty ones.
func bigIngest(ctx context.Context, r *run, t *table, p place, db raw) error {
	mail, err := openBlackhole(ctx)
	if err != nil {
		return err
	}
	defer mail.close()
	var full, empty outcome
	l := load{alert: critical(first), senders: 64, warm: r.warm(), counted: r.counted()}
	for i := range pick(r, 6, 2) { // one of them alone is a tenth off as often as not
		e, err := r.ingestOnce(ctx, l, mail)
		if err != nil {
			return err
		}
		empty = better(empty, e)
		n, err := r.startNode(ctx, p, mail.url())
		if err != nil {
			return err
		}
		l.first = int64(i+1) * 1_000_000
		f, err := l.send(ctx, n.addr)
		l.first = 0
		if err := errors.Join(err, n.stop(), forget(ctx, db)); err != nil {
			return err
		}
		full = better(full, f)
	}
	share := full.rate() / empty.rate()
	t.add("distinct, 64 senders", full.text()+", "+percent(share)+" of empty", "empty "+empty.text(), "≥ 90 %", judge(share >= .90))
	return nil
}
