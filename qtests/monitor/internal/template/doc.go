// Package template expands the templates of alerting rules with Prometheus' functions,
// variables and texts of errors. It is a plain structure without lock or clock.
//
// The names of the types that a template sees are Prometheus', because the texts of
// errors contain them.
package template
