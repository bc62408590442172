package bench

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/bench/internal/compare"
)

// A program is a load generator: one that is installed, or is not, and takes part if it is there, or one that is built of
// a package of this module.
type program struct {
	name string
	role compare.Role
	// built is the package, of one that is not installed.
	built string
	// arguments say to send requests from so many users for so long.
	arguments func(j job) []string
}

// wrk and hey come as packages of distributions. wrk is written in C, and is the most that a
// client on this machine does.
var (
	wrk = program{"wrk", compare.RoleFloor, "", func(j job) []string {
		return []string{"-t1", fmt.Sprint("-c", j.Users), "-d" + wholeSeconds(j.Duration), j.URL}
	}}
	hey = program{"hey", compare.RolePeer, "", func(j job) []string {
		return []string{"-c", strconv.Itoa(j.Users), "-z", j.Duration.String(), j.URL}
	}}
	fortio    = program{"fortio", compare.RolePeer, "./internal/fortio", fortioWith("net/http")}
	fortioOwn = program{"fortio", compare.RolePeer, "./internal/fortio", fortioWith("own")}
)

// fortioWith has it send by net/http, or by the client of its own.
func fortioWith(client string) func(job) []string {
	return func(j job) []string { return []string{strconv.Itoa(j.Users), j.Duration.String(), client, j.URL} }
}

// wholeSeconds is a length for wrk, which takes no parts of a second.
func wholeSeconds(d time.Duration) string {
	return strconv.Itoa(int((d+time.Second-1)/time.Second)) + "s"
}

// contestant does a job with the program.
func (p program) contestant(j job) compare.Contestant {
	c := compare.Contestant{Name: p.name, Role: p.role}
	if p.built != "" {
		c.Work = onLoopback(j, func(t testing.TB) generator { return p.generate(build(t, p.built)) })
		return c
	}
	c.Work = onLoopback(j, func(testing.TB) generator { return p.generate(p.name) })
	if _, err := exec.LookPath(p.name); err != nil {
		c.Absent = "not on this machine"
	}
	return c
}

// build builds a command of this module.
func build(t testing.TB, source string) (file string) {
	file = filepath.Join(t.TempDir(), filepath.Base(source))
	out, err := exec.Command("go", "build", "-o", file, source).CombinedOutput()
	require.NoError(t, err, "%s: %s", source, out)
	return file
}

// generate is what the program does that is in a file.
func (p program) generate(file string) generator {
	return func(j job) (compare.Readings, error) { return p.run(file, j) }
}

func (p program) run(file string, j job) (compare.Readings, error) {
	ran, err := runProcess(exec.Command(file, p.arguments(j)...))
	if err != nil {
		return nil, err
	}
	rate, err := rateIn(string(ran.stdout))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	seconds := j.Duration.Seconds()
	if p.name == wrk.name {
		seconds, _ = strconv.ParseFloat(strings.TrimSuffix(wholeSeconds(j.Duration), "s"), 64)
	}
	return ran.readings(int(rate*seconds), rate), nil
}

var rateLine = regexp.MustCompile(`(?m)^\s*Requests/sec:\s+([0-9.]+)$`)

// rateIn is the requests per second of a summary that tells of no failures.
func rateIn(summary string) (float64, error) {
	for _, sign := range []string{"Non-2xx", "Socket errors", "Error distribution"} {
		if strings.Contains(summary, sign) {
			return 0, fmt.Errorf("some requests failed:\n%s", summary)
		}
	}
	found := rateLine.FindStringSubmatch(summary)
	if found == nil {
		return 0, fmt.Errorf("no line Requests/sec in\n%s", summary)
	}
	return strconv.ParseFloat(found[1], 64)
}

// programVersions are of those that are here and say one.
func programVersions() (all []compare.Version) {
	// wrk prints its version and fails, because it is given no address.
	out, _ := exec.Command(wrk.name, "-v").CombinedOutput()
	if fields := strings.Fields(string(out)); len(fields) > 1 && fields[0] == wrk.name {
		all = append(all, compare.Version{Module: wrk.name, Version: fields[1]})
	}
	return all
}

func TestRateIn(t *testing.T) {
	for _, c := range []struct {
		name, summary string
		rate          float64
		want          string
	}{
		{"wrk", "Running 1s test\n  137 requests in 1.00s, 16KB read\nRequests/sec:  45800.25\nTransfer/sec:    1.20MB\n", 45800.25, ""},
		{"hey", "Summary:\n  Total:\t1.00 secs\n  Requests/sec:\t24600.5\n", 24600.5, ""},
		{"a status", "  Non-2xx or 3xx responses: 3\nRequests/sec: 1\n", 0, "some requests failed"},
		{"a broken connection", "  Socket errors: connect 0, read 1\nRequests/sec: 1\n", 0, "some requests failed"},
		{"nothing", "usage", 0, "no line Requests/sec"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rate, err := rateIn(c.summary)
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.want)
			}
			require.Equal(t, c.rate, rate)
		})
	}
	require.Equal(t, "1s", wholeSeconds(200*time.Millisecond))
	require.Equal(t, "2s", wholeSeconds(2*time.Second))
}
