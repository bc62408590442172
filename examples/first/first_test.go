package first_test

import (
	"github.com/go-qtests/qtests/qtests"
	"testing"
	"time"
)

func TestNextWeek(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) { // in here time is fake
		reminder := make(chan string)
		time.AfterFunc(7*24*time.Hour, func() { reminder <- "pay the rent" })
		q.Log(<-reminder) // a week has passed, and no real time
	})
}
