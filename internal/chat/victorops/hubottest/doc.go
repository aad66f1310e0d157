// Package hubottest runs a real Hubot against the server: once over the chat
// endpoint of VictorOps, as robots in the field do, and once with our own
// adapter over the API. It holds tests only; npm installs Hubot, at the version
// that testdata/package-lock.json pins, into a folder of the user's cache.
package hubottest
