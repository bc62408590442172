// Package life has the context of a request. Many of them are ended one after the other, in an
// order that is the same in every run, which the contexts of package context do not allow.
//
// Its types are safe for concurrent use.
package life
