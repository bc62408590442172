package monitor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

// ErrRealSocket refuses a real address inside a bubble, where the timeouts of a
// socket are fake and never fire while it is waited for.
var ErrRealSocket = errors.New("monitor: a real socket inside a bubble: give an in-memory client or dialer (q.Serve(handler).Client()), or send from an Outside")

// A WebhookConfig says where a webhook posts to.
type WebhookConfig struct {
	// URL is http or https.
	URL string
	// Client makes the requests. Nil is a client of its own, which a bubble refuses;
	// the client of a Server of q.Serve stays in memory.
	Client *http.Client
	// Outside, instead of Client, makes them outside the bubble.
	Outside *Outside
	// Header is added to every request.
	Header http.Header
}

// Webhook returns a channel that posts the body of Alertmanager's webhook, version
// 4. An answer of 2xx is success; one of 4xx other than 408 and 429 is
// permanent; everything else, a connection closed early and no answer at all
// included, is tried again.
func Webhook(cfg WebhookConfig) (Channel, error) {
	u, err := url.Parse(cfg.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("monitor: WebhookConfig.URL: %w", err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("monitor: WebhookConfig.URL: %q is no http or https address", cfg.URL)
	case cfg.Client != nil && cfg.Outside != nil:
		return nil, errors.New("monitor: WebhookConfig.Client: contradicts Outside")
	case cfg.Client == nil && cfg.Outside == nil && qtests.InBubble():
		return nil, fmt.Errorf("monitor: WebhookConfig.URL: %s: %w", cfg.URL, ErrRealSocket)
	}
	w := &webhook{cfg, cfg.Client}
	if w.client == nil {
		// Connections are not kept: nobody would close them when the monitor ends.
		w.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment}}
	}
	return w, nil
}

type webhook struct {
	cfg    WebhookConfig
	client *http.Client
}

// String leaves out what may be secret: user, path and query.
func (w *webhook) String() string {
	u, _ := url.Parse(w.cfg.URL)
	return "webhook " + u.Scheme + "://" + u.Host
}

// Notify implements Channel.
func (w *webhook) Notify(ctx context.Context, n Notification) error {
	body, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPermanent, err)
	}
	if w.cfg.Outside != nil {
		return w.cfg.Outside.Do(func(ctx context.Context) error { return w.post(ctx, body) })
	}
	return w.post(ctx, body)
}

func (w *webhook) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPermanent, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "qtests-monitor")
	for name, values := range w.cfg.Header {
		req.Header[name] = values
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	// What the other side answers is shown in the error, but not without bound.
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
	switch code := resp.StatusCode; {
	case code/100 == 2:
		return nil
	case code/100 == 4 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests:
		return fmt.Errorf("%w: %s: %s", ErrPermanent, resp.Status, strings.TrimSpace(string(text)))
	default:
		return fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(text)))
	}
}

// An Outside runs functions on a goroutine outside every bubble, in real time, so
// that a channel can use a real socket: make it before qtests.Run, close it
// after. The bubble's time stands still meanwhile. All methods are safe for
// concurrent use.
type Outside struct {
	timeout time.Duration
	work    chan outsideWork
	stop    chan struct{}
	stopped chan struct{}
}

type outsideWork struct {
	run  func(context.Context) error
	done chan error
}

// DefaultOutsideTimeout bounds, in real time, what an Outside runs.
const DefaultOutsideTimeout = 5 * time.Second

// NewOutside starts the goroutine. Zero is DefaultOutsideTimeout. It panics inside
// a bubble, where the goroutine would be part of it. Close it.
func NewOutside(timeout time.Duration) *Outside {
	if qtests.InBubble() {
		panic("monitor: NewOutside called inside a bubble; call it before qtests.Run")
	}
	setDefault(&timeout, DefaultOutsideTimeout)
	o := &Outside{timeout, make(chan outsideWork), make(chan struct{}), make(chan struct{})}
	go func() {
		defer close(o.stopped)
		for {
			select {
			case w := <-o.work:
				ctx, cancel := context.WithTimeout(context.Background(), o.timeout)
				w.done <- protect(ctx, w.run)
				cancel()
			case <-o.stop:
				return
			}
		}
	}()
	return o
}

// protect turns a panic into an error.
func protect(ctx context.Context, f func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("monitor: panic outside the bubble: %v", p)
		}
	}()
	return f(ctx)
}

// Do runs f outside and returns its error, or ErrClosed after Close. f must not use
// anything that was made inside a bubble: no channel, timer or context.
func (o *Outside) Do(f func(context.Context) error) error {
	// The channel is made outside, on a slot of the pool: one made in here would
	// belong to the bubble, and the goroutine outside could not send on it.
	w := outsideWork{run: f, done: <-outsideSlots}
	defer func() { outsideSlots <- w.done }()
	select {
	case o.work <- w:
		return <-w.done
	case <-o.stop:
		return ErrClosed
	}
}

// outsideSlots are channels that were made outside every bubble.
var outsideSlots = func() chan chan error {
	slots := make(chan chan error, 16)
	for range cap(slots) {
		slots <- make(chan error)
	}
	return slots
}()

// Close stops the goroutine after what it runs.
func (o *Outside) Close() {
	close(o.stop)
	<-o.stopped
}
