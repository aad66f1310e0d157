package script

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	lookEvery  = 25 * time.Millisecond // between two counts of the tree
	lookAtMost = 4 * lookEvery         // also when counting takes long: a bomb of forks doubles meanwhile
	sweepEvery = 2 * time.Millisecond  // between two rounds of killing
	sweepFor   = 10 * time.Second      // until what is left is given up
)

// supervise runs one script: the whole life of the supervisor. It becomes the
// parent of whatever loses its own, so that nothing can leave the tree.
func supervise() int {
	runtime.LockOSThread()                          // a script of our own account can kill us; it then dies with the thread that started it
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, -20) // of this thread, which looks after the script: only root may
	control, report := os.NewFile(3, "control"), os.NewFile(4, "report")
	unix.CloseOnExec(3)
	unix.CloseOnExec(4)
	orders := bufio.NewReader(control)
	var s start
	line, err := orders.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &s)
	}
	if err == nil {
		err = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	}
	e := end{}
	if err != nil {
		e.Error = err.Error()
	} else {
		e = guard(s, line, orders)
	}
	if err := json.NewEncoder(report).Encode(e); err != nil {
		return 1
	}
	return 0
}

// guard starts the script and returns when nothing of it is left.
func guard(s start, line []byte, orders *bufio.Reader) end {
	failed, spec, starter, err := startStarter(line)
	if err != nil {
		return end{Error: err.Error()}
	}
	muteStandard()
	go func() {
		_, _ = spec.Write(line)
		_ = spec.Close()
	}()
	why := make(chan string, 1)
	go func() { // the pipe closes when the script takes the starter's place
		text, _ := io.ReadAll(failed)
		why <- string(text)
	}()
	w := &ward{leader: starter, limits: s.Limits, order: make(chan byte, 4), gone: make(chan struct{}), ended: make(chan end, 1)}
	go w.listen(orders)
	go w.reap()
	e := w.watch()
	// One that was killed on the way, for a limit or by order, has ended for that reason.
	if text := whyNot(<-why); text != "" && (text != died || e.Signal == "" && e.Over == "") {
		return end{Error: text}
	}
	e.Started = true
	return e
}

// startStarter starts the process that becomes the script, in a session of its own.
func startStarter(line []byte) (failed, spec *os.File, pid int, err error) {
	specOf, spec, err := os.Pipe()
	if err != nil {
		return nil, nil, 0, err
	}
	failed, said, err := os.Pipe()
	if err != nil {
		return nil, nil, 0, err
	}
	p, err := os.StartProcess(self, []string{starterName}, &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: []*os.File{os.Stdin, os.Stdout, os.Stderr, specOf, said},
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return nil, nil, 0, err
	}
	pid = p.Pid
	_, _, _ = specOf.Close(), said.Close(), p.Release()
	return failed, spec, pid, nil
}

// muteStandard lets go of the pipes, which must close when the script does.
func muteStandard() {
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	for fd := range 3 {
		_ = unix.Dup3(null, fd, 0)
	}
}

// ward is the tree of processes that is looked after.
type ward struct {
	leader int // the script; its group has the same number
	limits Limits
	order  chan byte     // 't'; 'k', also when the server is gone
	ended  chan end      // the script's own end
	gone   chan struct{} // nothing is left
}

// listen hands on what the server orders.
func (w *ward) listen(from io.ByteReader) {
	for {
		b, err := from.ReadByte()
		if err != nil {
			b = 'k'
		}
		w.order <- b
		if err != nil {
			return
		}
	}
}

// reap takes leave of every process of the tree, until there is none: that is
// known for certain, because the last one of an orphaned branch becomes ours.
func (w *ward) reap() {
	defer close(w.gone)
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WALL, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil: // ECHILD
			return
		case pid == w.leader:
			e := end{Exit: status.ExitStatus()}
			if status.Signaled() {
				e.Exit, e.Signal = 128+int(status.Signal()), strings.TrimPrefix(unix.SignalName(status.Signal()), "SIG")
			}
			w.ended <- e
		}
	}
}

// watch returns the script's end, once nothing of it is left.
func (w *ward) watch() end {
	var result end
	var over over
	tick := time.NewTimer(lookEvery)
	defer tick.Stop()
	var killing time.Time
	kill := func() {
		if killing.IsZero() {
			killing = time.Now()
		}
		w.sweep()
		tick.Reset(sweepEvery)
	}
	for {
		select {
		case <-w.gone:
			select {
			case result = <-w.ended:
			default:
			}
			result.Over = over
			return result
		case result = <-w.ended:
			kill() // what it left behind
		case order := <-w.order:
			if order == 't' {
				_ = unix.Kill(-w.leader, unix.SIGTERM)
			} else {
				kill()
			}
		case <-tick.C:
			switch {
			case killing.IsZero():
				began := time.Now()
				if over = w.limits.exceeded(survey(w.limits.Processes)); over != "" {
					kill()
					continue
				}
				tick.Reset(min(max(lookEvery, 20*time.Since(began)), lookAtMost))
			case time.Since(killing) > sweepFor:
				result.Over, result.Survived = over, true
				return result
			default:
				kill()
			}
		}
	}
}

// sweep kills all that lives. The group is killed in one stroke, during which
// none of it can fork; the rest one by one, again and again until reap says gone.
func (w *ward) sweep() {
	_ = unix.Kill(-w.leader, unix.SIGKILL)
	for _, pid := range descendants(math.MaxInt) {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
}
