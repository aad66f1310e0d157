package escalation

import (
	"fmt"
	"time"
)

// Duration is a time.Duration that is written "90s", "5m" or "1h30m" in JSON and YAML.
type Duration time.Duration

// D is the duration as the standard library has it.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String leaves out units that are zero: 5m, not 5m0s.
func (d Duration) String() string {
	rest, text := d.D(), ""
	if rest == 0 {
		return "0s"
	}
	if rest < 0 {
		return d.D().String()
	}
	for _, unit := range []struct {
		d time.Duration
		s string
	}{{time.Hour, "h"}, {time.Minute, "m"}} {
		if n := rest / unit.d; n > 0 {
			text += fmt.Sprint(int64(n)) + unit.s
			rest -= n * unit.d
		}
	}
	if rest > 0 {
		text += rest.String()
	}
	return text
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; "0" is allowed.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 90s, 5m or 1h30m", text)
	}
	*d = Duration(v)
	return nil
}
