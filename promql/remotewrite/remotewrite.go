package remotewrite

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-qtests/qtests/qtests/tb"
)

// Config says what is pushed where.
type Config struct {
	// URL is the receiver's, with its path, such as http://prometheus:9090/api/v1/write.
	URL string
	// Gatherer has the metrics.
	Gatherer prometheus.Gatherer
	// Interval is the time between two pushes. Default 5 s.
	Interval time.Duration
	// Timeout is how long a push may take, with the client's own retries. Default 10 s.
	Timeout time.Duration
	// Labels are added to every series that does not have them.
	Labels map[string]string
	// Client makes the requests. Default http.DefaultClient.
	Client *http.Client
}

// Defaults of Config.
const (
	DefaultInterval = 5 * time.Second
	DefaultTimeout  = 10 * time.Second
)

// URLVar is the variable in which StartT finds the URL.
const URLVar = "QTESTS_REMOTE_WRITE"

// A Pusher pushes until it is stopped. It is safe for concurrent use.
type Pusher struct {
	config Config
	api    *remote.API
	ends   context.CancelFunc
	done   chan struct{}

	mu struct {
		sync.Mutex
		failed int
		last   error
	}
}

// Start pushes now and in every interval of real time, in a goroutine, until Stop. The error says what is
// wrong with the Config. That a push fails ends nothing: Stop tells of it.
func Start(c Config) (*Pusher, error) {
	where, err := url.Parse(c.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("remotewrite: Config.URL: %w", err)
	case where.Scheme == "" || where.Host == "" || where.Path == "" || where.Path == "/":
		return nil, fmt.Errorf("remotewrite: Config.URL: %q has no scheme, host or path, as http://prometheus:9090/api/v1/write has", c.URL)
	case c.Gatherer == nil:
		return nil, errors.New("remotewrite: Config.Gatherer: nil")
	case c.Interval < 0 || c.Timeout < 0:
		return nil, fmt.Errorf("remotewrite: Config.Interval, Timeout: %v, %v: is negative", c.Interval, c.Timeout)
	}
	if c.Interval == 0 {
		c.Interval = DefaultInterval
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Client == nil {
		c.Client = http.DefaultClient
	}
	path := where.Path
	where.Path = ""
	api, err := remote.NewAPI(where.String(), remote.WithAPIPath(path), remote.WithAPIHTTPClient(c.Client))
	if err != nil {
		return nil, fmt.Errorf("remotewrite: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Pusher{config: c, api: api, ends: cancel, done: make(chan struct{})}
	go p.push(ctx)
	return p, nil
}

// StartT pushes what a gatherer has until the test has ended, where the variable QTESTS_REMOTE_WRITE has a
// URL, and else does nothing. What could not be pushed is in the log of t, and does not fail it: the
// load is not what was wrong.
func StartT(t tb.TB, g prometheus.Gatherer) {
	t.Helper()
	where := os.Getenv(URLVar)
	if where == "" {
		return
	}
	p, err := Start(Config{URL: where, Gatherer: g})
	if err != nil {
		tb.Fatalf(t, "%s: %v", URLVar, err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Logf("%v", err)
		}
	})
}

// Stop pushes once more, so that the last values are there, and ends. The error says how many pushes
// failed, and why the last of them did.
func (p *Pusher) Stop() error {
	p.ends()
	<-p.done
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.failed == 0 {
		return nil
	}
	return fmt.Errorf("remotewrite: %d pushes to %s failed, the last: %w", p.mu.failed, p.config.URL, p.mu.last)
}

func (p *Pusher) push(ctx context.Context) {
	defer close(p.done)
	tick := time.NewTicker(p.config.Interval)
	defer tick.Stop()
	for {
		p.once(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			p.once(context.Background())
			p.config.Client.CloseIdleConnections()
			return
		}
	}
}

// once pushes the present values.
func (p *Pusher) once(ctx context.Context) {
	if ctx.Err() != nil {
		return // Stop pushes
	}
	within, cancel := context.WithTimeout(ctx, p.config.Timeout)
	defer cancel()
	families, err := p.config.Gatherer.Gather()
	if err == nil {
		request := encode(families, p.config.Labels, time.Now())
		if len(request.Timeseries) == 0 {
			return
		}
		_, err = p.api.Write(within, remote.WriteV1MessageType, request)
	}
	if err == nil || ctx.Err() != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.failed++
	p.mu.last = err
}
