//go:build !linux

package alarm

import "time"

// An alarm is not needed where the runtime waits for the network with a timeout in
// nanoseconds.
type alarm struct{}

func newAlarm() *alarm { return nil }

func (*alarm) wait(func() time.Duration) error { return nil }

func (*alarm) close() {}
