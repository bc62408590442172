// Package qtests is the ground floor.
package qtests
