package kubernetes

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// decode reads the documents of a file strictly: a field that the API does not have is an error, and so
// is one that is there twice.
func decode(t *testing.T, text []byte) (jobs []*batch.Job, kinds []string) {
	t.Helper()
	for doc := range bytes.SplitSeq(text, []byte("\n---\n")) {
		var head struct{ APIVersion, Kind string }
		require.NoError(t, yaml.Unmarshal(doc, &head))
		kinds = append(kinds, head.Kind)
		into := map[string]any{
			"batch/v1 Job": &batch.Job{}, "v1 PersistentVolumeClaim": &core.PersistentVolumeClaim{},
			"v1 PersistentVolume": &core.PersistentVolume{}, "v1 ConfigMap": &core.ConfigMap{},
		}[head.APIVersion+" "+head.Kind]
		require.NotNil(t, into, "a kind that nothing checks: %s %s", head.APIVersion, head.Kind)
		require.NoError(t, yaml.UnmarshalStrict(doc, into), "%s", doc)
		if job, ok := into.(*batch.Job); ok {
			jobs = append(jobs, job)
		}
	}
	return jobs, kinds
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return text
}

// TestManifests: they are of the API, to the field, and what their parts say of each other fits.
func TestManifests(t *testing.T) {
	decode(t, read(t, "load/results.yaml"))
	decode(t, read(t, "objectstore/bucket.yaml"))
	decode(t, read(t, "objectstore/claim.yaml"))
	jobs, _ := decode(t, read(t, "load/load.yaml"))
	load := jobs[0]
	jobs, _ = decode(t, read(t, "merge/merge.yaml"))
	merge := jobs[0]

	spec := load.Spec
	require.Equal(t, batch.IndexedCompletion, *spec.CompletionMode)
	require.Equal(t, *spec.Completions, *spec.Parallelism, "all parts run at once")
	require.Contains(t, string(read(t, "load/settings.env")), fmt.Sprintf("SHARES=%d\n", *spec.Completions))
	require.Zero(t, *spec.BackoffLimitPerIndex)
	require.Nil(t, spec.BackoffLimit, "it would be the limit of all indexes together")
	require.NotEmpty(t, spec.PodFailurePolicy.Rules)
	for _, r := range spec.PodFailurePolicy.Rules {
		require.True(t, (r.OnExitCodes == nil) != (r.OnPodConditions == nil), "a rule has one of the two")
		if r.OnExitCodes != nil && r.OnExitCodes.ContainerName != nil {
			require.Equal(t, spec.Template.Spec.Containers[0].Name, *r.OnExitCodes.ContainerName)
		}
	}
	env := map[string]core.EnvVar{}
	for _, e := range spec.Template.Spec.Containers[0].Env {
		env[e.Name] = e
	}
	require.Equal(t, "SHARES", env["QTESTS_SHARES"].ValueFrom.ConfigMapKeyRef.Key)
	require.Equal(t, env["QTESTS_RESULTS"].Value, spec.Template.Spec.Containers[0].VolumeMounts[0].MountPath)
	require.Equal(t, []string{"/qtests", "merge", env["QTESTS_RESULTS"].Value}, merge.Spec.Template.Spec.Containers[0].Command)
	require.Zero(t, *merge.Spec.BackoffLimit)
	for _, job := range []*batch.Job{load, merge} {
		confined(t, job)
	}
}

// confined holds a job to the restricted standard for pods, and to a root that nobody writes to.
func confined(t *testing.T, job *batch.Job) {
	pod := job.Spec.Template.Spec
	require.Equal(t, core.RestartPolicyNever, pod.RestartPolicy, "a failure policy needs it")
	require.True(t, *pod.SecurityContext.RunAsNonRoot)
	require.NotZero(t, *pod.SecurityContext.RunAsUser)
	require.Equal(t, core.SeccompProfileTypeRuntimeDefault, pod.SecurityContext.SeccompProfile.Type)
	require.False(t, *pod.AutomountServiceAccountToken)
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
	}
	for _, c := range pod.Containers {
		require.True(t, *c.SecurityContext.ReadOnlyRootFilesystem)
		require.False(t, *c.SecurityContext.AllowPrivilegeEscalation)
		require.Equal(t, []core.Capability{"ALL"}, c.SecurityContext.Capabilities.Drop)
		require.Contains(t, c.Resources.Requests, core.ResourceCPU)
		require.Contains(t, c.Resources.Limits, core.ResourceMemory)
		for _, m := range c.VolumeMounts {
			require.True(t, volumes[m.Name], m.Name)
		}
	}
	for k, v := range job.Spec.Template.Labels {
		require.Equal(t, job.Labels[k], v)
	}
}

// TestStrict: a field that does not exist does not pass.
func TestStrict(t *testing.T) {
	text := strings.Replace(string(read(t, "load/load.yaml")), "backoffLimitPerIndex:", "backoffLimitPerIndexes:", 1)
	require.ErrorContains(t, yaml.UnmarshalStrict([]byte(text), &batch.Job{}), "backoffLimitPerIndexes")
}

