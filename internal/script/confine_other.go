//go:build !unix

package script

import "errors"

// Main does something on Linux only; see there.
func Main() {}

// process is never started here.
type process struct {
	pipes
	done chan struct{}
	end  end
}

func launch(start) (*process, error) {
	return nil, errors.New("scripts need a Unix system")
}

func (p *process) term() {}
func (p *process) kill() {}
