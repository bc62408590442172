package alarm_test

import (
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/load/internal/alarm"
)

func Example() {
	var alarms alarm.Set
	defer alarms.Close()
	due := time.Now().Add(2 * time.Millisecond)
	alarms.Wait(func() time.Duration { return time.Until(due) })
	fmt.Println("in time:", !time.Now().Before(due))
	// Output:
	// in time: true
}
