// Package usercode makes errors of what the user's code does instead of returning: a panic, and
// runtime.Goexit, which t.FailNow calls.
package usercode