// TestKubectl: kustomize makes them, and kubectl takes them. Both are of the kubectl that is installed. It
// asks a server which kinds there are, and this one knows those of the files.
func TestKubectl(t *testing.T) {
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("kubectl is not on the PATH")
	}
	srv := httptest.NewServer(http.HandlerFunc(discover))
	defer srv.Close()
	for dir, want := range map[string][]string{
		"load":        {"configmap/load", "persistentvolumeclaim/results", "job.batch/load"},
		"merge":       {"job.batch/merge"},
		"objectstore": {"configmap/load", "persistentvolume/load-results", "persistentvolumeclaim/results", "job.batch/load"},
	} {
		var errs bytes.Buffer
		cmd := exec.Command(kubectl, "kustomize", dir)
		cmd.Stderr = &errs
		made, err := cmd.Output()
		require.NoError(t, err, "%s", errs.Bytes())
		decode(t, made)
		cmd = exec.Command(kubectl, "--server", srv.URL, "--cache-dir", t.TempDir(), "create", "--dry-run=client", "--validate=false", "-o", "name", "-f", "-")
		cmd.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(t.TempDir(), "none"))
		cmd.Stdin = bytes.NewReader(made)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.ElementsMatch(t, want, strings.Fields(string(out)))
		if dir == "objectstore" {
			require.Contains(t, string(made), "volumeName: load-results")
		}
	}
}

// discover tells kubectl of the kinds.
func discover(w http.ResponseWriter, r *http.Request) {
	kind := func(name, kind string, namespaced bool) map[string]any {
		return map[string]any{"name": name, "singularName": "", "kind": kind, "namespaced": namespaced, "verbs": []string{"create", "get"}}
	}
	answers := map[string]any{
		"/api":  map[string]any{"kind": "APIVersions", "versions": []string{"v1"}},
		"/apis": map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": []any{map[string]any{"name": "batch", "versions": []any{map[string]string{"groupVersion": "batch/v1", "version": "v1"}}, "preferredVersion": map[string]string{"groupVersion": "batch/v1", "version": "v1"}}}},
		"/api/v1": map[string]any{"kind": "APIResourceList", "groupVersion": "v1", "resources": []any{
			kind("configmaps", "ConfigMap", true), kind("persistentvolumeclaims", "PersistentVolumeClaim", true), kind("persistentvolumes", "PersistentVolume", false)}},
		"/apis/batch/v1": map[string]any{"kind": "APIResourceList", "groupVersion": "batch/v1", "resources": []any{kind("jobs", "Job", true)}},
	}
	a, ok := answers[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a) // to a kubectl that is there
}

// TestImage builds what the Dockerfile builds, by its own commands, and runs it as the pod does: with
// nothing else on the disk, and as a user who is not root.
func TestImage(t *testing.T) {
	if os.Getenv("QTESTS_DISTRIBUTED") == "" {
		t.Skip("compiles a load test: run it with make distributed")
	}
	if os.Getuid() != 0 {
		t.Skip("only root can give a process another root")
	}
	docker := string(read(t, "Dockerfile"))
	run := regexp.MustCompile(`(?s)RUN (.*?)\n\n`).FindStringSubmatch(docker)
	require.NotNil(t, run)
	root := t.TempDir()
	for dir := root; dir != "/"; dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, must(os.Stat(dir)).Mode()|0o111))
	}
	out := filepath.Join(root, "out")
	require.NoError(t, os.MkdirAll(filepath.Join(out, "results"), 0o755))
	require.NoError(t, os.Chmod(filepath.Join(out, "results"), 0o777))
	script := strings.NewReplacer("/out/", out+"/", "\\\n", "").Replace(run[1])
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir, cmd.Env = filepath.Join("..", ".."), append(os.Environ(), "CGO_ENABLED=0", "PACKAGE=./load", "DIR=deploy")
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", text)
	for _, name := range []string{"load", "qtests"} {
		f, err := elf.Open(filepath.Join(out, name))
		require.NoError(t, err)
		for _, p := range f.Progs {
			require.NotEqual(t, elf.PT_INTERP, p.Type, "%s is not static", name)
		}
		require.NoError(t, f.Close())
	}
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	pod := func(index int) *exec.Cmd {
		c := exec.Command("/load", "-test.run=^TestLoad$", "-test.v", "-test.timeout=1m")
		c.Dir = "/"
		c.SysProcAttr = &syscall.SysProcAttr{Chroot: out, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		c.Env = []string{"QTESTS_SHARES=2", fmt.Sprintf("JOB_COMPLETION_INDEX=%d", index), "QTESTS_RESULTS=/results", "TARGET=" + srv.URL, "RATE=40"}
		return c
	}
	first, second := pod(0), pod(1)
	var log bytes.Buffer
	first.Stdout, first.Stderr = &log, &log
	require.NoError(t, first.Start())
	text, err = second.CombinedOutput()
	require.NoError(t, err, "%s", text)
	require.NoError(t, first.Wait(), "%s", &log)
	merge := exec.Command("/qtests", "merge", "/results")
	merge.Dir, merge.Env = "/", []string{}
	merge.SysProcAttr = first.SysProcAttr
	text, err = merge.CombinedOutput()
	require.NoError(t, err, "%s", text)
	require.Contains(t, string(text), "together from 2 parts")
	require.Contains(t, docker, "FROM scratch")
}

func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}
