package blob

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func look(t *testing.T, content []byte) Found {
	t.Helper()
	found, err := NewInspector(1).Inspect(t.Context(), bytes.NewReader(content))
	if err != nil {
		t.Fatalf("Inspect: %v", err)
	}
	return found
}

func TestTypes(t *testing.T) {
	pad := strings.Repeat("\x00", 100)
	for _, c := range []struct{ name, content, want string }{
		{"nothing", "", TypeText},
		{"a log", "10:31 disk full\n10:32 \x1b[31mred\x1b[0m\n", TypeText},
		{"a shell script", "#!/bin/sh\nrm -rf /\n", TypeText},
		{"JSON", `{"a": 1}`, TypeText},
		{"letters of many tongues", "Größe, 温度, 🎉", TypeText},
		{"text in two bytes", "\xff\xfea\x00b\x00", TypeUnknown},
		{"Latin-1", "Gr\xf6\xdfe", TypeUnknown},
		{"text with a tail", "hello\n" + strings.Repeat("x", 600) + "\x00\x01", TypeUnknown},
		{"a word that begins like a program", "MZ is the sign of a program, and these are words that go on for more than sixty-four letters.", TypeText},
		{"HTML", "<!doctype html><script>alert(1)</script>", "text/html"},
		{"XML", `<?xml version="1.0"?><a/>`, "text/xml"},
		{"a drawing", `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, TypeSVG},
		{"a drawing with a head", "\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!DOCTYPE svg>\n<!-- a -->\n<SVG\n>", TypeSVG},
		{"words about drawings", "use <svg> for that", TypeText},
		{"PDF", "%PDF-1.7\n", "application/pdf"},
		{"a zip", "PK\x03\x04" + pad, "application/zip"},
		{"a gzip", "\x1f\x8b\x08" + pad, "application/x-gzip"},
		{"a program of Linux", "\x7fELF\x02\x01\x01" + pad, TypeELF},
		{"a program of Windows", "MZ\x90\x00" + pad, TypePE},
		{"a short one", "MZ\x90\x00", TypePE},
		{"a program of macOS", "\xcf\xfa\xed\xfe" + pad, TypeMachO},
		{"one for two machines", "\xca\xfe\xba\xbe\x00\x00\x00\x02" + pad, TypeMachO},
		{"a class of Java", "\xca\xfe\xba\xbe\x00\x00\x00\x3d" + pad, TypeJava},
		{"WebAssembly", "\x00asm\x01\x00\x00\x00", TypeWasm},
		{"a shortcut of Windows", "\x4c\x00\x00\x00\x01\x14\x02\x00" + pad, TypeLink},
		{"a picture of a telephone", "\x00\x00\x00\x18ftypheic" + pad, "image/heic"},
		{"a film", "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "video/mp4"},
		{"half a picture", "\x89PNG\r\n\x1a\n", TypeUnknown},
		{"a page in a picture's clothes", "GIF89a<script>alert(1)</script>", "image/gif"},
		{"bytes", "\x00\x01\x02\x03", TypeUnknown},
	} {
		if got := look(t, []byte(c.content)).Type; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestFirstLines(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"all", "a\r\nb\rc\n\n", "a\nb\nc"},
		{"colours of a terminal", "\x1b[1;31mred\x1b[0m \x1b]0;title\x0cx", "red ]0;titlex"},
		{"half an escape", "a\x1b[", "a"},
		{"a mark at the beginning", "\ufeffa", "a"},
		{"forty lines", strings.Repeat("a\n", 100), strings.TrimSuffix(strings.Repeat("a\n", maxLines), "\n")},
		{"whole characters", strings.Repeat("ä", 3000), strings.Repeat("ä", maxQuoted/2)},
		{"the cut is in a character", strings.Repeat("a", maxHead-1) + "ä", strings.Repeat("a", maxQuoted)},
	} {
		if got := look(t, []byte(c.content)).Lines; got != c.want {
			t.Errorf("%s: %.80q, want %.80q", c.name, got, c.want)
		}
	}
}

// drawn is a picture whose left upper quarter is red and the rest blue.
func drawn(w, h int, alpha uint8) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{B: 255, A: alpha}
			if x < w/2 && y < h/2 {
				c = color.NRGBA{R: 255, A: alpha}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func pngOf(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(tb testing.TB, img image.Image, turn int) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		tb.Fatal(err)
	}
	if turn == 0 {
		return b.Bytes()
	}
	exif := append([]byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), byte(turn), 0, 0, 0, 0, 0, 0)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(exif)+2)) //nolint:gosec // it is short
	return slices.Concat(b.Bytes()[:2], segment, exif, b.Bytes()[2:])
}

func gifOf(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := gif.Encode(&b, img, nil); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// webpOf is a picture of one colour: no pixel takes a bit, so that the size in
// the header can be any.
func webpOf(tb testing.TB, w, h int) []byte {
	tb.Helper()
	b, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	if err != nil {
		tb.Fatal(err)
	}
	bits := binary.LittleEndian.Uint32(b[21:])&^(1<<28-1) | uint32(w-1) | uint32(h-1)<<14 //nolint:gosec // small
	binary.LittleEndian.PutUint32(b[21:], bits)
	return b
}

func TestPictures(t *testing.T) {
	for _, c := range []struct {
		name    string
		content []byte
		found   Found // without Preview
		w, h    int   // of the preview; 0: none
	}{
		{"PNG", pngOf(t, drawn(960, 480, 255)), Found{Type: "image/png", Width: 960, Height: 480, PreviewType: "image/jpeg"}, 480, 240},
		{"one sees through", pngOf(t, drawn(600, 1200, 100)), Found{Type: "image/png", Width: 600, Height: 1200, PreviewType: "image/png"}, 240, 480},
		{"large", pngOf(t, image.NewGray(image.Rect(0, 0, 5000, 4000))), Found{Type: "image/png", Width: 5000, Height: 4000, PreviewType: "image/jpeg"}, 480, 384},
		{"a line", pngOf(t, image.NewGray(image.Rect(0, 0, 5000, 1))), Found{Type: "image/png", Width: 5000, Height: 1, PreviewType: "image/jpeg"}, 480, 1},
		{"small", pngOf(t, drawn(480, 480, 255)), Found{Type: "image/png", Width: 480, Height: 480}, 0, 0},
		{"JPEG", jpegOf(t, drawn(1000, 500, 255), 0), Found{Type: "image/jpeg", Width: 1000, Height: 500, PreviewType: "image/jpeg"}, 480, 240},
		{"from a telephone", jpegOf(t, drawn(1000, 500, 255), 6), Found{Type: "image/jpeg", Width: 500, Height: 1000, PreviewType: "image/jpeg"}, 240, 480},
		{"GIF", gifOf(t, drawn(700, 700, 255)), Found{Type: "image/gif", Width: 700, Height: 700, PreviewType: "image/jpeg"}, 480, 480},
		{"WebP", webpOf(t, 1000, 600), Found{Type: "image/webp", Width: 1000, Height: 600, PreviewType: "image/png"}, 480, 288},
		{"cut off", pngOf(t, drawn(960, 480, 255))[:200], Found{Type: "image/png", Width: 960, Height: 480}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := look(t, c.content)
			small := found.Preview
			found.Preview = nil
			if !slices.Equal([]any{found.Type, found.Width, found.Height, found.PreviewType}, []any{c.found.Type, c.found.Width, c.found.Height, c.found.PreviewType}) {
				t.Errorf("found %+v, want %+v", found, c.found)
			}
			if c.w == 0 {
				if small != nil {
					t.Errorf("a preview of %d bytes, want none", len(small))
				}
				return
			}
			img, _, err := image.Decode(bytes.NewReader(small))
			if err != nil || img.Bounds().Dx() != c.w || img.Bounds().Dy() != c.h {
				t.Fatalf("preview: %v, %v, want %d × %d", img, err, c.w, c.h)
			}
			if len(small) > 64<<10 {
				t.Errorf("the preview has %d bytes", len(small))
			}
		})
	}
}

// The red quarter of the picture is where each orientation puts it.
func TestPreviewsAreUpright(t *testing.T) {
	for turn, want := range map[int]image.Point{ // in which corner
		0: {0, 0}, 1: {0, 0}, 2: {1, 0}, 3: {1, 1}, 4: {0, 1}, 5: {0, 0}, 6: {1, 0}, 7: {1, 1}, 8: {0, 1}, 9: {0, 0},
	} {
		found := look(t, jpegOf(t, drawn(1000, 500, 255), turn))
		img, err := jpeg.Decode(bytes.NewReader(found.Preview))
		if err != nil {
			t.Fatal(err)
		}
		w, h := img.Bounds().Dx(), img.Bounds().Dy()
		for _, corner := range []image.Point{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
			r, _, b, _ := img.At(w/4+corner.X*w/2, h/4+corner.Y*h/2).RGBA()
			if (r > b) != (corner == want) {
				t.Errorf("orientation %d, corner %v: red %d, blue %d; red belongs to %v", turn, corner, r>>8, b>>8, want)
			}
		}
	}
}

// A small file that says it is huge is believed, and not unpacked.
func TestBombs(t *testing.T) {
	huge := func(w, h uint32, depth byte) []byte {
		b := pngOf(t, image.NewGray(image.Rect(0, 0, 1, 1)))
		binary.BigEndian.PutUint32(b[16:], w)
		binary.BigEndian.PutUint32(b[20:], h)
		b[24] = depth
		binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
		return b
	}
	for _, c := range []struct {
		name string
		w, h uint32
		bits byte
	}{
		{"wide", 1 << 30, 1, 8}, {"high", 1, 1 << 30, 8}, {"large", 10_000, 10_000, 8}, {"deep", 6_000, 6_000, 16},
	} {
		content := huge(c.w, c.h, c.bits)
		allocated := testing.AllocsPerRun(1, func() { look(t, content) })
		found := look(t, content)
		if found.Width != int(c.w) || found.Height != int(c.h) || found.Preview != nil || allocated > 1000 {
			t.Errorf("%s: %d × %d, %d bytes of preview, %v allocations", c.name, found.Width, found.Height, len(found.Preview), allocated)
		}
	}
}

func TestInspectFails(t *testing.T) {
	broken := errors.New("the disk is broken")
	r := failingSeeker{iotest.ErrReader(broken)}
	if _, err := NewInspector(1).Inspect(t.Context(), r); !errors.Is(err, broken) {
		t.Errorf("Inspect of what cannot be read: %v", err)
	}
	busy := NewInspector(1)
	busy.slots <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := busy.Inspect(ctx, bytes.NewReader(pngOf(t, drawn(1, 1, 255)))); !errors.Is(err, context.Canceled) {
		t.Errorf("Inspect while others are at it: %v", err)
	}
	if found, err := busy.Inspect(ctx, strings.NewReader("text")); err != nil || found.Type != TypeText {
		t.Errorf("text waits for nobody: %v, %v", found, err)
	}
}

type failingSeeker struct{ io.Reader }

func (failingSeeker) Seek(int64, int) (int64, error) { return 0, nil }

func FuzzInspect(f *testing.F) {
	for _, b := range [][]byte{
		nil, []byte("hello\r\n\x1b[31mred"), []byte("<svg/>"), []byte("MZ\x90\x00"), []byte("\xca\xfe\xba\xbe\x00\x00\x00\x02"),
		pngOf(f, drawn(4, 2, 100)), jpegOf(f, drawn(4, 2, 255), 6), gifOf(f, drawn(4, 2, 255)), webpOf(f, 4, 2), webpOf(f, 600, 2),
		pngOf(f, image.NewGray(image.Rect(0, 0, 600, 2))), jpegOf(f, image.NewGray(image.Rect(0, 0, 600, 2)), 8),
	} {
		f.Add(b)
	}
	inspector := NewInspector(1)
	f.Fuzz(func(t *testing.T, content []byte) {
		found, err := inspector.Inspect(t.Context(), bytes.NewReader(content))
		if err != nil || found.Type == "" {
			t.Fatalf("Inspect: %+v, %v", found, err)
		}
		if !utf8.ValidString(found.Lines) || len(found.Lines) > maxQuoted || strings.Count(found.Lines, "\n") >= maxLines || strings.ContainsRune(found.Lines, '\x1b') {
			t.Errorf("lines: %q", found.Lines)
		}
		if Disposition(found.Type) == "inline" && found.Type != TypeText && found.Width*found.Height <= 0 {
			t.Errorf("shown as a picture: %+v", found)
		}
		if found.Preview != nil {
			config, _, err := image.DecodeConfig(bytes.NewReader(found.Preview))
			if err != nil || max(config.Width, config.Height) > maxSide {
				t.Errorf("preview: %+v, %v", config, err)
			}
		}
	})
}
