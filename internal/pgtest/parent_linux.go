package pgtest

import "syscall"

// dieWithParent asks for an immediate shutdown when the starting process ends
// without stopping the server: a panic, a test's time limit, kill -9.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGQUIT }
