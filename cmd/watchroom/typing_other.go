//go:build !linux

package main

import (
	"errors"
	"os"

	"github.com/watchroom/watchroom/internal/phrase"
)

// hideTyping refuses where it is not known how: a password that shows while it
// is typed is worse than one that comes through a pipe.
func hideTyping(*os.File) (show func(), err error) {
	return nil, errors.New(phrase.T("cli.user.pipe"))
}
