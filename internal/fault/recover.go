package fault

import (
	"fmt"
	"runtime/debug"
)

// Recover, deferred, turns a panic into an error in *err. Loops that must not
// end and must not take the server with them use it around one round: a bug
// that one row meets is logged, and everything else goes on.
func Recover(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}
