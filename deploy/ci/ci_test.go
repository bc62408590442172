package ci

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// lint returns what actionlint says of a workflow.
func lint(t *testing.T, text []byte) []*actionlint.Error {
	t.Helper()
	l, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	require.NoError(t, err)
	errs, err := l.Lint("github.yml", text, nil)
	require.NoError(t, err)
	return errs
}

func TestGitHub(t *testing.T) {
	text, err := os.ReadFile("github.yml")
	require.NoError(t, err)
	require.Empty(t, lint(t, text))
	// It would notice.
	require.NotEmpty(t, lint(t, []byte(strings.Replace(string(text), "needs: start", "needs: begin", 1))))
	require.NotEmpty(t, lint(t, []byte(strings.Replace(string(text), "matrix.share", "matrix.part", 1))))
	require.Contains(t, string(text), "share: [1, 2, 3, 4, 5, 6, 7, 8]")
}

// TestGitLab: by the schema that GitLab publishes, as the npm package gitlab-ci-local has it.
func TestGitLab(t *testing.T) {
	text, err := os.ReadFile("gitlab.yml")
	require.NoError(t, err)
	var file struct {
		Part struct {
			Parallel int
			Needs    []struct{ Job string }
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	require.Equal(t, 8, file.Part.Parallel)
	if os.Getenv("QTESTS_DISTRIBUTED") == "" {
		t.Skip("the schema is of a package of npm: run it with make distributed")
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not on the PATH, and the schema is of a package of npm")
	}
	dir := t.TempDir()
	install := exec.Command(npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", dir, "gitlab-ci-local@4.60.1", "ajv@8", "ajv-formats@3")
	out, err := install.CombinedOutput()
	require.NoError(t, err, "%s", out)
	script := filepath.Join(dir, "check.js")
	require.NoError(t, os.WriteFile(script, []byte(check), 0o644))
	valid := func(text string) (string, error) {
		json, err := yaml.YAMLToJSON([]byte(text))
		require.NoError(t, err)
		cmd := exec.Command("node", script)
		cmd.Stdin = strings.NewReader(string(json))
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	said, err := valid(string(text))
	require.NoError(t, err, said)
	said, err = valid(strings.Replace(string(text), "parallel: 8", "parallel: zero", 1))
	require.Error(t, err, "it would notice")
	require.Contains(t, said, "/part/parallel")
}

// check reads a file as JSON, and says what the schema does not allow.
const check = `
const Ajv = require("ajv").default, formats = require("ajv-formats").default;
const {schema} = require("./node_modules/gitlab-ci-local/src/schema/schema.js");
const ajv = new Ajv({allErrors: true, strict: false});
formats(ajv);
const valid = ajv.compile(schema);
if (!valid(JSON.parse(require("fs").readFileSync(0, "utf8")))) {
  console.log(valid.errors.map(e => e.instancePath + " " + e.message).join("\n"));
  process.exit(1);
}
`
