package api

import (
	"strconv"
	"testing"

	"github.com/watchroom/watchroom/internal/fault"
)

// FuzzCursor takes cursors that no list has given out. None is misread as one
// of another list, and what a list gives out is read back.
func FuzzCursor(f *testing.F) {
	f.Add("", "42")
	f.Add(incidentCursor.write("7"), "-1")
	f.Add("aTow", "i:")
	f.Add("=", "")
	all := []cursorOf{incidentCursor, alertCursor, olderCursor, newerCursor}
	f.Fuzz(func(t *testing.T, cursor, position string) {
		for _, c := range all {
			n, err := c.number(cursor)
			switch {
			case err != nil && !fault.Is(err, fault.CodeInvalid):
				t.Errorf("%s: number(%q): %v", c, cursor, err)
			case err == nil && (n < 0 || n == 0 && cursor != ""):
				t.Errorf("%s: number(%q) = %d", c, cursor, n)
			}
			for _, other := range all {
				got, ok := other.read(c.write(position))
				if ok != (c == other) || ok && got != position {
					t.Errorf("%s of %s %q = %q, %v", other, c, position, got, ok)
				}
			}
			if n > 0 {
				if again, err := c.number(c.write(strconv.FormatInt(n, 10))); again != n || err != nil {
					t.Errorf("%s: %d comes back as %d, %v", c, n, again, err)
				}
			}
		}
	})
}
