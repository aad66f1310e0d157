package script

import (
	"os"
	"time"
)

// start is what is to be run, as the supervisor gets it.
type start struct {
	Path   string   `json:"path"`
	Args   []string `json:"args"`
	Env    []string `json:"env"`
	Dir    string   `json:"dir"`
	User   *account `json:"user,omitempty"`
	Limits Limits   `json:"limits"`
}

// account is whose rights the script has, if not the server's.
type account struct{ UID, GID int }

// end is how it ended.
type end struct {
	Started  bool   `json:"started"`
	Exit     int    `json:"exit"`
	Signal   string `json:"signal,omitempty"`
	Over     over   `json:"over,omitempty"`  // the limit that ended it
	Error    string `json:"error,omitempty"` // why it was not started
	Orphaned bool   `json:"orphaned,omitempty"`
	// Survived says that something could not be killed: it hangs in the kernel,
	// or changed to another account.
	Survived bool `json:"survived,omitempty"`
}

// over is a limit of which a tree of processes used too much.
type over string

const (
	overCPU       over = "cpu"
	overMemory    over = "memory"
	overProcesses over = "processes"
	overFiles     over = "files"
	overDisk      over = "disk"
	overOutput    over = "output"
)

// pipes are the ends of the child and ours.
type pipes struct {
	in, out, err          *os.File // the child's
	toIn, fromOut, frmErr *os.File // ours
}

func newPipes() (p pipes, err error) {
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.in, p.toIn, err = os.Pipe(); err != nil {
		return p, err
	}
	if p.fromOut, p.out, err = os.Pipe(); err != nil {
		return p, err
	}
	p.frmErr, p.err, err = os.Pipe()
	return p, err
}

// closeChild closes what the child has its own of.
func (p pipes) closeChild() {
	for _, f := range []*os.File{p.in, p.out, p.err} {
		if f != nil {
			_ = f.Close()
		}
	}
}

func (p pipes) close() {
	p.closeChild()
	for _, f := range []*os.File{p.toIn, p.fromOut, p.frmErr} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// drain is how long output is still read from something that outlived the script.
const drain = 2 * time.Second
