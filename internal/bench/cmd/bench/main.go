// Command bench measures Watchroom and prints a table of figures, each beside
// its reference from the same run and the bar it has to reach:
//
//	go run ./internal/bench/cmd/bench [-quick] [-engine sqlite|postgres|both] [-only name,…] [-md]
//
// See docs/performance.md. The exit status is 1 when something could not be
// measured; a bar that was missed stands in the table.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/watchroom/watchroom/internal/bench"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "serve" { // the node under measurement
		return bench.Serve(ctx, args[1:])
	}
	o := bench.Options{Out: os.Stdout}
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	flags.BoolVar(&o.Quick, "quick", false, "fewer and shorter samples, under two minutes")
	flags.BoolVar(&o.Markdown, "md", false, "print Markdown")
	flags.StringVar(&o.Profile, "profile", "", "folder for CPU profiles of the measured nodes")
	engine := flags.String("engine", "both", "sqlite, postgres or both")
	only := flags.String("only", "", "only these suites, separated by commas: "+strings.Join(bench.Suites(), ", "))
	_ = flags.Parse(args) // ends the program itself
	o.Engines = []string{*engine}
	if *engine == "both" {
		o.Engines = []string{"sqlite", "postgres"}
	}
	if *only != "" {
		o.Only = strings.Split(*only, ",")
	}
	return bench.Run(ctx, o)
}
