package people

import (
	"fmt"
	"time"
)

// Duration is a time.Duration that is written "90s", "5m" or "1h30m" in JSON
// and YAML, as escalation.Duration is; people stands below escalation.
type Duration time.Duration

// D is the duration as the standard library has it.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String leaves out units that are zero: 5m, not 5m0s.
func (d Duration) String() string {
	rest, text := d.D(), ""
	switch {
	case rest == 0:
		return "0s"
	case rest < 0:
		return rest.String()
	}
	if h := rest / time.Hour; h > 0 {
		text, rest = fmt.Sprintf("%dh", int64(h)), rest%time.Hour
	}
	if m := rest / time.Minute; m > 0 {
		text, rest = text+fmt.Sprintf("%dm", int64(m)), rest%time.Minute
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
