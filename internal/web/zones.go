package web

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/watchroom/watchroom/internal/web/view"
)

// zoneNames are the places of the IANA time-zone database, for people to choose
// from. Go can load any zone but cannot list them.
//
//go:embed zones.txt
var zoneNames string

var zones = sync.OnceValue(func() []string { return strings.Fields(zoneNames) })

// zoneOptions offers all zones; a chosen one that is not in our list, such as
// an older name, is kept.
func zoneOptions(chosen string) []view.Option {
	names := zones()
	if chosen != "" && !slices.Contains(names, chosen) {
		names = append([]string{chosen}, names...)
	}
	options := make([]view.Option, 0, len(names))
	for _, name := range names {
		area, _, isPlace := strings.Cut(name, "/")
		if !isPlace {
			area = ""
		}
		options = append(options, view.Option{Value: name, Label: strings.ReplaceAll(name, "_", " "), Group: area, Selected: name == chosen})
	}
	return options
}
