// Package house holds the guards of the source tree as tests: which package
// may import which, what the packages of the field may not touch, that every
// package says what it is for, that the catalogue of phrases and the code agree,
// and that no file grows beyond reading. It promises that a rule of the house
// is either kept or fails with a sentence; it leaves style inside a function
// to the linters.
//
// A new package fails until it has its place in the table in floors_test.go.
package house
