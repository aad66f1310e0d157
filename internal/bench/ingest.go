package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// measured is one line of the ingest table.
type measured struct {
	what     string
	senders  int
	repeated bool
	share    float64 // of the limit; 0: no bar
}

// ingest is how many alerts a second are durable, beside the limit of the
// engine. Each figure comes from a fresh database; the better of several
// rounds counts, for the node as for the limit, because others use the machine.
func ingest(ctx context.Context, r *run, t *table) error {
	w, err := sample(ctx, r.site, first)
	if err != nil {
		return err
	}
	mail, err := openBlackhole(ctx)
	if err != nil {
		return err
	}
	defer mail.close()

	var distinct64 float64
	for _, m := range []measured{
		{"distinct, 1 sender", 1, false, .60},
		{"distinct, 16 senders", 16, false, 0},
		{"distinct, 64 senders", 64, false, .50},
		{"distinct, 256 senders", 256, false, 0},
		{"repeated, 1 sender", 1, true, 0},
		{"repeated, 16 senders", 16, true, 0},
		{"repeated, 64 senders", 64, true, 0},
		{"repeated, 256 senders", 256, true, 0},
	} {
		if r.Quick && m.senders != 1 && m.senders != 64 {
			continue
		}
		limit, node, err := r.compare(ctx, m, w, mail)
		if err != nil {
			return fmt.Errorf("%s: %w", m.what, err)
		}
		reference := "limit " + limit.text()
		share := node.rate() / limit.rate()
		t.show(m.what, node.text(), reference)
		last := &t.rows[len(t.rows)-1]
		last.got += ", " + percent(share) + " of limit"
		switch {
		case m.share > 0:
			last.bar, last.verdict = "≥ "+percent(m.share), judge(share >= m.share && node.refused == 0)
		case m.repeated && m.senders == 64:
			last.bar, last.verdict = "≥ distinct", judge(node.rate() >= distinct64 && node.refused == 0)
		}
		if m.senders == 64 && !m.repeated {
			distinct64 = node.rate()
			t.atMost("request → 2xx, 64 senders, p99", node.latency.p99(), 25*time.Millisecond, "")
		}
	}
	if err := ingestLater(ctx, r, t); err != nil {
		return err
	}
	return ingestCrowd(ctx, r, t, mail)
}

// compare measures limit and node in turn.
func (r *run) compare(ctx context.Context, m measured, w written, mail *blackhole) (limit, node outcome, err error) {
	for range pick(r, 2, 1) {
		l, err := r.limit(ctx, m, w)
		if err != nil {
			return limit, node, fmt.Errorf("limit: %w", err)
		}
		limit = better(limit, l)
		n, err := r.ingestOnce(ctx, load{alert: critical(first), senders: m.senders, repeated: m.repeated, warm: r.warm(), counted: r.counted()}, mail)
		if err != nil {
			return limit, node, err
		}
		node = better(node, n)
	}
	return limit, node, nil
}

func (r *run) warm() time.Duration    { return pick(r, 300*time.Millisecond, 200*time.Millisecond) }
func (r *run) counted() time.Duration { return pick(r, 2*time.Second, time.Second) }

// limit measures the bare engine on a fresh place.
func (r *run) limit(ctx context.Context, m measured, w written) (o outcome, err error) {
	p, err := r.site.fresh(ctx)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, r.site.discard(context.WithoutCancel(ctx), p)) }()
	db, err := r.site.open(ctx, p)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, db.close(ctx)) }()
	return newLimit(db, w, m.repeated).measure(ctx, m.senders, r.warm(), r.counted())
}

// ingestOnce measures a node on a fresh place; everything a node does for an
// alert, up to the mail, happens meanwhile.
func (r *run) ingestOnce(ctx context.Context, l load, mail *blackhole) (o outcome, err error) {
	smtp := ""
	if mail != nil {
		smtp = mail.url()
	}
	err = r.withNode(ctx, smtp, func(n *node, _ place) error {
		before, err := n.cpu()
		if err != nil {
			return err
		}
		if o, err = l.send(ctx, n.addr); err != nil {
			return err
		}
		after, err := n.cpu()
		o.cpu = (after - before) / time.Duration(max(1, o.sent))
		return err
	})
	if err == nil && o.refused > 0 {
		err = fmt.Errorf("%d alerts were refused", o.refused)
	}
	return o, err
}

// ingestLater shows what paging costs: the same with a policy that waits.
func ingestLater(ctx context.Context, r *run, t *table) error {
	w, err := sample(ctx, r.site, later)
	if err != nil {
		return err
	}
	l, err := r.limit(ctx, measured{senders: 64}, w)
	if err != nil {
		return fmt.Errorf("limit: %w", err)
	}
	o, err := r.ingestOnce(ctx, load{alert: critical(later), senders: 64, warm: r.warm(), counted: r.counted()}, nil)
	if err != nil {
		return err
	}
	t.show("distinct, 64 senders, nobody paged yet", o.text()+", "+percent(o.rate()/l.rate())+" of limit", "limit "+l.text())
	return nil
}

// ingestCrowd is everybody at once.
func ingestCrowd(ctx context.Context, r *run, t *table, mail *blackhole) error {
	var o outcome
	err := r.withNode(ctx, mail.url(), func(n *node, _ place) (err error) {
		o, err = load{alert: critical(first), senders: 1024, warm: 0, counted: r.counted()}.send(ctx, n.addr)
		return err
	})
	if err != nil {
		return err
	}
	t.add("1,024 senders at once, refused", count(o.refused), "of "+count(len(o.latency)), "0", judge(o.refused == 0))
	t.atMost("1,024 senders at once, p99", o.latency.p99(), 500*time.Millisecond, perSecond(o.rate()))
	return nil
}
