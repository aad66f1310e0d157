// Command watchroom is the server and everything an operator does beside it:
// setting up, looking after, saving and bringing back. It turns flags into
// settings and calls the packages that do the work; it holds no rules.
//
// Every command exits with 0 when it did what was asked, with 1 when it did
// not, and with 80 when the command line itself makes no sense. The first
// SIGINT or SIGTERM ends a command in order, the second at once.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // rotas work on machines without a time-zone database, too

	"github.com/alecthomas/kong"

	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/script"
)

// commands is the whole command line.
type commands struct {
	Config config.File `name:"config" help:"YAML file with settings; its keys are the names of the flags." env:"WATCHROOM_CONFIG" placeholder:"FILE"`

	Serve    serveCmd    `cmd:"" help:"Run a node: take alerts, page people, serve the web pages."`
	Demo     demoCmd     `cmd:"" help:"Run a made-up organisation in a throw-away folder, to look around."`
	Apply    applyCmd    `cmd:"" help:"Make the organisation match YAML files."`
	Export   exportCmd   `cmd:"" help:"Write the organisation as YAML, as apply reads it."`
	User     userCmd     `cmd:"" help:"People and their ways in."`
	Token    tokenCmd    `cmd:"" help:"API tokens."`
	OnCall   onCallCmd   `cmd:"" name:"oncall" help:"Say who is on call."`
	Take     takeCmd     `cmd:"" help:"Take the duty of a colleague."`
	HandBack handBackCmd `cmd:"" name:"handback" help:"Hand back what was taken."`
	Explain  explainCmd  `cmd:"" help:"Say who would be paged, how and when, if nobody answered."`
	Check    checkCmd    `cmd:"" help:"Say what the server will do next and what is wrong; exit status 1 when something is."`
	Command  commandCmd  `cmd:"" help:"Commands of your own."`
	Backup   backupCmd   `cmd:"" help:"Save everything in one file, also while the server runs."`
	Restore  restoreCmd  `cmd:"" help:"Replace everything by what a backup holds."`
	Migrate  migrateCmd  `cmd:"" help:"Bring the tables up to date; serve does it by itself."`
	Version  versionCmd  `cmd:"" help:"Print which program this is."`
}

// console is what a command talks through.
type console struct {
	in       io.Reader
	out, err io.Writer
}

func (c *console) say(text string) { _, _ = fmt.Fprintln(c.out, text) }

// note says something beside the result, which scripts read.
func (c *console) note(text string) { _, _ = fmt.Fprintln(c.err, text) }

// errSilent is an exit status of 1 about which everything has been said.
var errSilent = errors.New("something is wrong")

func main() {
	script.Main() // in a process that looks after a command, this is all there is to do
	os.Exit(run())
}

func run() int {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // which nohup lets us ignore
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal finds no handler

	c := &console{os.Stdin, os.Stdout, os.Stderr}
	var grammar commands
	parser, err := kong.New(&grammar,
		kong.Name("watchroom"),
		kong.Description("On-call and incidents on one timeline. Flags can also be set in the environment or with --config; see docs/cli.md."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(c.out, c.err),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(c),
	)
	if err != nil {
		c.note("watchroom: " + err.Error())
		return 1
	}
	parsed, err := parser.Parse(os.Args[1:])
	if err == nil {
		err = parsed.Run()
	}
	return status(c, err)
}

// status says what went wrong and returns the exit status for it.
func status(c *console, err error) int {
	if err == nil {
		return 0
	}
	if !errors.Is(err, errSilent) {
		c.note("watchroom: " + strings.ReplaceAll(sentence(err), "\n", "\n  "))
	}
	if usage, ok := errors.AsType[interface {
		error
		ExitCode() int
	}](err); ok {
		return usage.ExitCode()
	}
	return 1
}

// sentence is what a person at the machine may read: everything, except that
// a fault needs no code before it.
func sentence(err error) string {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Message == "" {
		return err.Error()
	}
	if f.Err != nil {
		return f.Message + ": " + f.Err.Error()
	}
	return f.Message
}
