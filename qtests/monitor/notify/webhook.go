package notify

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

	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/monitor"
)

// ErrRealSocket refuses a real address inside a bubble. The timeouts of a socket are fake
// there, and never fire while a goroutine waits for the socket.
var ErrRealSocket = errors.New("notify: a real socket inside a bubble: give an in-memory client or dialer (q.Serve(handler).Client()), or send from an Outside")

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
// 4. An answer of 2xx is success. An answer of 4xx other than 408 and 429 is a permanent
// error. So is a redirection that would turn the POST into a GET without the body (301,
// 302, 303); 307 and 308 are followed. The monitor tries again after everything else, also
// after a connection that was closed early, and after no answer.
func Webhook(cfg WebhookConfig) (monitor.Channel, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	return &webhook{cfg, cfg.client()}, nil
}

func (cfg WebhookConfig) check() error {
	u, err := url.Parse(cfg.URL)
	switch {
	case err != nil:
		return fmt.Errorf("notify: WebhookConfig.URL: %w", err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("notify: WebhookConfig.URL: %q is no http or https address", cfg.URL)
	case cfg.Client != nil && cfg.Outside != nil:
		return errors.New("notify: WebhookConfig.Client: contradicts Outside")
	case cfg.Client == nil && cfg.Outside == nil && stacks.InBubble():
		return fmt.Errorf("notify: WebhookConfig.URL: %s: %w", cfg.URL, ErrRealSocket)
	}
	return nil
}

// client returns a client that keeps to the redirections of Webhook.
func (cfg WebhookConfig) client() *http.Client {
	// Connections are not kept: they would stay open when the monitor ends.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment}}
	if cfg.Client != nil {
		client = *cfg.Client
	}
	client.CheckRedirect = keepPost(client.CheckRedirect)
	return &client
}

// keepPost returns a policy for redirections that does not follow those which lose the
// body, and otherwise does what the given one says, or follows up to ten.
func keepPost(policy func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		switch {
		case req.Method != http.MethodPost:
			return http.ErrUseLastResponse
		case policy != nil:
			return policy(req, via)
		case len(via) >= 10:
			return errors.New("stopped after 10 redirects")
		}
		return nil
	}
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

// Notify implements monitor.Channel.
func (w *webhook) Notify(ctx context.Context, n monitor.Notification) error {
	body, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("%w: %w", monitor.ErrPermanent, err)
	}
	if w.cfg.Outside != nil {
		return w.cfg.Outside.Do(func(ctx context.Context) error { return w.post(ctx, body) })
	}
	return w.post(ctx, body)
}

func (w *webhook) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: %w", monitor.ErrPermanent, err)
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
	return judge(resp, strings.TrimSpace(string(text)))
}

// judge returns the error that an answer stands for, or nil.
func judge(resp *http.Response, text string) error {
	switch code := resp.StatusCode; {
	case code/100 == 2:
		return nil
	case code/100 == 3:
		return fmt.Errorf("%w: %s: the answer redirects to %q, where the notification would not arrive", monitor.ErrPermanent, resp.Status, resp.Header.Get("Location"))
	case code/100 == 4 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests:
		return fmt.Errorf("%w: %s: %s", monitor.ErrPermanent, resp.Status, text)
	default:
		return fmt.Errorf("%s: %s", resp.Status, text)
	}
}
