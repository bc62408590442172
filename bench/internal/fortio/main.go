// Command fortio is the library of that name as a load generator. It is a process of its own because the library does
// something when it is linked: it reads the certificates that it brings along.
//
//	fortio USERS DURATION CLIENT URL
//
// CLIENT is net/http, or own for the client that fortio takes by itself. It prints how many requests a second there were, as
// other generators do, and fails where one failed.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"fortio.org/fortio/fhttp"
	"fortio.org/log"
)

func main() {
	if len(os.Args) != 5 {
		fail(fmt.Errorf("%d arguments, and not 4", len(os.Args)-1))
	}
	users, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fail(err)
	}
	length, err := time.ParseDuration(os.Args[2])
	if err != nil {
		fail(err)
	}
	perSecond, err := generate(users, length, os.Args[3] == "own", os.Args[4])
	if err != nil {
		fail(err)
	}
	fmt.Printf("Requests/sec: %.1f\n", perSecond)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// generate sends requests from so many users, as fast as they are answered.
func generate(users int, length time.Duration, ownClient bool, url string) (perSecond float64, err error) {
	log.SetLogLevelQuiet(log.Error)
	o := &fhttp.HTTPRunnerOptions{}
	o.Init(url)
	o.DisableFastClient = !ownClient
	o.QPS = -1 // no limit
	o.NumThreads, o.Duration, o.Out = users, length, io.Discard
	res, err := fhttp.RunHTTPTest(o)
	if err != nil {
		return 0, err
	}
	if all, good := res.DurationHistogram.Count, res.RetCodes[200]; good != all || all == 0 {
		return 0, fmt.Errorf("of %d requests %d were answered with 200", all, good)
	}
	return res.ActualQPS, nil
}
