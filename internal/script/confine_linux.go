package script

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// self is this very program, also after its file was replaced.
const self = "/proc/self/exe"

// The names by which the program knows, when it starts, that it is one of these.
const (
	supervisorName = "watchroom: script supervisor"
	starterName    = "watchroom: script starter"
)

// Main does its work and never returns in a process that was started to look
// after a script; in any other it returns at once. It is the first thing that
// main (or TestMain) calls.
func Main() {
	if len(os.Args) != 1 {
		return
	}
	switch os.Args[0] {
	case supervisorName:
		syscall.Exit(supervise()) // there is nothing to flush, and the race detector would wait a second
	case starterName:
		syscall.Exit(becomeScript())
	}
}

// process is a running script under its supervisor.
type process struct {
	pipes
	control *os.File // its end is the supervisor's order to kill everything
	done    chan struct{}
	end     end // valid after done
}

// launch starts s. An error means that nothing ran.
func launch(s start) (*process, error) {
	p := &process{done: make(chan struct{})}
	var err error
	if p.pipes, err = newPipes(); err != nil {
		return nil, err
	}
	orders, control, err := os.Pipe()
	if err != nil {
		p.close()
		return nil, err
	}
	p.control = control
	report, said, err := os.Pipe()
	if err != nil {
		p.close()
		return nil, errors.Join(err, orders.Close(), control.Close())
	}
	child, err := os.StartProcess(self, []string{supervisorName}, &os.ProcAttr{
		Dir: "/", Env: []string{}, // not ours: there may be passwords in it
		Files: []*os.File{p.in, p.out, p.err, orders, said},
		Sys:   &syscall.SysProcAttr{Setpgid: true}, // a ^C at the server's terminal is for the server
	})
	p.closeChild()
	_, _ = orders.Close(), said.Close()
	if err != nil {
		p.close()
		return nil, errors.Join(err, control.Close(), report.Close())
	}
	go p.wait(child, report)
	text, err := json.Marshal(s)
	if err == nil {
		_, err = control.Write(append(text, '\n'))
	}
	if err != nil {
		p.kill()
		<-p.done
		p.close()
		return nil, fmt.Errorf("tell the supervisor: %w", err)
	}
	return p, nil
}

// wait reads the supervisor's report, which is there when everything is gone.
func (p *process) wait(child *os.Process, report *os.File) {
	defer close(p.done)
	line, err := bufio.NewReader(report).ReadBytes('\n')
	_ = report.Close()
	_, _ = child.Wait()
	if err != nil || json.Unmarshal(line, &p.end) != nil {
		p.end = end{Orphaned: true, Error: "the supervisor died"}
	}
}

// term asks the script and its group to end.
func (p *process) term() { _, _ = p.control.Write([]byte{'t'}) }

// kill ends everything at once; calling it again is harmless.
func (p *process) kill() { _ = p.control.Close() }
