// Package alert holds the state machines behind alerts, as plain structures
// without lock, clock or goroutine: [Machine] is the life of one rule's alerts,
// to the letter of Prometheus' rules/alerting.go.
package alert
