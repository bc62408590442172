package lint_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/monitor/lint"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

const every15s = "  interval: 15s\n  rules:\n  - "

// kinds has, for each kind of finding, a group whose rule is wrong, and the same as it
// should be.
var kinds = []struct{ check, wrong, right string }{
	{"syntax", every15s + `{alert: Errors, expr: 'errors >'}`, every15s + `{alert: Errors, expr: 'errors > 5'}`},
	{"range", every15s + `{alert: Errors, expr: 'rate(errors_total[15s]) > 0'}`, every15s + `{alert: Errors, expr: 'rate(errors_total[1m]) > 0'}`},
	{"for", every15s + `{alert: Errors, expr: 'errors > 5', for: 5s}`, every15s + `{alert: Errors, expr: 'errors > 5', for: 15s}`},
	{"absent", every15s + `{alert: Errors, expr: 'absent(up{job=~"shop.*"})', for: 5m}`, every15s + `{alert: Errors, expr: 'absent(up{job="shop"})', for: 5m}`},
	{"always", every15s + `{alert: Errors, expr: 'increase(errors_total[5m])'}`, every15s + `{alert: Errors, expr: 'increase(errors_total[5m]) > 0'}`},
	{
		"labels", every15s + `{alert: Errors, expr: 'sum by (job) (errors) > 5', annotations: {summary: '{{ $labels.instance }}'}}`,
		every15s + `{alert: Errors, expr: 'sum by (job, instance) (errors) > 5', annotations: {summary: '{{ $labels.instance }}'}}`,
	},
	{"matching", every15s + `{alert: Errors, expr: 'sum by (job) (errors) / sum(requests) > 0.1'}`, every15s + `{alert: Errors, expr: 'sum by (job) (errors) / sum by (job) (requests) > 0.1'}`},
	{
		"buckets", every15s + `{alert: Errors, expr: 'histogram_quantile(0.9, sum by (job) (rate(seconds_bucket[1m]))) > 1'}`,
		every15s + `{alert: Errors, expr: 'histogram_quantile(0.9, sum by (job, le) (rate(seconds_bucket[1m]))) > 1'}`,
	},
	{"resets", every15s + `{alert: Errors, expr: 'rate(sum(errors_total)[5m:15s]) > 1'}`, every15s + `{alert: Errors, expr: 'sum(rate(errors_total[5m])) > 1'}`},
	{"recorded", every15s + `{alert: Errors, expr: 'job:errors:rate1m > 1'}`, every15s + `{alert: Errors, expr: 'job:requests:rate1m > 1'}`},
	{"duplicate", every15s + `{record: 'job:requests:rate1m', expr: 'sum by (job) (rate(requests_total[2m]))'}`, every15s + `{record: 'job:requests:rate2m', expr: 'sum by (job) (rate(requests_total[2m]))'}`},
	{
		"interval", "  interval: 5m\n  rules:\n  - {record: 'job:errors:sum', expr: 'sum by (job) (errors)'}",
		"  interval: 1m\n  rules:\n  - {record: 'job:errors:sum', expr: 'sum by (job) (errors)'}",
	},
}

// Each kind of finding fails the test with its file, line, group and rule, and the same file
// as it should be does not.
func TestEachKind(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	documented := regexp.MustCompile(`(?m)^//   - (\w+): `).FindAllStringSubmatch(string(doc), -1)
	require.Len(t, documented, len(kinds))
	for i, k := range kinds {
		require.Equal(t, k.check, documented[i][1])
		path := filepath.Join(t.TempDir(), "shop.yaml")
		check := func(group string) *tbtest.TB {
			text := "groups:\n- name: base\n  rules:\n  - {record: 'job:requests:rate1m', expr: 'sum by (job) (rate(requests_total[1m]))'}\n- name: shop\n" + group + "\n"
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			return tbtest.Run("TestRules", func(t *tbtest.TB) { lint.Require(t, lint.Config{Interval: 15 * time.Second}, path) })
		}
		r := check(k.wrong)
		require.True(t, r.Failed(), k.check)
		require.Regexp(t, `^lint: `+regexp.QuoteMeta(path)+`:8: group "shop": (Errors|job:\S+): `+k.check+`: [^\n]+$`, strings.TrimSpace(r.Errors()))
		r = check(k.right)
		require.False(t, r.Failed(), "%s: %s", k.check, r.Errors())
	}
}
