package share

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFromEnv(t *testing.T) {
	env := func(pairs ...string) map[string]string {
		m := map[string]string{ResultsVar: "results"}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	for name, c := range map[string]struct {
		env  map[string]string
		want Share
		from string
		err  string
	}{
		"nothing":            {env: env()},
		"first":              {env: env(Var, "1/8"), want: Share{1, 8}, from: Var},
		"last":               {env: env(Var, "8/8"), want: Share{8, 8}, from: Var},
		"the only one":       {env: env(Var, "1/1"), want: Share{1, 1}, from: Var},
		"without results":    {env: map[string]string{Var: "2/3"}, want: Share{2, 3}, from: Var},
		"zero":               {env: env(Var, "0/8"), err: "QTESTS_SHARE: 0/8: there is no part 0: the parts are 1/8 to 8/8"},
		"too large":          {env: env(Var, "9/8"), err: "QTESTS_SHARE: 9/8: there is no part 9 of 8: the first is 1/8, and the last is 8/8"},
		"of none":            {env: env(Var, "0/0"), err: "there are 0 parts"},
		"negative":           {env: env(Var, "-1/8"), err: "there is no part -1"},
		"too many":           {env: env(Var, "1/100001"), err: "not 1 to 100000"},
		"no number":          {env: env(Var, "one/8"), err: `"one/8" is not of the form i/n`},
		"no slash":           {env: env(Var, "3"), err: "is not of the form i/n"},
		"two slashes":        {env: env(Var, "1/2/3"), err: "is not of the form i/n"},
		"a blank":            {env: env(Var, "1 / 8"), err: "is not of the form i/n"},
		"a fraction":         {env: env(Var, "1.5/8"), err: "is not of the form i/n"},
		"beyond an int":      {env: env(Var, "1/99999999999999999999"), err: "is not of the form i/n"},
		"the first pod":      {env: env("JOB_COMPLETION_INDEX", "0", SharesVar, "50"), want: Share{1, 50}, from: "Kubernetes"},
		"the last pod":       {env: env("JOB_COMPLETION_INDEX", "49", SharesVar, "50"), want: Share{50, 50}, from: "Kubernetes"},
		"a pod too many":     {env: env("JOB_COMPLETION_INDEX", "50", SharesVar, "50"), err: "Kubernetes: JOB_COMPLETION_INDEX=50, QTESTS_SHARES=50 is part 51/50: there is no part 51"},
		"a pod of unknown":   {env: env("JOB_COMPLETION_INDEX", "3"), err: "QTESTS_SHARES does not say how many parts there are"},
		"shares alone":       {env: env(SharesVar, "8")},
		"shares of nonsense": {env: env("JOB_COMPLETION_INDEX", "0", SharesVar, "many"), err: `QTESTS_SHARES="many" is not a number`},
		"gitlab first":       {env: env("CI_NODE_INDEX", "1", "CI_NODE_TOTAL", "5"), want: Share{1, 5}, from: "GitLab"},
		"gitlab last":        {env: env("CI_NODE_INDEX", "5", "CI_NODE_TOTAL", "5"), want: Share{5, 5}, from: "GitLab"},
		"gitlab zero":        {env: env("CI_NODE_INDEX", "0", "CI_NODE_TOTAL", "5"), err: "there is no part 0"},
		"gitlab alone":       {env: env("CI_NODE_TOTAL", "1"), want: Share{1, 1}, from: "GitLab"},
		"gitlab cut":         {env: env("CI_NODE_TOTAL", "5"), err: "GitLab: CI_NODE_TOTAL is set, and CI_NODE_INDEX is not"},
		"circle first":       {env: env("CIRCLE_NODE_INDEX", "0", "CIRCLE_NODE_TOTAL", "4"), want: Share{1, 4}, from: "CircleCI"},
		"circle last":        {env: env("CIRCLE_NODE_INDEX", "3", "CIRCLE_NODE_TOTAL", "4"), want: Share{4, 4}, from: "CircleCI"},
		"circle cut":         {env: env("CIRCLE_NODE_INDEX", "3"), err: "CIRCLE_NODE_TOTAL does not say"},
		"buildkite":          {env: env("BUILDKITE_PARALLEL_JOB", "6", "BUILDKITE_PARALLEL_JOB_COUNT", "7"), want: Share{7, 7}, from: "Buildkite"},
		"buildkite nonsense": {env: env("BUILDKITE_PARALLEL_JOB", "-1", "BUILDKITE_PARALLEL_JOB_COUNT", "7"), err: `BUILDKITE_PARALLEL_JOB="-1" is not a number`},
		"slurm from 1":       {env: env("SLURM_ARRAY_TASK_ID", "1", "SLURM_ARRAY_TASK_MIN", "1", "SLURM_ARRAY_TASK_COUNT", "7"), want: Share{1, 7}, from: "Slurm"},
		"slurm from 0":       {env: env("SLURM_ARRAY_TASK_ID", "6", "SLURM_ARRAY_TASK_MIN", "0", "SLURM_ARRAY_TASK_COUNT", "7"), want: Share{7, 7}, from: "Slurm"},
		"slurm from 10":      {env: env("SLURM_ARRAY_TASK_ID", "12", "SLURM_ARRAY_TASK_MIN", "10", "SLURM_ARRAY_TASK_COUNT", "7"), want: Share{3, 7}, from: "Slurm"},
		"slurm by step": {env: env("SLURM_ARRAY_TASK_ID", "8", "SLURM_ARRAY_TASK_MIN", "0", "SLURM_ARRAY_TASK_STEP", "4", "SLURM_ARRAY_TASK_COUNT", "3"),
			want: Share{3, 3}, from: "Slurm"},
		"slurm with a hole": {env: env("SLURM_ARRAY_TASK_ID", "9", "SLURM_ARRAY_TASK_MIN", "1", "SLURM_ARRAY_TASK_COUNT", "3"),
			err: "Slurm: SLURM_ARRAY_TASK_ID=9, SLURM_ARRAY_TASK_COUNT=3, SLURM_ARRAY_TASK_MIN=1 is part 9/3"},
		"slurm between steps": {env: env("SLURM_ARRAY_TASK_ID", "3", "SLURM_ARRAY_TASK_MIN", "0", "SLURM_ARRAY_TASK_STEP", "2", "SLURM_ARRAY_TASK_COUNT", "3"), err: "no multiple of the step 2"},
		"two that agree":      {env: env("CI_NODE_INDEX", "3", "CI_NODE_TOTAL", "5", "JOB_COMPLETION_INDEX", "2", SharesVar, "5"), want: Share{3, 5}, from: "Kubernetes"},
		"two that do not": {env: env("CI_NODE_INDEX", "3", "CI_NODE_TOTAL", "5", "JOB_COMPLETION_INDEX", "3", SharesVar, "5"),
			err: "Kubernetes says part 4/5, and GitLab says part 3/5: set QTESTS_SHARE to the one that is meant"},
		"one of them alone":  {env: env("CI_NODE_INDEX", "1", "CI_NODE_TOTAL", "1", "JOB_COMPLETION_INDEX", "3", SharesVar, "5"), want: Share{4, 5}, from: "Kubernetes"},
		"alone, then shared": {env: env("JOB_COMPLETION_INDEX", "0", SharesVar, "1", "CI_NODE_INDEX", "2", "CI_NODE_TOTAL", "3"), want: Share{2, 3}, from: "GitLab"},
		"ours over theirs":   {env: env(Var, "2/2", "CI_NODE_INDEX", "3", "CI_NODE_TOTAL", "5", "CIRCLE_NODE_INDEX", "x"), want: Share{2, 2}, from: Var},
		"no directory":       {env: map[string]string{"CI_NODE_INDEX": "3", "CI_NODE_TOTAL": "5"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, from, err := FromEnv(func(k string) string { return c.env[k] })
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, s)
			require.Equal(t, c.from, from)
		})
	}
}

