//go:build !unix

package blob

import "os/exec"

// alone does nothing where there are no process groups: the program itself is
// ended, its children end by themselves.
func alone(*exec.Cmd) {}
