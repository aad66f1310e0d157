// Package bench measures a whole node against references of the same run, and
// says beside each figure which bar it has to reach. The generator, the node
// (a process of its own, so that its memory is its own) and the database share
// the machine; everything happens on loopback, and every suite is bounded in
// count and time.
//
// "Limit" is what the engine itself can do: the same rows as a node writes for
// an alert, in groups that form in the same way, through the bare driver,
// without HTTP and without our code. On a shared machine absolute figures do
// not travel; the share of the limit does.
//
// Losing nothing in a crash is not measured here: that is a test.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// Options says what to measure.
type Options struct {
	Quick    bool     // under two minutes: fewer and shorter samples
	Engines  []string // "sqlite", "postgres"
	Only     []string // names of suites; none: all
	Markdown bool
	Profile  string // folder for CPU profiles of the nodes; "" for none
	Out      io.Writer
}

// suite is one table of the report.
type suite struct {
	name  string
	title string
	run   func(context.Context, *run, *table) error
	once  bool // has nothing to do with the engine
	long  bool // not in a quick run
}

// suites lists all of them in the order of the report.
func suites() []suite {
	return []suite{
		{name: "ingest", title: "Durable alerts per second", run: ingest},
		{name: "page", title: "From a request to the mail", run: pages},
		{name: "big", title: "With a full database", run: big},
		{name: "timers", title: "Due timers", run: timers},
		{name: "streams", title: "Open event streams", run: streams},
		{name: "chat", title: "A room with many readers", run: chat},
		{name: "search", title: "Searching what was said", run: chatSearch},
		{name: "size", title: "Memory and disk", run: sizes},
		{name: "rotas", title: "Rotations", run: rotas, once: true},
		{name: "binary", title: "The program", run: binary, once: true, long: true},
	}
}

// Suites are the names that Options.Only may hold.
func Suites() []string {
	var names []string
	for _, s := range suites() {
		names = append(names, s.name)
	}
	return names
}

// run is one engine being measured.
type run struct {
	Options
	site site
}

// pick returns the figure for a full run, or that for a quick one.
func pick[T any](r *run, full, quick T) T {
	if r.Quick {
		return quick
	}
	return full
}

// Run measures and prints. The error is about what could not be measured; a
// bar that was missed is in the table only.
func Run(ctx context.Context, o Options) error {
	for _, name := range o.Only {
		if !slices.Contains(Suites(), name) {
			return fmt.Errorf("no suite %q; there are %s", name, strings.Join(Suites(), ", "))
		}
	}
	root, err := os.MkdirTemp("", "watchroom-bench-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	began := time.Now()
	errs := []error{measure(ctx, o, root, began)}
	errs = append(errs, os.RemoveAll(root))
	return errors.Join(errs...)
}

func (o Options) wants(s suite) bool {
	if len(o.Only) > 0 {
		return slices.Contains(o.Only, s.name)
	}
	return !s.long || !o.Quick
}

func measure(ctx context.Context, o Options, root string, began time.Time) error {
	_, err := io.WriteString(o.Out, preface(o))
	errs := []error{err}
	for i, engine := range o.Engines {
		s, err := openSite(ctx, engine, root)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", engine, err))
			continue
		}
		for _, su := range suites() {
			if !o.wants(su) || su.once && i > 0 || ctx.Err() != nil {
				continue
			}
			t := &table{title: su.title}
			if !su.once {
				t.title += ", " + engine
			}
			if err := su.run(ctx, &run{o, s}, t); err != nil {
				errs = append(errs, fmt.Errorf("%s, %s: %w", su.name, engine, err))
				t.note("not measured to the end: %v", err)
			}
			errs = append(errs, t.print(o.Out, o.Markdown))
		}
		errs = append(errs, s.close(context.WithoutCancel(ctx)))
	}
	_, err = fmt.Fprintf(o.Out, "\nMeasured in %s.\n", time.Since(began).Round(time.Second))
	return errors.Join(append(errs, err, ctx.Err())...)
}
