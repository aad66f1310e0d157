package script

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// openFiles is how many files a process of a script may have open.
const openFiles = 256

// becomeScript is the whole life of the starter: it takes its limits upon itself
// and becomes the script. Returning means that it could not, and has said why.
func becomeScript() int {
	spec, said := os.NewFile(3, "spec"), os.NewFile(4, "why")
	closeOnExec()
	var s start
	err := json.NewDecoder(spec).Decode(&s)
	if err == nil {
		err = s.become()
	}
	_, _ = fmt.Fprint(said, err)
	return 1
}

// closeOnExec keeps everything but the standard three from the script, also what
// the server was started with and knows nothing of.
func closeOnExec() {
	if unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	open, err := os.ReadDir("/proc/self/fd") // before Linux 5.11
	if err != nil {
		unix.CloseOnExec(3)
		unix.CloseOnExec(4)
		return
	}
	for _, e := range open {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}

func (s start) become() error {
	runtime.LockOSThread() // some of this is of the thread, and the one that calls exec is the one that stays
	if err := os.Chdir(s.Dir); err != nil {
		return err
	}
	unix.Umask(0o077)
	// A script, not the server, is what the kernel takes when memory runs out.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("900"), 0)
	// No right beyond those of the account, so that the supervisor can always end it.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	uid := os.Getuid()
	if s.User != nil {
		uid = s.User.UID
	}
	if err := s.Limits.set(uid); err != nil {
		return err
	}
	if s.User != nil {
		if err := errors.Join(syscall.Setgroups([]int{s.User.GID}), syscall.Setgid(s.User.GID), syscall.Setuid(s.User.UID)); err != nil {
			return fmt.Errorf("become another account: %w", err)
		}
	}
	// Last, because this program itself may be over it already.
	if err := set(unix.RLIMIT_DATA, uint64(s.Limits.Memory)); err != nil {
		return err
	}
	// Now, because a change of account clears it.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("tie its life to the supervisor's: %w", err)
	}
	err := syscall.Exec(s.Path, append([]string{s.Path}, s.Args...), s.Env)
	if errors.Is(err, unix.ENOEXEC) {
		return errors.New("the kernel cannot run it: a script begins with #! and the program that reads it")
	}
	if _, missing := os.Stat(s.Path); missing == nil && errors.Is(err, unix.ENOENT) {
		return errors.New("the program that its first line names does not exist")
	}
	return err
}

// set gives this process and its children a limit that they cannot lift.
func set(what int, limit uint64) error {
	if err := syscall.Setrlimit(what, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		return fmt.Errorf("set limit %d: %w", what, err)
	}
	return nil
}

func (l Limits) set(uid int) error {
	// The supervisor counts the same, for all together, and tells which limit it was; the kernel is there if it cannot.
	seconds := uint64(l.CPU/time.Second) + 2
	err := errors.Join(
		set(unix.RLIMIT_CORE, 0),
		set(unix.RLIMIT_FSIZE, uint64(l.Disk)),
		set(unix.RLIMIT_NOFILE, openFiles),
		set(unix.RLIMIT_CPU, seconds),
	)
	if uid != 0 { // the kernel counts the account's, and root's not at all
		err = errors.Join(err, set(unix.RLIMIT_NPROC, uint64(tasksOf(uid)+l.Processes)))
	}
	return err
}
