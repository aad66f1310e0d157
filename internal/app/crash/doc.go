// Package crash holds the test that kills the real program, with SIGKILL and
// at random moments under load, and looks for what was lost. It has no code of
// its own.
package crash
