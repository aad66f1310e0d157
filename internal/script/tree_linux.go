package script

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// use is what a tree of processes uses.
type use struct {
	processes int
	memory    int64 // bytes that are in memory and nobody else's
	cpu       time.Duration
}

// exceeded is the first limit that u is over, or "".
func (l Limits) exceeded(u use) over {
	switch {
	case u.processes > l.Processes:
		return overProcesses
	case u.memory > l.Memory:
		return overMemory
	case u.cpu > l.CPU:
		return overCPU
	}
	return ""
}

// survey adds up what all descendants of this process use and what those that
// are gone have used. What cannot be read is gone by now. Far more than most of
// them, dead ones too, are counted and not looked at: there is no time.
func survey(most int) use {
	var u use
	all := descendants(2*most + 100)
	if len(all) > 2*most+100 {
		return use{processes: len(all)}
	}
	for _, pid := range all {
		p, ok := inspect(pid)
		if !ok {
			continue
		}
		u.processes++
		u.memory += p.memory
		u.cpu += p.cpu
	}
	var gone unix.Rusage
	if unix.Getrusage(unix.RUSAGE_CHILDREN, &gone) == nil {
		u.cpu += time.Duration(gone.Utime.Nano() + gone.Stime.Nano())
	}
	return u
}

// ticks is how the kernel counts processor time for programs, on every Linux.
const ticks = time.Second / 100

// inspect reads one process: its own time and that of its children that ended.
func inspect(pid int) (u use, ok bool) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return use{}, false
	}
	_, rest, found := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" "))
	fields := strings.Fields(string(rest))
	if !found || len(fields) < 15 || fields[0] == "Z" {
		return use{}, false
	}
	for _, f := range fields[11:15] { // utime stime cutime cstime
		n, _ := strconv.ParseInt(f, 10, 64)
		u.cpu += time.Duration(n) * ticks
	}
	if statm, err := os.ReadFile(dir + "/statm"); err == nil {
		if pages := strings.Fields(string(statm)); len(pages) > 2 {
			resident, _ := strconv.ParseInt(pages[1], 10, 64)
			shared, _ := strconv.ParseInt(pages[2], 10, 64)
			u.memory = (resident - shared) * int64(os.Getpagesize())
		}
	}
	return u, true
}

// descendants are all processes below this one, zombies included, or the first
// that are more than enough. While they fork it may miss some; whoever kills
// looks again.
func descendants(enough int) []int {
	all := childrenOf(os.Getpid())
	for i := 0; i < len(all) && len(all) <= enough; i++ {
		all = append(all, childrenOf(all[i])...)
	}
	return all
}

// childrenOf asks each thread of pid, for a child belongs to the one that made it.
func childrenOf(pid int) []int {
	dir := "/proc/" + strconv.Itoa(pid) + "/task"
	threads, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var all []int
	for _, t := range threads {
		text, err := os.ReadFile(dir + "/" + t.Name() + "/children")
		if err != nil {
			continue
		}
		for f := range strings.FieldsSeq(string(text)) {
			if n, err := strconv.Atoi(f); err == nil && n > 1 {
				all = append(all, n)
			}
		}
	}
	return all
}

// tasksOf is how many threads an account has now, which is what the kernel holds
// against the limit of processes.
func tasksOf(uid int) int {
	all, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	n := 0
	for _, e := range all {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		var st unix.Stat_t
		if unix.Stat("/proc/"+e.Name(), &st) != nil || int(st.Uid) != uid {
			continue
		}
		if threads, err := os.ReadDir("/proc/" + e.Name() + "/task"); err == nil {
			n += len(threads)
		}
	}
	return n
}
