package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// idleFor is how long a node has had nothing to do when its memory is measured.
const idleFor = 3 * time.Second

// idle is its memory once it has had nothing to do for a while.
func (n *node) idle(ctx context.Context) (footprint, error) {
	if err := pause(ctx, idleFor); err != nil {
		return footprint{}, err
	}
	return n.memory()
}

// sizes is what a node needs of memory and disk.
func sizes(ctx context.Context, r *run, t *table) error {
	mail, err := openSink(ctx)
	if err != nil {
		return err
	}
	defer mail.close() //nolint:contextcheck // it waits for the last conversation, whatever becomes of ctx
	if err := r.withNode(ctx, mail.url(), func(n *node, p place) error { return r.memorySizes(ctx, t, n, p, mail) }); err != nil {
		return err
	}
	each, err := r.diskEach(ctx, "")
	if err != nil {
		return err
	}
	t.add("disk for a closed incident with one alert", size(each), "indexes and search included", "≤ 3 KiB", judge(each <= 3*kib))
	if each, err = r.diskEach(ctx, mail.url()); err != nil {
		return err
	}
	t.show("disk, when somebody was paged for it, too", size(each), "")
	return nil
}

// diskEach is by how much the database grows with each closed incident, once
// it has some: what changes of rows leave behind is used again by then. With a
// mail server everybody is paged.
func (r *run) diskEach(ctx context.Context, smtp string) (each float64, err error) {
	p, err := r.site.fresh(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.site.discard(context.WithoutCancel(ctx), p)) }()
	const rounds = 3 // of a tree that was emptied PostgreSQL gives the pages out again after the second time it looks
	batch := pick(r, 4000, 1500)
	var after [rounds]int64
	for i := range after {
		n, err := r.startNode(ctx, p, smtp)
		if err != nil {
			return 0, err
		}
		err = r.openAndClose(ctx, n, p, smtp != "", i*batch, batch)
		if err = errors.Join(err, n.stop()); err != nil {
			return 0, err
		}
		if after[i], err = r.settled(ctx, p); err != nil {
			return 0, err
		}
	}
	return float64(after[rounds-1]-after[rounds-2]) / float64(batch), nil
}

// openAndClose makes so many incidents, waits for their pages, and resolves them.
func (r *run) openAndClose(ctx context.Context, n *node, p place, paged bool, from, many int) error {
	route := later
	if paged {
		route = routeOf(from / many) // to other people each time: a storm's pages to one would wait for a minute
	}
	o, err := load{alert: critical(route), senders: 64, count: many, first: int64(from)}.send(ctx, n.addr)
	if err == nil && o.refused > 0 {
		err = fmt.Errorf("%d alerts were refused", o.refused)
	}
	if err != nil {
		return err
	}
	if paged {
		if err := r.allSent(ctx, p, int64(from+many)); err != nil {
			return err
		}
	}
	if err := r.resolve(ctx, n, from, from+many); err != nil {
		return err
	}
	return r.indexed(ctx, p)
}

func (r *run) settled(ctx context.Context, p place) (bytes int64, err error) {
	db, err := r.site.open(ctx, p)
	if err != nil {
		return 0, err
	}
	if err := errors.Join(db.settle(ctx), db.close(ctx)); err != nil {
		return 0, err
	}
	return r.site.bytes(ctx, p)
}

func (r *run) memorySizes(ctx context.Context, t *table, n *node, p place, mail *sink) error {
	for i, g := range []string{"/healthz", "/api/v1/incidents", "/api/v1/timeline"} {
		if _, err := r.get(ctx, n, g); err != nil && i != 0 {
			return err
		}
	}
	if err := pause(ctx, idleFor); err != nil {
		return err
	}
	m, err := n.memory()
	if err != nil {
		return err
	}
	t.add("memory, idle", size(float64(m.now)), size(float64(m.program))+" of it the program's file", "≤ 60 MiB", judge(m.now <= 60*mib))
	s, err := r.storm(ctx, n, p, mail)
	if err != nil {
		return err
	}
	m, err = n.memory()
	if err != nil {
		return err
	}
	t.add("memory, after a storm of "+count(s.alerts), size(float64(m.now)), "at most so far "+size(float64(m.most)), "≤ 200 MiB", judge(m.now <= 200*mib))
	return nil
}

// resolve resolves the incidents after from up to upto through the API.
func (r *run) resolve(ctx context.Context, n *node, from, upto int) error {
	const hands = 16
	errs := make([]error, hands)
	var wg sync.WaitGroup
	for h := range hands {
		wg.Go(func() {
			c, err := dial(ctx, n.addr)
			if err != nil {
				errs[h] = err
				return
			}
			defer c.close()
			for i := from + h + 1; i <= upto && ctx.Err() == nil; i += hands {
				status, err := c.do(fmt.Appendf(nil, "POST /api/v1/incidents/%d/resolve HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 0\r\n\r\n", i, r.site.known().token(0)))
				if errs[h] = answered2xx(status, err); errs[h] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// indexed waits until the search index has everything.
func (r *run) indexed(ctx context.Context, p place) (err error) {
	db, err := r.site.open(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close(ctx)) }()
	return until(ctx, time.Minute, func() (bool, error) {
		behind, err := db.number(ctx, "SELECT head.seq - cursor.seq FROM head, cursor WHERE cursor.name = 'search'")
		return behind == 0, err
	})
}

// get reads a page of the API to its end and returns how long that took.
func (r *run) get(ctx context.Context, n *node, path string) (time.Duration, error) {
	began := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.addr+path, http.NoBody)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+r.site.known().token(0))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 500))
		return 0, fmt.Errorf("GET %s: status %d: %s", path, res.StatusCode, text)
	}
	_, err = io.Copy(io.Discard, res.Body)
	return time.Since(began), err
}

// binary is the size of the program as it is given to people.
func binary(ctx context.Context, _ *run, t *table) (err error) {
	dir, err := os.MkdirTemp("", "watchroom-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("find the module: %w", err)
	}
	file := filepath.Join(dir, "watchroom")
	cmd := exec.CommandContext(ctx, filepath.Join(strings.TrimSpace(string(root)), "scripts", "build"), file) //nolint:gosec // our own
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the program: %w\n%s", err, out)
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	mb := float64(info.Size()) / 1e6
	t.add("stripped binary, CGO_ENABLED=0", fmt.Sprintf("%.1f MB", mb), "", "≤ 50 MB", judge(mb <= 50))
	return nil
}
