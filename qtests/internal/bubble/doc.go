// Package bubble is the inside of a bubble of qtests.Run, as the packages of qtests see it:
// its clock, and the order in which waiters are woken.
//
// The clock has two forms, one for the stock runtime and one for the ordered runtime.
// [NewClock] in seam.go chooses; the package documentation of qtests says what they promise.
// On any other clock the functions do what they can. The package imports neither package
// testing nor package net/http: the breakers and the pools that use it serve in production.
package bubble
