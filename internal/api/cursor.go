package api

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Paging is how every list is walked.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"1000" doc:"Where to go on: next_cursor of the page before, with the same filters."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"At most this many."`
}

// List is one page.
type List[T any] struct {
	Items      []T    `json:"items" nullable:"false" doc:"What was found, in order."`
	NextCursor string `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page; absent on the last one."`
}

type listOutput[T any] struct{ Body List[T] }

// cursors are opaque, so that what they hold can change; each names its list,
// so that one of another list is refused instead of misread.
type cursorOf string

const (
	incidentCursor cursorOf = "i"
	alertCursor    cursorOf = "a"
	jobCursor      cursorOf = "j"
	olderCursor    cursorOf = "o" // the timeline, towards the past
	newerCursor    cursorOf = "n" // the timeline, towards the present
)

func (c cursorOf) write(position string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(string(c) + ":" + position))
}

// read returns the position in cursor; ok is false when it is of another list.
func (c cursorOf) read(cursor string) (position string, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return "", false
	}
	return strings.CutPrefix(string(text), string(c)+":")
}

// number returns the position of a cursor that is a number; 0 for no cursor.
func (c cursorOf) number(cursor string) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	position, _ := c.read(cursor)
	n, err := strconv.ParseInt(position, 10, 64)
	if err != nil || n < 1 {
		return 0, badCursor()
	}
	return n, nil
}

func badCursor() error { return fault.Invalid("cursor", phrase.T("api.bad_cursor")) }

// paged cuts a list that was loaded with one more than limit; position is where
// the page after x begins.
func paged[T any](found []T, limit int, c cursorOf, position func(x T) string) ([]T, string) {
	if len(found) <= limit {
		return found, ""
	}
	found = found[:limit]
	return found, c.write(position(found[limit-1]))
}

// pagedAfter is paged for a list in memory whose keys are unique and ascending.
func pagedAfter[T any](all []T, p Paging, c cursorOf, key func(T) string) ([]T, string, error) {
	if p.Cursor != "" {
		after, ok := c.read(p.Cursor)
		if !ok {
			return nil, "", badCursor()
		}
		for len(all) > 0 && key(all[0]) <= after {
			all = all[1:]
		}
	}
	items, next := paged(all, p.Limit, c, key)
	return items, next, nil
}
