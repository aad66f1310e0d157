// Package browser holds the tests that use the product as people do: a real
// browser on the real server, with its database, its mail and its live
// connections. It looks at every page as well, in light and dark, on a desk and
// on a phone, for what a reader with other eyes or hands would stumble over. It
// has no code of its own.
//
// The tests need Debian's package chromium. With WATCHROOM_SHOTS naming a
// folder, a picture of every page is left there.
//
// testdata/axe.min.js is axe-core 4.14.1, under the Mozilla Public License 2.0;
// it is used by these tests only and is in no program.
package browser