// TestParts: every index belongs to one part, in order, and the parts are equally large.
func TestParts(t *testing.T) {
	for _, of := range []int{1, 2, 3, 7, 13, 1000} {
		for _, n := range []int64{0, 1, 5, 12, 13, 14, 2500} {
			seen := map[int64]bool{}
			least, most := n, int64(0)
			for i := 1; i <= of; i++ {
				s := Share{i, of}
				own := s.Count(n)
				least, most = min(least, own), max(most, own)
				for k := range own {
					at := s.Nth(k + 1)
					require.True(t, at >= 1 && at <= n && s.Takes(at), "%v takes %d of %d", s, at, n)
					require.False(t, seen[at])
					seen[at] = true
				}
				require.Greater(t, s.Nth(own+1), n)
			}
			require.Len(t, seen, int(n))
			require.LessOrEqual(t, most-least, int64(1))
		}
	}
	require.Equal(t, Share{}, Share{0, 0})
	require.True(t, Share{}.Takes(17))
	require.EqualValues(t, 9, Share{}.Nth(9))
	require.EqualValues(t, 9, Share{}.Count(9))
	require.Empty(t, Share{}.String())
}

// FuzzFromEnv: whatever the variables say, there is an error or a part that exists.
func FuzzFromEnv(f *testing.F) {
	f.Add("1/8", "2", "3", "4")
	f.Add("", "0", "5", "")
	f.Fuzz(func(t *testing.T, text, index, total, first string) {
		env := map[string]string{ResultsVar: "x", Var: text}
		theirs := map[string]string{"SLURM_ARRAY_TASK_ID": index, "SLURM_ARRAY_TASK_COUNT": total, "SLURM_ARRAY_TASK_MIN": first, "CI_NODE_INDEX": first, "CI_NODE_TOTAL": total}
		maps.Copy(env, theirs)
		s, from, err := FromEnv(func(k string) string { return env[k] })
		switch {
		case err != nil || from == "":
			require.Zero(t, s)
		default:
			require.True(t, s.Index >= 1 && s.Index <= s.Of, "%+v", s)
		}
	})
}
