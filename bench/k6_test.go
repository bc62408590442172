package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/bench/internal/compare"
)

// k6 is a program, not a library, under a licence that keeps it out of this
// module. It takes part where the command is on PATH.

func k6Absent() string {
	if _, err := exec.LookPath("k6"); err != nil {
		return "not on this machine"
	}
	return ""
}

// k6Version is what the command says of itself, where it is.
func k6Version(t testing.TB) []compare.Version {
	if k6Absent() != "" {
		return nil
	}
	out, err := exec.Command("k6", "version").Output()
	require.NoError(t, err)
	return []compare.Version{{Module: "k6", Version: strings.TrimSpace(string(out))}}
}

// k6Script is the job for k6.
func k6Script(j job) string {
	scenario := fmt.Sprintf("executor: 'constant-vus', vus: %d", j.Users)
	if j.Rate > 0 {
		scenario = fmt.Sprintf("executor: 'constant-arrival-rate', rate: %d, timeUnit: '1s', preAllocatedVUs: 100, maxVUs: 1000", j.Rate)
	}
	return fmt.Sprintf(`import http from 'k6/http';
export const options = {
  discardResponseBodies: true,
  scenarios: { load: { %s, duration: '%dms' } },
};
export default function () { http.get('%s'); }
`, scenario, j.Duration.Milliseconds(), j.URL)
}

// runK6 lets k6 do the job. The files that it takes are put into dir.
func runK6(dir string, j job) (compare.Readings, error) {
	sum, p, err := k6Run(dir, k6Script(j))
	if err != nil {
		return nil, err
	}
	if failed := sum.Metrics.Failed.Value; failed > 0 {
		return nil, fmt.Errorf("k6: a share of %v of the requests failed", failed)
	}
	requests := sum.Metrics.Requests
	if requests.Count == 0 {
		return nil, errors.New("k6: the summary has no http_reqs")
	}
	return p.readings(int(requests.Count), requests.Rate), nil
}

// A k6Summary is what is read of a file that k6 writes with --summary-export: a
// counter has a count and a rate, and a rate its share as the value.
type k6Summary struct {
	Metrics struct {
		Requests struct{ Count, Rate float64 } `json:"http_reqs"`
		Failed   struct{ Value float64 }       `json:"http_req_failed"`
	}
}

func k6Run(dir, script string) (sum k6Summary, p process, err error) {
	file, summary := filepath.Join(dir, "script.js"), filepath.Join(dir, "summary.json")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		return sum, p, err
	}
	p, err = runProcess(exec.Command("k6", "run", "--quiet", "--no-usage-report", "--summary-export", summary, file))
	if err != nil {
		return sum, p, err
	}
	text, err := os.ReadFile(summary)
	if err != nil {
		return sum, p, err
	}
	if err := json.Unmarshal(text, &sum); err != nil {
		return sum, p, fmt.Errorf("k6: %s: %w", summary, err)
	}
	return sum, p, nil
}

// k6PerUser is the resident memory that k6 has for each of so many users, all of
// whom sleep: what it has with them, less what it has with one.
func k6PerUser(dir string, users int) (float64, error) {
	peak := func(vus int) (float64, error) {
		_, p, err := k6Run(dir, fmt.Sprintf(`import { sleep } from 'k6';
export const options = { scenarios: { load: { executor: 'constant-vus', vus: %d, duration: '3s' } } };
export default function () { sleep(3); }
`, vus))
		return p.peakRSS, err
	}
	one, err := peak(1)
	if err != nil {
		return 0, err
	}
	all, err := peak(users)
	return (all - one) / float64(users-1), err
}

// standInForK6 puts a script on PATH that is called k6: it keeps its arguments and
// the script it was given, and writes a summary of the documented form. It is no
// k6, and shows only that k6 is asked and read as its documentation has it.
func standInForK6(t *testing.T, summary string) (dir string) {
	dir = t.TempDir()
	script := `#!/bin/sh
echo "$@" > "` + dir + `/arguments"
while [ $# -gt 1 ]; do
  [ "$1" = --summary-export ] && out=$2
  shift
done
cp "$1" "` + dir + `/script"
cat > "$out" <<'END'
` + summary + `
END
`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "k6"), []byte(script), 0o700))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return dir
}

const documentedSummary = `{
  "root_group": {"name": "", "path": "", "id": "d41d8cd98f00b204e9800998ecf8427e", "groups": {}, "checks": {}},
  "metrics": {
    "http_reqs": {"count": 4500, "rate": 1499.5},
    "http_req_failed": {"passes": 0, "fails": 4500, "value": 0},
    "http_req_duration": {"avg": 1.1, "min": 0.2, "med": 1, "max": 9.5, "p(90)": 2.2, "p(95)": 3.1},
    "vus": {"value": 16, "min": 16, "max": 16}
  }
}`

func TestK6IsAsked(t *testing.T) {
	dir := standInForK6(t, documentedSummary)
	require.Empty(t, k6Absent())
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return string(text)
	}

	got, err := runK6(t.TempDir(), job{URL: "http://127.0.0.1:1/", Duration: 3 * time.Second, Users: 16})
	require.NoError(t, err)
	require.Equal(t, 1499.5, got[requestsPerSecond])
	require.Positive(t, got[cpuPerRequest])
	require.NotContains(t, got, lateP99)
	require.Regexp(t, `^run --quiet --no-usage-report --summary-export \S+/summary\.json \S+/script\.js\n$`, read("arguments"))
	require.Contains(t, read("script"), "executor: 'constant-vus', vus: 16, duration: '3000ms'")
	require.Contains(t, read("script"), "http.get('http://127.0.0.1:1/')")

	_, err = runK6(t.TempDir(), job{URL: "http://127.0.0.1:1/", Duration: time.Second, Rate: 2000})
	require.NoError(t, err)
	require.Contains(t, read("script"), "executor: 'constant-arrival-rate', rate: 2000, timeUnit: '1s'")

	_, err = k6PerUser(t.TempDir(), 1000)
	require.NoError(t, err)
	require.Contains(t, read("script"), "vus: 1000")
}

func TestK6Misbehaves(t *testing.T) {
	for _, c := range []struct{ name, summary, want string }{
		{"failures", `{"metrics": {"http_reqs": {"count": 10, "rate": 1}, "http_req_failed": {"value": 0.5}}}`, "a share of 0.5 of the requests failed"},
		{"no requests", `{"metrics": {}}`, "no http_reqs"},
		{"no JSON", `k6`, "invalid character"},
	} {
		t.Run(c.name, func(t *testing.T) {
			standInForK6(t, c.summary)
			_, err := runK6(t.TempDir(), job{Users: 1, Duration: time.Second})
			require.ErrorContains(t, err, c.want)
		})
	}
}
