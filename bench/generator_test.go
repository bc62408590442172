package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// newClient is what a generator sends its requests with.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}
}

// loadOurs is package load as a generator.
func loadOurs(j job) (outcome, error) {
	client := newClient()
	defer client.CloseIdleConnections()
	return j.run(j.get(client))
}

// run is what ours has to do.
func (j job) run(do func(context.Context, *load.User) error) (outcome, error) {
	profile := traffic.Users(j.Users)
	if j.Rate > 0 {
		profile = traffic.Rate(float64(j.Rate))
	}
	res, err := load.Do(context.Background(), load.Scenario{Traffic: profile.For(j.Duration), Do: do})
	if err != nil {
		return outcome{}, err
	}
	if res.Errors > 0 || res.Dropped > 0 {
		return outcome{}, fmt.Errorf("of %d requests %d failed and %d were dropped", res.Scheduled, res.Errors, res.Dropped)
	}
	return outcome{Requests: int(res.Finished), LateP99: res.Late.Percentile(99)}, nil
}

func (j job) get(client *http.Client) func(context.Context, *load.User) error {
	return func(ctx context.Context, _ *load.User) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, j.URL, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(r)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return errors.Join(err, resp.Body.Close())
	}
}

// loadVegeta is vegeta, the library, as a generator.
func loadVegeta(j job) (outcome, error) {
	client := newClient()
	defer client.CloseIdleConnections()
	options := []func(*vegeta.Attacker){vegeta.Client(client)}
	if j.Rate == 0 {
		options = append(options, vegeta.Workers(uint64(j.Users)), vegeta.MaxWorkers(uint64(j.Users)))
	}
	return j.attack(vegeta.NewAttacker(options...))
}

// attack is what vegeta has to do.
func (j job) attack(attacker *vegeta.Attacker) (outcome, error) {
	targets := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: j.URL})
	pace := vegeta.Rate{Freq: j.Rate, Per: time.Second} // a rate of 0 is as fast as possible
	out, start := outcome{}, time.Now()
	var late []time.Duration
	for r := range attacker.Attack(targets, pace, j.Duration, "") {
		if r.Error != "" {
			return out, errors.New(r.Error)
		}
		out.Requests++
		if j.Rate > 0 {
			due := start.Add(time.Duration(r.Seq+1) * time.Second / time.Duration(j.Rate)) // the first has the number 0
			late = append(late, max(r.Timestamp.Sub(due), 0))
		}
	}
	out.LateP99 = nearestRank99(late)
	return out, nil
}

// loadLoop is what people write without a library: a loop that sleeps until each arrival, and a goroutine for it. It keeps
// how late each was, and nothing else.
func loadLoop(j job) (outcome, error) {
	client := newClient()
	defer client.CloseIdleConnections()
	get, gap := j.get(client), time.Second/time.Duration(j.Rate)
	late := make([]time.Duration, j.Duration/gap)
	failed := make([]error, len(late))
	var all sync.WaitGroup
	for i, start := 0, time.Now(); i < len(late); i++ {
		due := start.Add(time.Duration(i+1) * gap)
		time.Sleep(time.Until(due))
		all.Go(func() {
			late[i] = max(time.Since(due), 0)
			failed[i] = get(context.Background(), nil)
		})
	}
	all.Wait()
	return outcome{Requests: len(late), LateP99: nearestRank99(late)}, errors.Join(failed...)
}

// nearestRank99 is the 99th percentile by the nearest rank, as ours is.
func nearestRank99(values []time.Duration) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[(len(values)*99+99)/100-1]
}
