package slurm

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A cluster is a Slurm of two nodes on the loopback of this machine. Its processes end with the test.
type cluster struct {
	t    *testing.T
	dir  string
	env  []string
	logs []string
}

const config = `ClusterName=loopback
SlurmctldHost=%[1]s(127.0.0.1)
SlurmctldPort=%[3]d
AuthType=auth/munge
AuthInfo=socket=%[2]s/munge.socket
CredType=cred/munge
SlurmUser=root
StateSaveLocation=%[2]s/state
SlurmdSpoolDir=%[2]s/spool-%%n
SlurmctldPidFile=%[2]s/slurmctld.pid
SlurmdPidFile=%[2]s/slurmd-%%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=1
NodeName=n1 NodeHostname=%[1]s NodeAddr=127.0.0.1 Port=%[4]d CPUs=4 State=UNKNOWN
NodeName=n2 NodeHostname=%[1]s NodeAddr=127.0.0.1 Port=%[5]d CPUs=4 State=UNKNOWN
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
`

// startCluster starts the daemons, or says why it cannot.
func startCluster(t *testing.T) (*cluster, error) {
	for _, name := range []string{"munged", "slurmctld", "slurmd", "sbatch", "scontrol"} {
		if _, err := exec.LookPath(name); err != nil {
			return nil, fmt.Errorf("%s is not installed (Debian: slurmctld, slurmd, slurm-client, munge)", name)
		}
	}
	if os.Getuid() != 0 {
		return nil, errors.New("the daemons of Slurm run as root, and this test does not")
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	// A socket has a short path.
	dir, err := os.MkdirTemp("", "slurm")
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	c := &cluster{t: t, dir: dir, env: append(os.Environ(), "SLURM_CONF="+dir+"/slurm.conf")}
	ports := freePorts(t, 3)
	short, _, _ := strings.Cut(host, ".")
	require.NoError(t, os.WriteFile(dir+"/slurm.conf", fmt.Appendf(nil, config, short, dir, ports[0], ports[1], ports[2]), 0o644))
	key := make([]byte, 1024)
	_, _ = rand.Read(key) // documented never to fail
	require.NoError(t, os.WriteFile(dir+"/munge.key", key, 0o600))
	require.NoError(t, os.Chmod(dir, 0o711))
	require.NoError(t, os.MkdirAll(dir+"/state", 0o755))

	c.start("munged", "--foreground", "--force", "--key-file="+dir+"/munge.key", "--socket="+dir+"/munge.socket", "--pid-file="+dir+"/munged.pid",
		"--log-file="+dir+"/munged.log", "--seed-file="+dir+"/munge.seed")
	if err := c.await("the socket of munged", func() bool { _, err := os.Stat(dir + "/munge.socket"); return err == nil }); err != nil {
		return nil, err
	}
	c.start("slurmctld", "-D", "-f", dir+"/slurm.conf")
	c.start("slurmd", "-D", "-N", "n1", "-f", dir+"/slurm.conf")
	c.start("slurmd", "-D", "-N", "n2", "-f", dir+"/slurm.conf")
	return c, c.await("two idle nodes", func() bool {
		out, err := c.command("sinfo", "-h", "-N", "-o", "%N %t").Output()
		return err == nil && strings.Count(string(out), " idle\n") == 2
	})
}

// freePorts are ports that nobody listens on now.
func freePorts(t *testing.T, n int) (ports []int) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// start runs a daemon until the test ends.
func (c *cluster) start(name string, args ...string) {
	log := filepath.Join(c.dir, fmt.Sprintf("%s-%d.out", name, len(c.logs)))
	c.logs = append(c.logs, log)
	out, err := os.Create(log)
	require.NoError(c.t, err)
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = c.env, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(c.t, cmd.Start())
	c.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
		_ = out.Close()
	})
}

func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = c.env
	return cmd
}

// await waits until something is so, and says with the ends of the logs what was not.
func (c *cluster) await(what string, is func() bool) error {
	for range 150 {
		if is() {
			return nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	var b bytes.Buffer
	for _, log := range c.logs {
		text, _ := os.ReadFile(log) // an empty one says nothing
		fmt.Fprintf(&b, "\n%s:\n%s", filepath.Base(log), text[max(len(text)-2000, 0):])
	}
	return fmt.Errorf("%s: not within 30 s%s", what, b.String())
}
