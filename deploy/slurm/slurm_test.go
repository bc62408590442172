package slurm

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/load/merge"
	"github.com/go-qtests/qtests/qtests/load/result"
)

// TestSlurm submits the batch files to a cluster on this machine, as an array of 7 and a merge job that
// depends on it, and compares with a single run: the same arrivals and the same counts. It takes half a
// minute, and runs where QTESTS_DISTRIBUTED is set, as make distributed does.
func TestSlurm(t *testing.T) {
	if os.Getenv("QTESTS_DISTRIBUTED") == "" {
		t.Skip("starts a Slurm cluster: run it with make distributed")
	}
	c, err := startCluster(t)
	if err != nil {
		t.Skipf("no Slurm here: %v", err)
	}
	work := t.TempDir()
	run(t, work, nil, "go", "test", "-C", here(t, "../load"), "-c", "-o", filepath.Join(work, "load.test"), ".")
	run(t, work, nil, "go", "build", "-C", here(t, ".."), "-o", filepath.Join(work, "qtests"), "github.com/go-qtests/qtests/qtests/cmd/qtests")

	array, single := newServer(t), newServer(t)
	results := filepath.Join(work, "results")
	require.NoError(t, os.Mkdir(results, 0o755))
	env := append(c.env, "QTESTS_RESULTS="+results, "TARGET="+array.URL, "RATE=97.3")
	job := strings.TrimSpace(run(t, work, env, "sbatch", "--parsable", "--array=1-7", here(t, "load.sbatch")))
	merged := strings.TrimSpace(run(t, work, env, "sbatch", "--parsable", "--wait", "--dependency=afterany:"+job, here(t, "merge.sbatch")))
	for i := 1; i <= 7; i++ {
		log, err := os.ReadFile(filepath.Join(work, fmt.Sprintf("load-%d.log", i)))
		require.NoError(t, err)
		require.Contains(t, string(log), fmt.Sprintf("this is part %d of 7", i))
	}
	log, err := os.ReadFile(filepath.Join(work, "merge.log"))
	require.NoError(t, err)
	t.Logf("array job %s on two nodes, merge job %s:\n%s", job, merged, log)

	runs, err := merge.Dir(results)
	require.NoError(t, err)
	require.Len(t, runs, 1)
	require.NoError(t, runs[0].Err)
	require.Equal(t, 7, runs[0].Parts)

	alone := run(t, work, append(os.Environ(), "TARGET="+single.URL, "RATE=97.3"), "./load.test", "-test.run", "^TestLoad$", "-test.v")
	t.Logf("the single run:\n%s", alone)
	require.Equal(t, single.seen(), array.seen(), "who asked")
	require.EqualValues(t, len(single.seen()), runs[0].Result.Finished)
	report, err := os.Open(filepath.Join(results, "merged", runs[0].Name+".json"))
	require.NoError(t, err)
	defer report.Close()
	whole, err := result.Read(report)
	require.NoError(t, err)
	require.Empty(t, whole.Failed())
	require.FileExists(t, filepath.Join(results, "merged", "junit.xml"))
}

// here is an absolute path in the directory of this package.
func here(t *testing.T, name string) string {
	path, err := filepath.Abs(name)
	require.NoError(t, err)
	return path
}

func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, env
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	require.NoError(t, err, "%s\n%s%s", cmd, out, errs.String())
	return string(out)
}

// A server notes who asks.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	users []string
}

func newServer(t *testing.T) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.users = append(s.users, r.Header.Get("X-User"))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.users)
	return s.users
}
