//go:build unix && !linux

package script

import (
	"os"
	"syscall"
)

// Main does something on Linux only; see there.
func Main() {}

// process is a running script in its own process group: that and the clock are
// all that holds it here.
type process struct {
	pipes
	pid  int
	done chan struct{}
	end  end // valid after done
}

func launch(s start) (*process, error) {
	p := &process{done: make(chan struct{})}
	var err error
	if p.pipes, err = newPipes(); err != nil {
		return nil, err
	}
	sys := &syscall.SysProcAttr{Setsid: true}
	if s.User != nil {
		sys.Credential = &syscall.Credential{Uid: uint32(s.User.UID), Gid: uint32(s.User.GID)}
	}
	child, err := os.StartProcess(s.Path, append([]string{s.Path}, s.Args...), &os.ProcAttr{
		Dir: s.Dir, Env: s.Env, Files: []*os.File{p.in, p.out, p.err}, Sys: sys,
	})
	p.closeChild()
	if err != nil {
		p.close()
		return nil, err
	}
	p.pid = child.Pid
	go p.wait(child)
	return p, nil
}

func (p *process) wait(child *os.Process) {
	defer close(p.done)
	state, err := child.Wait()
	p.kill() // what it left behind
	p.end = end{Started: true, Orphaned: err != nil}
	if status, ok := state.Sys().(syscall.WaitStatus); ok {
		p.end.Exit = status.ExitStatus()
		if status.Signaled() {
			p.end.Exit, p.end.Signal = 128+int(status.Signal()), status.Signal().String()
		}
	}
}

func (p *process) term() { _ = syscall.Kill(-p.pid, syscall.SIGTERM) }
func (p *process) kill() { _ = syscall.Kill(-p.pid, syscall.SIGKILL) }
