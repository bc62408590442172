// Command qtests runs Go tests on the ordered runtime: the Go that is installed, with a
// few places of its standard library changed while a test is compiled, so that the
// goroutines of a bubble run one at a time, in an order that the seed decides. Nothing
// of the Go installation is written to.
//
//	go get -tool github.com/go-qtests/qtests/qtests/cmd/qtests
//	go tool qtests test ./...
//
// # qtests test
//
//	go tool qtests test [flags of go test]
//
// is go test with the flag -overlay, by which the go command takes other text for a
// source file. All else is the go command's: every flag, the output (-json included),
// the exit status, the result cache, the files of -c and -coverprofile. Its own errors
// are shown unchanged. GOFLAGS counts as ever. What qtests says of itself are lines that
// begin with "qtests: ", on standard error.
//
// An overlay of the user's own, in the flags or in GOFLAGS, counts as well. When it
// replaces a file that the ordered runtime replaces, too, the test does not run. Names in
// it are relative to the directory in which the go command works, as they are for go
// test.
//
// Signals: SIGHUP, SIGINT, SIGQUIT and SIGTERM are passed on to the go command, and
// nothing else: what it does about them is the answer. SIGINT and SIGQUIT are not passed
// on while qtests is in the foreground of a terminal, because the keys of a terminal reach
// the go command without help; there, end it by SIGTERM from elsewhere. On Windows
// interrupts reach every process of the console. When a signal has ended the go command,
// the exit status is 128 and the number of the signal: qtests does not end itself by that
// signal, as go tool of some versions would report success. A signal that comes before
// the go command has begun ends qtests with the status 1.
//
// # qtests merge
//
//	go tool qtests merge [-o dir] results
//
// puts together what the parts of a run have left in the directory that QTESTS_RESULTS named:
// sweeps of seeds, and loads, whose thresholds it judges on the whole. It writes summary.txt,
// junit.xml, and for each load JSON, HTML and an HDR histogram log to results/merged, or to the
// directory that -o names. The status is 1 where something failed, or does not belong together,
// which it names. docs/distributed.md says how a run is divided.
//
// # Which Go
//
// It is the go command that comes first in the PATH, where go tool puts its own. It is
// asked for its GOROOT and version in the directory of the test (the one of -C, where it is
// given), so that a toolchain line in go.mod counts. Package go/types of the Go that
// compiled qtests has to read the sources of that Go: with go tool both are one and the
// same, but for a -C into a module of a later Go.
//
// The changes fit a Go when each place is found, exactly as often as expected, and the
// result passes the type checker. When they do not, the one line of error names Go's
// version, the file and the place, the exit status is 1, and nothing is written.
//
// A GOROOT in the module cache, where the go command puts a toolchain that it downloads,
// is out of the reach of any overlay. It is copied into the cache directory of qtests, by
// hard links, or by bytes where these cannot be, and the tests run with
//
//	GOROOT=the copy, GOTOOLCHAIN=local, PATH=the copy's bin:$PATH
//
// which go commands that the tests run themselves inherit. The flag -overlay they do not
// inherit: what they build is as ever.
//
// # Compiling
//
// Under a changed runtime the whole standard library is another one, so that it has to
// be compiled, for each Go once, and once more with each set of flags that changes it, such
// as -race. That takes about half a minute on two cores. qtests does it before the first
// test, and says so:
//
//	qtests: compiling the standard library of go1.26.8 for the ordered runtime, once …
//	qtests: 50 of 362 packages
//	…
//	qtests: the standard library is compiled
//
// The result is in the cache of the go command. go clean -cache removes it, and the next
// test compiles again. Packages of modules are compiled by go test itself, as ever.
//
// # Points
//
//	go tool qtests test -points [flags of go test]
//
// With -points as the first argument the packages of the main module that the tests need are
// compiled with points: calls of the ordered runtime before each use of what goroutines may
// share, at which the turn may move to another goroutine though nobody blocks. They are put
// before reads and writes of captured variables, of variables of packages, of fields, elements
// and what pointers point to, where they are written to more than once; between the read and
// the write of x++ and x = f(x); and before the operations on channels, maps, sync and
// sync/atomic. So a lost update without a lock is found as well. The text of the files changes
// in the overlay alone, and every line stays where it is. Under points a map that two
// goroutines use at once, one of them to write, is the fatal error that it is in Go.
//
// The points are put into the source and not into the functions of sync and sync/atomic,
// because these have no part in a plain x++, and because the locks within the standard library
// would move the turn too: they come and go with the collector. Files that import "C", and functions with a directive like
// //go:nosplit, have none, and neither have the packages that qtests itself consists of.
//
// # qtests find
//
//	go tool qtests find [flags] [packages]
//
//	-run regexp    the tests, as for go test; all by default
//	-seeds N       how many seeds, from 1 on; 1000 by default
//	-for 30s       no run begins after this real time; without -seeds there is no other limit
//	-p N           processes at once; the number of processors by default
//	-all           go on behind a failure, and count the kinds
//	-explore S     how choices are made: pct (the default), pct:d/k, pos, random or fifo
//	-points=false  without points
//	-o dir         for what is written; _artifacts by default
//
// and -C, -race, -tags, -mod, -modfile, -gcflags, -ldflags and -overlay as for go test.
//
// It compiles each package once and runs every test that opens a bubble with qtests.Run under
// one seed after the other, many in one process. Seed 1 is first come, first served; it also
// says over how many steps PCT draws its changes. A run fails by a failed assertion, a panic, a
// fatal error of the runtime, a deadlock, a goroutine left behind, a race under -race, a broken
// threshold or invariant ([T.Always] of package qtests), a standstill, or when it has no end
// within 20 s of real time. It also fails the search when what [T.Sometimes] was told was
// never true. Of the first failure, and with -all of five, the choices that differ from first
// come, first served are cut down until none can go; then the faults of package chaos and the
// events of load scenarios; then the load and what is left of the faults get smaller. A run that
// makes too many choices to keep (over 4,096) is cut down with the choices of its strategy. All
// that takes a minute at most. What is left is written as TEST.choices, with the account of that run as text of at most 30 lines and as a page with a lane for each
// goroutine. The last line is the command that repeats the failure, every time.
//
// An interrupt ends the search, which then tells what it has found. The bound that it prints
// is the bound of PCT: the least chance with which one run finds a bug that needs d - 1 changes of
// priority is 1/(n·k^(d-1)), with n goroutines and k steps.
//
// The exit status is 1 when something was found, and when the search was interrupted.
//
// # qtests env
//
//	go tool qtests env [-C dir] [-json | -shell sh|fish|powershell]
//
// prints the variables under which plain go test uses the ordered runtime: GOFLAGS, as
// it is with -overlay added, and for a copied GOROOT those named above. Without a flag
// they are lines of NAME=VALUE, for the environment files of CI systems and of editors;
// -json is an object; -shell is what that shell evaluates:
//
//	eval "$(go tool qtests env -shell sh)"           # sh, bash, zsh
//	go tool qtests env -shell fish | source
//	go tool qtests env -shell powershell | Out-String | Invoke-Expression
//	go tool qtests env >>"$GITHUB_ENV"
//
// They hold for one Go and one version of qtests: set them anew after an update of
// either. Under them go build uses the overlay as well. A program that is not a test
// keeps Go's own order and randomness, but is compiled from changed sources: do not
// release it.
//
// # qtests doctor
//
//	go tool qtests doctor [-C dir]
//
// says which Go this is and where it comes from, where each change goes and whether it
// fits (the line is one of the installed file), and what is cached: the overlay, the
// copy of GOROOT, and for which systems and flags the standard library is compiled. It
// writes nothing. The exit status is 1 when the changes do not fit.
//
// # The cache
//
// QTESTS_CACHE names the directory; the default is qtests in the user's cache directory
// (os.UserCacheDir). An overlay has a key of Go's version, the GOROOT, the text of the
// files that are changed, and the changes. It is checked whenever it is used, and one that
// is damaged is written anew. Any number of processes may use the directory at once;
// where files cannot be locked, two may do the same work. What has not been used for 30
// days is removed when something new is written. All of it may be removed at any time
// when no test runs.
//
// # Exit status
//
// The status of the go command once it has begun; else 0, 1 for an error, and 2 for wrong
// usage of qtests itself.
package main
