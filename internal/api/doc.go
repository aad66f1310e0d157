// Package api is Watchroom's own HTTP interface, /api/v1: what the browser can
// do, a program can do, through the same use cases and with the same
// permissions. It reads the store and changes things only through dispatch and
// account.
//
// Every route stands in Operations with the permission it needs; a request is
// judged by that table before anything of it is read, so a handler cannot
// forget to ask. Whoever acts is known by a bearer token or, for our own pages,
// by the session cookie.
//
// It promises: errors are RFC 9457 problems whose code and field programs may
// compare; lists are walked with an opaque cursor that neither skips nor
// repeats what was there when the walk began; the timeline can be followed as
// server-sent events whose id is the number of the entry, so that a reader who
// was cut off misses nothing; what is documented in the OpenAPI document is
// what is checked. Sending live entries to many readers is left to whoever
// implements Stream, the shell around every request to httpd.
package api
