package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/internal/share"
	"github.com/go-qtests/qtests/qtests/internal/stress"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/load/result"
	"github.com/go-qtests/qtests/qtests/load/threshold"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// partsOf runs the parts of a scenario one after the other, each in a bubble, divided as they are in
// real time.
func partsOf(t *testing.T, n int, scenario func() Scenario) (parts []*result.Result) {
	dir := t.TempDir()
	for i := 1; i <= n; i++ {
		qtests.Run(t, func(q *qtests.T) {
			s := scenario()
			s.Clock, s.Seed = q.Clock(), q.Seed()
			s, err := s.withDefaults()
			require.NoError(q, err)
			mine := share.Share{Index: i, Of: n}
			p := part{Share: mine, process: mine, leaves: true, begin: q.Clock().Now(), room: share.Room{Share: mine, Dir: dir}}
			r, err := newPart(context.Background(), s, p)
			require.NoError(q, err)
			res, err := r.execute()
			require.NoError(q, err)
			parts = append(parts, res)
		})
	}
	return parts
}

func wholeOf(t *testing.T, scenario func() Scenario) (res *result.Result) {
	qtests.Run(t, func(q *qtests.T) {
		s := scenario()
		s.Clock, s.Seed = q.Clock(), q.Seed()
		var err error
		res, err = Do(context.Background(), s)
		require.NoError(q, err)
	})
	return res
}

// comparable removes from a result what parts cannot know: how many requests of different parts were
// under way at the same instant.
func comparable(t *testing.T, r *result.Result) (fields map[string]string) {
	c := *r
	c.Part, c.MaxInFlight = nil, 0
	c.Timeline = append([]result.Point(nil), c.Timeline...)
	for i := range c.Timeline {
		c.Timeline[i].InFlight = 0
	}
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(jsonOf(t, &c), &all))
	fields = map[string]string{}
	for k, v := range all {
		fields[k] = string(v)
	}
	return fields
}

// visit is a step that does a little of everything, by the number of the user and of nothing else.
func visit(ctx context.Context, u *User) error {
	u.Tag("third", fmt.Sprint(u.ID()%3))
	u.Check("even", u.ID()%2 == 0)
	u.Count("bytes", float64(u.ID()))
	u.Trend("size", float64(u.ID()%17))
	if err := u.Part(ctx, "inner", func(ctx context.Context) error { return u.Sleep(ctx, time.Millisecond) }); err != nil {
		return err
	}
	if err := u.Sleep(ctx, time.Duration(u.Rand().IntN(40_000))*time.Microsecond); err != nil {
		return err
	}
	if u.ID()%11 == 0 {
		return errors.New("eleven")
	}
	return nil
}

// TestUnionIsTheSingleRun: the parts of a scenario whose requests do not meet, put together, are the
// single run, to the byte, and its thresholds come out the same.
func TestUnionIsTheSingleRun(t *testing.T) {
	steps := []Step{{Name: "read", Weight: 5, Do: visit}, {Name: "write", Weight: 2, Do: visit}, {Name: "pay", Do: visit}}
	scenarios := map[string]func() Scenario{
		"even": func() Scenario { return Scenario{Traffic: traffic.Rate(50).For(4 * time.Second), Steps: steps} },
		"does not divide": func() Scenario {
			return Scenario{Traffic: traffic.Rate(33.7).For(2*time.Second).To(71, 1900*time.Millisecond), Steps: steps}
		},
		"ramp and jump": func() Scenario {
			return Scenario{Traffic: traffic.Rate(0).To(60, 2*time.Second).Jump(9).For(time.Second), Do: visit}
		},
		"poisson": func() Scenario {
			return Scenario{Traffic: traffic.Rate(60).For(3 * time.Second).Poisson(), Steps: steps}
		},
		"budget": func() Scenario {
			return Scenario{Traffic: traffic.Rate(60).For(3 * time.Second).Budget(100), Steps: steps}
		},
		"few": func() Scenario { return Scenario{Traffic: traffic.Rate(1).For(5 * time.Second), Do: visit} },
	}
	thresholds := []string{"p(95)<38ms", "errors<5%", "step(pay).count>1", "checks>49%", "tag(third=1).errors<50%", "metric(bytes)>1", "metric(size).p(90)<20",
		"p(50)<15ms every 300ms", "rate>40/s every 500ms", "errors<9% every 700ms", "count>=1 every 1s", "service.max<40ms && dropped==0", "late.max<1ms every 1s"}
	sizes := []int{2, 13, 3, 7, 8, 40}
	sizes = sizes[:min(stress.Rounds(t, 2), len(sizes))]
	for name, scenario := range scenarios {
		t.Run(name, func(t *testing.T) {
			with := func() Scenario {
				s := scenario()
				s.Thresholds = thresholds
				if len(s.Steps) == 0 {
					s.Thresholds = []string{"p(95)<38ms", "p(50)<15ms every 300ms"}
				}
				return s
			}
			whole := wholeOf(t, with)
			for _, n := range sizes {
				parts := partsOf(t, n, with)
				for _, p := range parts {
					require.Empty(t, p.Thresholds, "a part judges nothing")
				}
				merged, err := result.Merge(reread(t, parts)...)
				require.NoError(t, err)
				merged.Thresholds, err = threshold.JudgeMerged(merged)
				require.NoError(t, err)
				want := *whole
				want.Steps = inOrder(want.Steps, merged.Steps)
				want.Tags = inOrder(want.Tags, merged.Tags)
				wanted, got := comparable(t, &want), comparable(t, merged)
				require.Len(t, got, len(wanted))
				for field, text := range wanted {
					require.True(t, text == got[field], "%d parts: %s:\n%s\n%s", n, field, text, got[field])
				}
				require.Equal(t, whole.Buckets, merged.Buckets)
				require.GreaterOrEqual(t, merged.MaxInFlight, whole.MaxInFlight, "a bound")
			}
		})
	}
}

// inOrder are steps in the order of others with the same names: they come up in another order.
func inOrder(steps, as []result.StepResult) (out []result.StepResult) {
	for _, want := range as {
		for _, s := range steps {
			if s.Name == want.Name {
				out = append(out, s)
			}
		}
	}
	if len(out) != len(steps) {
		return steps // another set, which the comparison will show
	}
	return out
}

// reread is what comes of results that are written and read.
func reread(t *testing.T, all []*result.Result) (out []*result.Result) {
	for _, r := range all {
		again, err := result.Read(strings.NewReader(string(jsonOf(t, r))))
		require.NoError(t, err)
		out = append(out, again)
	}
	return out
}

// TestUsersAreDealt: every user of a closed profile is in one part, with its own number and stream, also
// where there are more parts than users, and a shared budget is used up to the last request.
func TestUsersAreDealt(t *testing.T) {
	for name, profile := range map[string]traffic.Profile{
		"ramp":        traffic.Users(0).To(9, 2*time.Second).To(2, 2*time.Second).To(5, time.Second),
		"few":         traffic.Users(3).For(2 * time.Second),
		"each":        traffic.Users(5).Each(4).For(time.Hour),
		"budget":      traffic.Users(5).Budget(47),
		"small":       traffic.Users(5).Budget(2),
		"comes again": traffic.Users(4).To(1, time.Second).To(4, time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			draws := func(into map[string]int) func() Scenario {
				return func() Scenario {
					return Scenario{
						Traffic: profile, ThinkTime: latency.Fixed(100 * time.Millisecond),
						NewUser: func(_ context.Context, u *User) error {
							if name != "budget" && name != "small" { // who comes too late for the budget depends on the others
								into[fmt.Sprintf("user %d at %v", u.ID(), u.Clock().Now())]++
							}
							return nil
						},
						Do: func(ctx context.Context, u *User) error {
							if name != "budget" && name != "small" { // and so does how much each makes
								into[fmt.Sprintf("%d draws %d", u.ID(), u.Rand().Uint64())]++
							}
							return u.Sleep(ctx, 20*time.Millisecond)
						},
					}
				}
			}
			want, got := map[string]int{}, map[string]int{}
			whole := wholeOf(t, draws(want))
			parts := partsOf(t, 8, draws(got))
			merged, err := result.Merge(parts...)
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.Equal(t, whole.Scheduled, merged.Scheduled)
			if name == "few" {
				require.Zero(t, parts[7].Scheduled, "more parts than users")
			}
		})
	}
}

// TestEachIsGlobal: numbers of users and requests, weights and rows are those of the whole.
func TestEachIsGlobal(t *testing.T) {
	feed, err := CSVFeed("f.csv", strings.NewReader("n\n"+strings.Repeat("x\n", 4)+"y\n"))
	require.NoError(t, err)
	for i := range feed.rows {
		feed.rows[i] = map[string]string{"n": fmt.Sprint(i)}
	}
	for _, rows := range []*Feed{feed, feed.Shuffled()} {
		seen := func(into map[string]int) func() Scenario {
			note := func(_ context.Context, u *User) error {
				into[fmt.Sprintf("user %d request %d step %s row %s draw %d at %v", u.ID(), u.Request(), u.Step(), u.Row("f")["n"], u.Rand().IntN(1e6), u.Intended())]++
				return nil
			}
			return func() Scenario {
				return Scenario{
					Traffic: traffic.Rate(20).For(3 * time.Second), Feeds: map[string]*Feed{"f": rows},
					Steps: []Step{{Name: "a", Weight: 3, Do: note}, {Name: "b", Weight: 2, Do: note}, {Name: "c", Do: note}},
				}
			}
		}
		want := map[string]int{}
		wholeOf(t, seen(want))
		for _, n := range []int{2, 7} {
			got := map[string]int{}
			partsOf(t, n, seen(got))
			require.Equal(t, want, got, "%d parts", n)
		}
	}
}

// TestLimitsAreDivided: what bounds the generator bounds the parts together, and a limit that leaves a
// part nothing is refused.
func TestLimitsAreDivided(t *testing.T) {
	s := Scenario{Traffic: traffic.Rate(1).For(time.Second), Do: visit, MaxInFlight: 10, Overflow: Queue, MaxQueue: 7}
	all, queued := 0, 0
	for i := 1; i <= 3; i++ {
		own := s
		require.NoError(t, (&part{Share: share.Share{Index: i, Of: 3}}).limits(&own))
		all, queued = all+own.MaxInFlight, queued+own.MaxQueue
	}
	require.Equal(t, 10, all)
	require.Equal(t, 7, queued)
	err := (&part{Share: share.Share{Index: 1, Of: 11}}).limits(&s)
	require.EqualError(t, err, "load: Scenario.MaxInFlight: 10 cannot be divided among 11 parts")
	require.EqualError(t, (&part{Share: share.Share{Index: 1, Of: 8}}).limits(&s), "load: Scenario.MaxQueue: 7 cannot be divided among 8 parts")
}
