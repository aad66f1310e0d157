// Package script runs executables of the operator as commands: any language, one
// folder, a manifest NAME.yaml beside each NAME.
//
// It promises that a script gets no shell, no environment but its own, and only
// the secrets its manifest names; that what runs is what was read, by hash; that
// nothing it started outlives it; and that it cannot say more, take longer or use
// more than its limits, whatever it tries:
//
//	server ── supervisor ── script ── whatever it starts
//	   │          └ counts the tree several times a second, reaps it, kills all of it at the end
//	   └ reads the output, masks secrets, counts bytes, watches the folder it works in, TERM then KILL
//
// The supervisor is this program again, started by another name; see Main. Kernel
// limits (processor, memory of each process, size of a file, open files, processes
// of the user) are set before the script starts; what the kernel does not add up
// for a whole tree, the supervisor does, so a tree may be over a limit for some
// 25 ms. Without Linux there is the process group and the clock, and no more.
//
// What this is not: a sandbox. A script has the rights of the account it runs as,
// reads what that account may read, and has its network. While that is the
// server's own account, it could kill the server or its supervisor; give scripts
// an account of their own (Options.User). Who may run what was decided before;
// how output is shown is for others.
package script

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/program"
)

// Output is what a script prints.
type Output string

// The kinds of output.
const (
	Text  Output = "text"  // plain text, shown when it ends
	Lines Output = "lines" // one JSON object a line, shown as it comes
)

// Limits of one run: of the script and all it starts together, unless it says else.
type Limits struct {
	CPU       time.Duration // of processors
	Memory    int64         // bytes of its own; also of each process
	Processes int           // threads count, too, where the kernel counts
	Files     int           // in its working folder
	Disk      int64         // bytes there; also the size of each file it writes
}

// Standard are the limits of a manifest that names none.
var Standard = Limits{CPU: time.Minute, Memory: 512 << 20, Processes: 100, Files: 1000, Disk: 256 << 20}

// or fills in what l leaves open.
func (l Limits) or(d Limits) Limits {
	return Limits{
		CPU: cmp.Or(l.CPU, d.CPU), Memory: cmp.Or(l.Memory, d.Memory), Processes: cmp.Or(l.Processes, d.Processes),
		Files: cmp.Or(l.Files, d.Files), Disk: cmp.Or(l.Disk, d.Disk),
	}
}

// grace is how long a script has between TERM and KILL.
const grace = 5 * time.Second

// systemPath is where programs are when the operator says nothing.
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Options are the operator's. The zero value works.
type Options struct {
	Path  string        // PATH of scripts; "": the usual folders
	Lang  string        // LANG; "": C.UTF-8
	User  string        // account to run as; needs root. "": the server's own
	Temp  string        // where working folders are made; "": the system's
	Every time.Duration // between two looks at the folder; 0: 5 s
	Grace time.Duration // between TERM and KILL; 0: 5 s
	Log   *slog.Logger  // gets what scripts write to stderr, at debug; nil: nobody
}

func (o Options) filled() Options {
	o.Path, o.Lang = cmp.Or(o.Path, systemPath), cmp.Or(o.Lang, "C.UTF-8")
	o.Every, o.Grace = cmp.Or(o.Every, 5*time.Second), cmp.Or(o.Grace, grace)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Command is one executable with its manifest, as they were when they were read.
type Command struct {
	Declaration command.Declaration // Origin "script NAME"; Version is the hash of both files
	Output      Output
	Secrets     []string          // names of what it gets from Request.Secrets
	Settings    map[string]string // part of its environment
	Limits      Limits
	DryRun      bool // it knows what CHATOPS_DRY_RUN means

	name    string // of the file
	folder  string // with all links resolved
	options Options
}

var _ program.Program = (*Command)(nil)

// Name is the name of the file.
func (c *Command) Name() string { return c.name }
