//go:build !linux

package pgtest

import "syscall"

// dieWithParent does nothing where the kernel has no such promise; a killed
// test binary then leaves its server behind.
func dieWithParent(*syscall.SysProcAttr) {}
