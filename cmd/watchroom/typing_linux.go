package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// hideTyping keeps the terminal from showing what is typed, until show is called.
func hideTyping(terminal *os.File) (show func(), err error) {
	fd := int(terminal.Fd()) //nolint:gosec // a file descriptor fits
	was, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, err
	}
	hidden := *was
	hidden.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &hidden); err != nil {
		return nil, err
	}
	return func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, was) }, nil
}
