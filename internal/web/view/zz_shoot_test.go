package view

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

func TestZZShoot(t *testing.T) {
	want := os.Getenv("SHOTS")
	if want == "" {
		return
	}
	base := os.Getenv("SHOTBASE")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU)
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	defer stop()
	ctx, leave := chromedp.NewContext(ctx)
	defer leave()
	for _, spec := range strings.Fields(want) { // page:w:h:scheme:script
		p := strings.SplitN(spec, ":", 3)
		w, h := int64(1440), int64(900)
		if p[1] == "n" {
			w, h = 390, 844
		}
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(w, h)); err != nil {
			t.Fatal(err)
		}
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: p[2]}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := chromedp.Do(ctx, chromedp.Navigate(base+p[0]+".html")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(700 * time.Millisecond)
		if js := os.Getenv("SHOTJS"); js != "" {
			_, _ = chromedp.Run(ctx, chromedp.Evaluate[any](js))
			time.Sleep(500 * time.Millisecond)
		}
		b, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		_ = os.WriteFile("/tmp/ui/shot-"+p[0]+"-"+p[1]+"-"+p[2]+".png", b, 0o644)
	}
}
