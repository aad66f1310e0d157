package script

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// openFiles is how many files a process of a script may have open.
const openFiles = 256

// becomeScript is the whole life of the starter: it takes its limits upon itself
// and becomes the script. Returning means that it could not, and has said why.
func becomeScript() int {
	spec, said := os.NewFile(3, "spec"), os.NewFile(4, "why")
	debug.SetGCPercent(-1) // a collection would ask for memory at the wrong moment
	closeOnExec()
	var s start
	err := json.NewDecoder(spec).Decode(&s)
	if err == nil {
		err = s.become(said)
	}
	_, _ = fmt.Fprint(said, err)
	return starterFailed
}

// starterFailed is the exit status of a starter that could not become the script.
const starterFailed = 125

// atTheDoor is what the starter says before its last step. One that ends without
// having said it has died of something, and no script has run.
const atTheDoor = "x"

// died is why no script ran when its starter could not say it.
const died = "the process that starts it died"

// whyNot reads what a starter said: "" when the script has taken its place.
func whyNot(said string) string {
	why, came := strings.CutPrefix(said, atTheDoor)
	if !came && why == "" {
		return died
	}
	return why
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

func (s start) become(said *os.File) error {
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
	// Now, because a change of account clears it.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("tie its life to the supervisor's: %w", err)
	}
	return s.exec(said)
}

// exec limits the memory and becomes the script. This program itself may be over
// that limit at once, so between the two nothing is allocated and nothing of
// the runtime is asked: what it needs, also to say why not, is there before.
func (s start) exec(said *os.File) error {
	path, err := syscall.BytePtrFromString(s.Path)
	if err != nil {
		return err
	}
	args, err := syscall.SlicePtrFromStrings(append([]string{s.Path}, s.Args...))
	if err != nil {
		return err
	}
	env, err := syscall.SlicePtrFromStrings(s.Env)
	if err != nil {
		return err
	}
	limit := &unix.Rlimit{Cur: uint64(s.Limits.Memory), Max: uint64(s.Limits.Memory)}
	why, pipe := make([]byte, 256), said.Fd()
	missing := "the program that its first line names does not exist"
	if _, err := os.Stat(s.Path); err != nil {
		missing = syscall.ENOENT.Error()
	}
	if _, err := unix.Write(int(pipe), []byte(atTheDoor)); err != nil {
		return err
	}
	_, _, errno := syscall.RawSyscall6(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_DATA, uintptr(unsafe.Pointer(limit)), 0, 0, 0)
	if errno == 0 {
		_, _, errno = syscall.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&args[0])), uintptr(unsafe.Pointer(&env[0])))
	}
	var n int
	switch errno {
	case unix.ENOEXEC:
		n = copy(why, "the kernel cannot run it: a script begins with #! and the program that reads it")
	case unix.ENOENT:
		n = copy(why, missing)
	default:
		n = copy(why, errno.Error())
	}
	_, _, _ = syscall.RawSyscall(unix.SYS_WRITE, pipe, uintptr(unsafe.Pointer(&why[0])), uintptr(n))
	_, _, _ = syscall.RawSyscall(unix.SYS_EXIT_GROUP, starterFailed, 0, 0)
	return errno
}

// set gives this process and its children a limit that they cannot lift.
func set(what int, limit uint64) error {
	if err := syscall.Setrlimit(what, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		return fmt.Errorf("set limit %d: %w", what, err)
	}
	return nil
}

// niceness of scripts: the server's pages come first, and a bomb of forks must
// not keep the supervisor from the processor.
const niceness = 15

func (l Limits) set(uid int) error {
	// The supervisor counts the same, for all together, and tells which limit it was; the kernel is there if it cannot.
	seconds := uint64(l.CPU/time.Second) + 2
	err := errors.Join(
		set(unix.RLIMIT_CORE, 0),
		set(unix.RLIMIT_FSIZE, uint64(l.Disk)),
		set(unix.RLIMIT_NOFILE, openFiles),
		set(unix.RLIMIT_CPU, seconds),
	)
	// Refused where the server itself comes later than that, which is as good.
	_ = unix.Setpriority(unix.PRIO_PGRP, 0, niceness)

	if uid != 0 { // the kernel counts all of the account's, which others add to, and root's not at all
		err = errors.Join(err, set(unix.RLIMIT_NPROC, uint64(tasksOf(uid)+2*l.Processes+64)))
	}
	return err
}
