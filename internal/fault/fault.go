// Package fault is the small set of errors that cross a boundary: what went
// wrong, in one of a few codes, with a sentence for people. The field and the
// use cases return them; only the edges (HTTP, chat, the command line) turn
// them into status codes, replies and exit codes.
//
// Any other error is internal: it is logged whole and shown as nothing. A fault
// may wrap one (Err); that too is for the log and never for the person.
package fault

import (
	"errors"
	"maps"
	"strings"
	"time"
)

// Code says what kind of trouble it is. Stable: clients compare it.
type Code string

// The closed set of codes. Each stands for one HTTP status, which httpd knows.
const (
	CodeInvalid         Code = "invalid"         // the input is wrong; Field says where
	CodeUnauthenticated Code = "unauthenticated" // nobody is signed in, or not with these credentials
	CodeForbidden       Code = "forbidden"       // somebody is, and may not
	CodeNotFound        Code = "not_found"       // no such thing, or none this person may know of
	CodeGone            Code = "gone"            // it was there, and was removed for good
	CodeConflict        Code = "conflict"        // somebody else was first, or the state does not allow it
	CodeTooLarge        Code = "too_large"       // the input is longer than the limit
	CodeTooMany         Code = "too_many"        // too fast; RetryAfter says when to come back
	CodeUnavailable     Code = "unavailable"     // not now; the same request may work later
	CodeInternal        Code = "internal"        // a bug or a broken machine
)

// Error is a fault with what the other side may see of it. The zero value of
// every field but Code is fine.
type Error struct {
	Code       Code
	Message    string         // for people, from the catalogue; never holds a secret or an internal detail
	Field      string         // the input that was wrong, as the sender spells it
	RetryAfter time.Duration  // 0: no advice
	Extra      map[string]any // further members for machines, such as who won a conflict
	Err        error          // for the log only
}

// Error is the text for the log; it includes what is hidden from people.
func (e *Error) Error() string {
	parts := []string{string(e.Code)}
	for _, part := range []string{e.Field, e.Message} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	return strings.Join(parts, ": ")
}

// Unwrap gives the hidden cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// Because returns a copy of e with cause for the log.
func (e *Error) Because(cause error) *Error {
	out := *e
	out.Err = cause
	return &out
}

// With returns a copy of e with one more member for machines.
func (e *Error) With(key string, value any) *Error {
	out := *e
	out.Extra = make(map[string]any, len(e.Extra)+1)
	maps.Copy(out.Extra, e.Extra)
	out.Extra[key] = value
	return &out
}

// Invalid reports a wrong input; field may be "" when it is the whole.
func Invalid(field, message string) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: message}
}

// Unauthenticated reports that nobody is signed in, or that the credentials are wrong.
func Unauthenticated(message string) *Error {
	return &Error{Code: CodeUnauthenticated, Message: message}
}

// Forbidden reports that the one who asks may not.
func Forbidden(message string) *Error { return &Error{Code: CodeForbidden, Message: message} }

// NotFound reports that there is no such thing.
func NotFound(message string) *Error { return &Error{Code: CodeNotFound, Message: message} }

// Gone reports that what was asked for has been removed for good.
func Gone(message string) *Error { return &Error{Code: CodeGone, Message: message} }

// Conflict reports that the present state does not allow it.
func Conflict(message string) *Error { return &Error{Code: CodeConflict, Message: message} }

// TooLarge reports input above its limit.
func TooLarge(message string) *Error { return &Error{Code: CodeTooLarge, Message: message} }

// TooMany reports requests that come too fast; retryAfter is when one will be let through.
func TooMany(message string, retryAfter time.Duration) *Error {
	return &Error{Code: CodeTooMany, Message: message, RetryAfter: retryAfter}
}

// Unavailable reports that it cannot be done now and may work after retryAfter (0: unknown).
func Unavailable(message string, retryAfter time.Duration) *Error {
	return &Error{Code: CodeUnavailable, Message: message, RetryAfter: retryAfter}
}

// Internal marks err as ours to repair. Any error without a code counts the same.
func Internal(err error) *Error { return &Error{Code: CodeInternal, Err: err} }

// CodeOf returns the code of the outermost fault in err's chain, CodeInternal
// for any other error and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

// MessageOf returns what a person may read of err. It is "" for internal
// errors, for which each edge has its own general sentence.
func MessageOf(err error) string {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code == CodeInternal {
		return ""
	}
	return e.Message
}

// Is reports whether err carries code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }
