package breaker_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func TestConfigRejectsNonsense(t *testing.T) {
	const minute = time.Minute
	for want, cfg := range map[string]breaker.Config{
		"FailureThreshold: -1 is negative":              {FailureThreshold: -1},
		"FailureRate: 1.5 is not between 0 and 1":       {FailureRate: 1.5},
		"FailureRate: -0.1 is not between 0 and 1":      {FailureRate: -0.1},
		"FailureRate: NaN is not between 0 and 1":       {FailureRate: math.NaN()},
		"SlowCallRate: 2 is not between 0 and 1":        {SlowCallRate: 2, SlowCall: 1},
		"SlowCallRate: 0.5 is set, but SlowCall is not": {SlowCallRate: 0.5},
		"SlowCall: -1ns is negative":                    {SlowCall: -1},
		"WindowCalls: -1 is negative":                   {WindowCalls: -1},
		"WindowCalls: 10 is set, but none of FailureRate, SlowCallRate, WindowFailures and TripWhen is": {WindowCalls: 10},
		"WindowFailures: -1 is negative":                                                             {WindowFailures: -1},
		"WindowFailures: 101 is over WindowCalls, 100":                                               {WindowFailures: 101},
		"WindowFailures: 5 is over WindowCalls, 4":                                                   {WindowFailures: 5, WindowCalls: 4},
		"Mode: Mode(5) does not exist":                                                               {Mode: 5},
		"MinCalls: 3 is set, but neither FailureRate nor SlowCallRate is":                            {MinCalls: 3, WindowFailures: 4},
		"WindowCalls: 1000001 is over 1000000":                                                       {WindowCalls: 1_000_001, FailureRate: 0.5},
		"Window: -1m0s is negative":                                                                  {Window: -minute},
		"Window: 1m0s is set, but none of FailureRate, SlowCallRate, WindowFailures and TripWhen is": {Window: minute},
		"Window: 9ns is less than 1ns for each of 10 buckets":                                        {Window: 9, FailureRate: 0.5},
		"WindowBuckets: -1 is negative":                                                              {WindowBuckets: -1},
		"WindowBuckets: 5 is set, but Window is not":                                                 {WindowBuckets: 5, FailureRate: 0.5},
		"WindowBuckets: 10001 is over 10000":                                                         {WindowBuckets: 10_001, FailureRate: 0.5, Window: minute},
		"MinCalls: -1 is negative":                                                                   {MinCalls: -1},
		"MinCalls: 10 is set, but neither FailureRate nor SlowCallRate is":                           {MinCalls: 10},
		"MinCalls: 21 is over WindowCalls, 20":                                                       {MinCalls: 21, WindowCalls: 20, FailureRate: 0.5},
		"MinCalls: 101 is over WindowCalls, 100":                                                     {MinCalls: 101, FailureRate: 0.5},
		"ResetTimeout: -1m0s is negative":                                                            {ResetTimeout: -minute},
		"Probes: -1 is negative":                                                                     {Probes: -1},
		"SuccessThreshold: -1 is negative":                                                           {SuccessThreshold: -1},
		"SuccessThreshold: 3 is over Probes, 2":                                                      {SuccessThreshold: 3, Probes: 2},
		"ProbeFailureRate: 1.01 is not between 0 and 1":                                              {ProbeFailureRate: 1.01},
		"ProbeFailureRate: 0.5 contradicts SuccessThreshold, 1: only one of them can decide":         {ProbeFailureRate: 0.5, SuccessThreshold: 1},
		"ProbeTimeout: -1m0s is negative":                                                            {ProbeTimeout: -minute},
		"BackoffFactor: 0.5 is below 1":                                                              {BackoffFactor: 0.5},
		"BackoffFactor: -2 is not a finite number >= 0":                                              {BackoffFactor: -2},
		"BackoffFactor: +Inf is not a finite number >= 0":                                            {BackoffFactor: math.Inf(1)},
		"MaxResetTimeout: 29s is below ResetTimeout, 30s":                                            {MaxResetTimeout: 29 * time.Second},
		"MaxResetTimeout: -1m0s is negative":                                                         {MaxResetTimeout: -minute},
		"Jitter: 1.5 is not between 0 and 1":                                                         {Jitter: 1.5},
		"LogSize: -1 is negative":                                                                    {LogSize: -1},
		"LogSize: 1000001 is over 1000000":                                                           {LogSize: 1_000_001},
	} {
		b, err := breaker.New(cfg)
		require.Nil(t, b)
		require.EqualError(t, err, "breaker: Config."+want)
	}
}

// The bounds themselves are permitted.
func TestConfigAcceptsItsBounds(t *testing.T) {
	for name, cfg := range map[string]breaker.Config{
		"rates":          {FailureRate: 1, SlowCallRate: 1, SlowCall: 1, ProbeFailureRate: 1, Jitter: 1},
		"LogSize":        {LogSize: 1_000_000},
		"WindowCalls":    {WindowCalls: 1_000_000, FailureRate: 0.5},
		"WindowBuckets":  {WindowBuckets: 10_000, Window: 10_000, FailureRate: 0.5},
		"one bucket":     {WindowBuckets: 1, Window: 1, FailureRate: 0.5},
		"default bucket": {Window: 10, FailureRate: 0.5},
		"MinCalls":       {MinCalls: 20, WindowCalls: 20, FailureRate: 0.5},
		"over a time":    {MinCalls: 1_000_000_000, WindowFailures: 1_000_000_000, Window: time.Minute, FailureRate: 0.5},
		"WindowFailures": {WindowFailures: 20, WindowCalls: 20},
		"TripWhen":       {TripWhen: func(breaker.Counts) bool { return false }, WindowCalls: 1, Window: time.Second, WindowBuckets: 2},
		"probes":         {Probes: 2, SuccessThreshold: 2},
		"back-off":       {BackoffFactor: 1, ResetTimeout: time.Second, MaxResetTimeout: time.Second},
		"longest":        {ResetTimeout: math.MaxInt64, ProbeTimeout: math.MaxInt64, SlowCall: math.MaxInt64},
	} {
		_, err := breaker.New(cfg)
		require.NoError(t, err, name)
	}
}

func TestConfigNamesEveryBadField(t *testing.T) {
	_, err := breaker.New(breaker.Config{Probes: -1, Jitter: -1})
	require.ErrorContains(t, err, "Probes: -1 is negative")
	require.ErrorContains(t, err, "Jitter: -1 is not between 0 and 1")
}

func TestBadConfigFailsTheTest(t *testing.T) {
	after := false
	r := tbtest.Run("bad", func(t *tbtest.TB) {
		breaker.NewT(t, breaker.Config{Probes: -1})
		after = true
	})
	require.True(t, r.Failed())
	require.False(t, after, "the test went on without a breaker")
	require.Equal(t, "breaker: Config.Probes: -1 is negative", r.Errors())
}

// What the Config says goes before what the test offers.
func TestNewTKeepsTheConfig(t *testing.T) {
	h, own := newByHand(t), newByHand(t)
	b := breaker.NewT(h, breaker.Config{Clock: own.clk, EventLog: own.log})
	own.clk.Add(time.Hour)
	b.Trip()
	require.Equal(t, epoch.Add(time.Hour), last(b).At)
	marks, _ := own.log.Marks()
	require.Len(t, marks, 1)
	marks, _ = h.log.Marks()
	require.Empty(t, marks)
}

func TestNewWorksWithoutATest(t *testing.T) {
	b, err := breaker.New(breaker.Config{})
	require.NoError(t, err)
	require.NoError(t, b.Do(ctx, succeeds))
	require.Equal(t, "breaker", b.Stats().Name)
	_ = times(5, b, fails)
	require.Equal(t, breaker.Open, b.State())
	require.Greater(t, b.Stats().RetryAfter, 15*time.Second)
}

// A breaker that probes with several calls closes after as many successes, and
// one that wants several successes probes with as many calls.
func TestProbesAndSuccessThresholdDefaultToEachOther(t *testing.T) {
	for _, cfg := range []breaker.Config{{Probes: 3}, {SuccessThreshold: 3}, {Probes: 3, SuccessThreshold: 3}} {
		b, clk := newBreaker(t, cfg)
		b.Trip()
		clk.Add(30 * time.Second)
		results(b, "ss")
		b.RequireState(t, breaker.HalfOpen)
		results(b, "s")
		b.RequireState(t, breaker.Closed)
	}
}
