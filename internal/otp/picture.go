package otp

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// Picture is a QR code as a path of squares, in a grid of size × size with its
// quiet margin: an image without a script, a file or a format.
type Picture struct {
	Path string // of an SVG, filled where it is dark
	Size int
}

// margin is what a reader needs around the code (ISO/IEC 18004).
const margin = 4

// Draw returns text as a QR code; it fails when it is too long for one.
func Draw(text string) (Picture, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return Picture{}, fmt.Errorf("draw a code: %w", err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			begin := x
			for code.Black(x, y) {
				x++
			}
			if x > begin { // neighbours are one piece: seams would show
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", begin+margin, y+margin, x-begin, x-begin)
			}
		}
	}
	return Picture{Path: path.String(), Size: code.Size + 2*margin}, nil
}
