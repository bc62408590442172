package bench

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// startPostgres runs a PostgreSQL server of its own for t, on loopback, as an
// unprivileged user, with a temporary data directory, and returns its URL. The
// server is stopped when t ends, or when this process does. It skips t, with the
// reason, where PostgreSQL is not installed.
func startPostgres(t *testing.T) (url string) {
	bin, err := postgresPrograms()
	if err != nil {
		t.Skipf("PostgreSQL is not here, so this test is skipped: %v", err)
	}
	who, err := unprivileged()
	if err != nil {
		t.Skipf("PostgreSQL does not run as root, so this test is skipped: %v", err)
	}
	// Not t.TempDir, whose parent the other user may not enter.
	dir, err := os.MkdirTemp("", "qtests-postgres-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	if who != nil {
		require.NoError(t, os.Chown(dir, int(who.Uid), int(who.Gid)))
	}
	command := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who, Pdeathsig: syscall.SIGINT}
		return cmd
	}
	data := filepath.Join(dir, "data")
	out, err := command("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync").CombinedOutput()
	require.NoError(t, err, "initdb: %s", out)

	port := freePort(t)
	server := command("postgres", "-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-k", "", "-F")
	stderr, err := server.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	log, drained := &strings.Builder{}, make(chan struct{})
	ready := make(chan bool, 1)
	go func() {
		defer close(drained)
		awaitReady(stderr, log, ready)
	}()
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGINT) // PostgreSQL's fast shutdown
		<-drained
		require.NoError(t, server.Wait(), "postgres:\n%s", log)
	})
	require.True(t, <-ready, "postgres ended")
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
}

// awaitReady reads the server's log to its end and says when it is up.
func awaitReady(stderr io.Reader, log *strings.Builder, ready chan<- bool) {
	lines, told := bufio.NewScanner(stderr), false
	for lines.Scan() {
		fmt.Fprintln(log, lines.Text())
		if !told && strings.Contains(lines.Text(), "ready to accept connections") {
			told = true
			ready <- true
		}
	}
	if !told {
		ready <- false
	}
}

// postgresPrograms finds the directory of the newest installed server, which
// Debian keeps out of PATH.
func postgresPrograms() (dir string, err error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		path, err := exec.LookPath("postgres")
		return filepath.Dir(path), err
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(strings.Split(path, "/")[4])
		return n
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(version(a), version(b)) })
	return filepath.Dir(newest), nil
}

// unprivileged returns the user to run as, nil for the present one.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("neither postgres nor nobody is a user here")
}

func freePort(t *testing.T) int {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
