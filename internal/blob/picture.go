package blob

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	_ "image/gif" // the formats that image.Decode knows
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // the same
)

// pictures are the types that are unpacked. What net/http takes for one may
// still be something else, and is then shown by nobody.
var pictures = map[string]bool{"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true}

// Bounds of a picture that is unpacked. The size is in its first bytes, so that
// a small file that unpacks to gigabytes is found before that.
const (
	maxPixels = 50_000_000
	maxMemory = 256 << 20
	maxSide   = 480     // of a preview, in pixels
	maxExif   = 1 << 20 // bytes in which the orientation is looked for
	sampling  = 4       // points of the large picture for one of the preview, in each direction
)

// picture fills in what f knows about a picture. An error is one of reading;
// a picture that is broken becomes a file without a picture.
func (f *Found) picture(r io.ReadSeeker) error {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	config, format, err := image.DecodeConfig(r)
	if err != nil || "image/"+format != f.Type || config.Width <= 0 || config.Height <= 0 {
		f.Type = TypeUnknown
		return nil //nolint:nilerr // broken, or something else in a picture's clothes
	}
	turn := 1
	if format == "jpeg" {
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return err
		}
		turn = orientation(io.LimitReader(r, maxExif))
	}
	f.Width, f.Height = config.Width, config.Height
	if turn >= 5 { // it lies on its side
		f.Width, f.Height = config.Height, config.Width
	}
	if max(f.Width, f.Height) <= maxSide || !affordable(config) {
		return nil
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	large, ok := decode(r)
	if !ok {
		return nil // cut off: whoever opens it sees what there is
	}
	f.Preview, f.PreviewType = preview(large, turn)
	return nil
}

// affordable reports whether a picture of this size may be unpacked.
func affordable(c image.Config) bool {
	perPixel := int64(4)
	switch c.ColorModel {
	case color.RGBA64Model, color.NRGBA64Model, color.Gray16Model:
		perPixel = 8
	}
	if c.Width > maxPixels || c.Height > maxPixels {
		return false // the product would overflow on small machines
	}
	pixels := int64(c.Width) * int64(c.Height)
	return pixels <= maxPixels && pixels*perPixel <= maxMemory
}

func decode(r io.Reader) (_ image.Image, ok bool) {
	defer func() {
		if recover() != nil { // a decoder met what its author did not think of
			ok = false
		}
	}()
	img, _, err := image.Decode(r)
	return img, err == nil
}

// preview makes a picture small enough for a list and turns it upright.
func preview(large image.Image, turn int) (data []byte, mediaType string) {
	// Two steps: picking points is cheap and leaves enough of them for a good
	// mean, whose memory would grow with the height of the large picture.
	medium := scaled(large, maxSide*sampling, draw.ApproxBiLinear)
	small := upright(scaled(medium, maxSide, draw.CatmullRom), turn)
	var out bytes.Buffer
	var err error
	if small.Opaque() {
		mediaType = "image/jpeg"
		err = jpeg.Encode(&out, small, &jpeg.Options{Quality: 82})
	} else {
		mediaType = "image/png"
		err = png.Encode(&out, small)
	}
	if err != nil {
		return nil, ""
	}
	return out.Bytes(), mediaType
}

func scaled(img image.Image, side int, by draw.Scaler) *image.RGBA {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	if longest := max(w, h); longest > side {
		w, h = max(1, w*side/longest), max(1, h*side/longest)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	by.Scale(out, out.Bounds(), img, img.Bounds(), draw.Src, nil)
	return out
}

// upright turns a picture as its Exif orientation says: 2 to 4 are mirrored or
// upside down, 5 to 8 lie on their side.
func upright(img *image.RGBA, turn int) *image.RGBA {
	if turn <= 1 || turn > 8 {
		return img
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if turn >= 5 {
		out = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			to := [...]image.Point{
				2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y},
				5: {y, x}, 6: {h - 1 - y, x}, 7: {h - 1 - y, w - 1 - x}, 8: {y, w - 1 - x},
			}[turn]
			out.SetRGBA(to.X, to.Y, img.RGBAAt(x, y))
		}
	}
	return out
}

// orientation is the Exif orientation of a JPEG, 1 when there is none. Cameras
// store pictures as the sensor lies.
func orientation(r io.Reader) int {
	var marker [4]byte
	if _, err := io.ReadFull(r, marker[:2]); err != nil {
		return 1
	}
	for {
		if _, err := io.ReadFull(r, marker[:]); err != nil || marker[0] != 0xff || marker[1] == 0xda {
			return 1 // the picture itself begins, or it is none
		}
		length := int(binary.BigEndian.Uint16(marker[2:])) - 2
		if length < 0 {
			return 1
		}
		segment := make([]byte, length)
		if _, err := io.ReadFull(r, segment); err != nil {
			return 1
		}
		if tiff, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok && marker[1] == 0xe1 {
			return tiffOrientation(tiff)
		}
	}
}

// tiffOrientation reads tag 0x0112 of the first directory.
func tiffOrientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(tiff[:2]) {
	case "II":
		order = binary.LittleEndian
	case "MM":
		order = binary.BigEndian
	default:
		return 1
	}
	at := order.Uint32(tiff[4:])
	if uint64(at)+2 > uint64(len(tiff)) {
		return 1
	}
	directory := tiff[at:]
	count := int(order.Uint16(directory))
	directory = directory[2:]
	for range count {
		if len(directory) < 12 {
			return 1
		}
		if order.Uint16(directory) == 0x0112 {
			if v := int(order.Uint16(directory[8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
		directory = directory[12:]
	}
	return 1
}
