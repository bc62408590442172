package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/notify"
)

// notifyOnce runs a monitor whose one alert fires at 10 s and is resolved at 20 s
// over the channels.
func notifyOnce(q *qtests.T, channels ...monitor.Channel) *monitor.Monitor {
	g, reg := gauge("errors")
	m := monitor.NewT(q, monitor.Config{
		Gatherers: []prometheus.Gatherer{reg},
		Rules:     []monitor.Rule{{Name: "High", Expr: "errors > 5", Severity: "page", Summary: "{{ $value }} errors\r\nBcc: x@example.org"}},
		Route:     monitor.Route{Immediately: true, GroupInterval: time.Minute, GroupBy: []string{"alertname"}},
		Channels:  channels,
	})
	g.Set(7)
	q.Sleep(15 * time.Second)
	g.Set(0)
	q.Sleep(2 * time.Minute)
	return m
}

func TestWebhookBody(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var bodies []string
		srv := q.Serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(r.Body)
			require.NoError(q, err)
			require.Equal(q, "application/json", r.Header.Get("Content-Type"))
			bodies = append(bodies, string(b))
		}))
		hook, err := notify.Webhook(notify.WebhookConfig{URL: srv.URL + "/hook", Client: srv.Client()})
		require.NoError(q, err)
		notifyOnce(q, hook)
		require.Len(q, bodies, 2)
		// Every field of Alertmanager's webhook, version 4, and no other.
		require.JSONEq(q, `{
			"receiver": "channel 0 (webhook http://server.memory)",
			"status": "resolved",
			"alerts": [{
				"status": "resolved",
				"labels": {"alertname": "High", "severity": "page"},
				"annotations": {"summary": "7 errors\r\nBcc: x@example.org"},
				"startsAt": "2000-01-01T00:00:10Z",
				"endsAt": "2000-01-01T00:00:20Z",
				"generatorURL": "",
				"fingerprint": "c39eb804c0c52440"
			}],
			"notification_reason": "all alerts resolved",
			"groupLabels": {"alertname": "High"},
			"routeLabels": {},
			"commonLabels": {"alertname": "High", "severity": "page"},
			"commonAnnotations": {"summary": "7 errors\r\nBcc: x@example.org"},
			"externalURL": "",
			"version": "4",
			"groupKey": "{}:{alertname=\"High\"}",
			"truncatedAlerts": 0
		}`, bodies[1])
		require.Contains(q, bodies[0], `"endsAt":"0001-01-01T00:00:00Z"`)
	})
}

func TestWebhookThatMisbehaves(t *testing.T) {
	for name, test := range map[string]struct {
		handler  http.HandlerFunc
		attempts int
		err      string
	}{
		"500 twice": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Attempt") < "3" {
				http.Error(w, "sorry", http.StatusInternalServerError)
			}
		}, 3, ""},
		"400":           {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no such hook", 400) }, 2, "permanent: 400 Bad Request: no such hook"},
		"closes early":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 7, "EOF"},
		"never answers": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 2, "monitor: blocks: channel 0 (webhook http://server.memory) has not returned within 1m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			qtests.Run(t, func(q *qtests.T) {
				var attempts atomic.Int64
				srv := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					r.Header.Set("Attempt", fmt.Sprint(attempts.Add(1)))
					_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the client has gone
					test.handler(w, r)
				}))
				hook, err := notify.Webhook(notify.WebhookConfig{URL: srv.URL, Client: srv.Client()})
				require.NoError(q, err)
				rec := &notify.Recorder{}
				g, reg := gauge("errors")
				m := monitor.NewT(q, monitor.Config{
					Gatherers: []prometheus.Gatherer{reg},
					Rules:     []monitor.Rule{{Name: "High", Expr: "errors > 5"}},
					Route:     monitor.Route{Immediately: true, GroupInterval: time.Minute},
					Channels:  []monitor.Channel{hook, rec},
				})
				g.Set(7)
				q.Sleep(70*time.Second + time.Nanosecond)
				// The second look at the group, at 70 s, tries again what failed.
				require.EqualValues(q, test.attempts, attempts.Load())
				require.Len(q, rec.Notifications(), 1)
				if test.err == "" {
					require.Zero(q, m.Status().Errors)
					return
				}
				require.ErrorContains(q, m.Status().LastError, test.err)
			})
		})
	}
}

// A redirection that makes a GET of the POST is an error: the notification would be lost.
// One that keeps the POST is followed.
func TestWebhookThatRedirects(t *testing.T) {
	for code, want := range map[int]string{301: "301 Moved Permanently", 302: "302 Found", 303: "303 See Other", 304: "304 Not Modified", 307: "", 308: ""} {
		qtests.Run(t, func(q *qtests.T) {
			var got []string
			srv := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				require.NoError(q, err)
				got = append(got, fmt.Sprintf("%s %s %v", r.Method, r.URL.Path, len(body) > 100))
				if r.URL.Path == "/old" {
					w.Header().Set("Location", "/new")
					w.WriteHeader(code)
				}
			}))
			asked := 0
			client := *srv.Client()
			client.CheckRedirect = func(*http.Request, []*http.Request) error { asked++; return nil }
			hook, err := notify.Webhook(notify.WebhookConfig{URL: srv.URL + "/old", Client: &client})
			require.NoError(q, err)
			err = hook.Notify(q.Context(), monitor.Notification{Alerts: []monitor.Alert{{Name: "A"}}})
			if want == "" {
				require.NoError(q, err)
				require.Equal(q, []string{"POST /old true", "POST /new true"}, got)
				require.Equal(q, 1, asked, "the policy of the client is asked, too")
				return
			}
			require.ErrorIs(q, err, monitor.ErrPermanent)
			require.ErrorContains(q, err, want+`: the answer redirects to "/new"`)
			require.Equal(q, []string{"POST /old true"}, got)
		})
	}
	// Without a policy of its own it goes ten times in a circle.
	qtests.Run(t, func(q *qtests.T) {
		n := 0
		srv := q.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n++
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
		}))
		hook, err := notify.Webhook(notify.WebhookConfig{URL: srv.URL, Client: srv.Client()})
		require.NoError(q, err)
		require.ErrorContains(q, hook.Notify(q.Context(), monitor.Notification{}), "stopped after 10 redirects")
		require.Equal(q, 10, n)
	})
}

func TestRealSocketIsRefusedInABubble(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		_, err := notify.Webhook(notify.WebhookConfig{URL: "https://user:secret@alerts.example.org/x"})
		require.ErrorIs(q, err, notify.ErrRealSocket)
		_, err = notify.Mail(notify.MailConfig{Addr: "mail.example.org:25", From: "a@example.org", To: []string{"b@example.org"}})
		require.ErrorIs(q, err, notify.ErrRealSocket)
		require.Panics(q, func() { notify.NewOutside(0) })
	})
}

func TestOutsideABubble(t *testing.T) {
	var got atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got.Add(1) }))
	defer srv.Close()
	out := notify.NewOutside(0)
	defer out.Close()
	qtests.Run(t, func(q *qtests.T) {
		hook, err := notify.Webhook(notify.WebhookConfig{URL: srv.URL, Outside: out})
		require.NoError(q, err)
		m := notifyOnce(q, hook)
		require.NoError(q, m.Status().LastError)
		require.ErrorContains(q, out.Do(func(context.Context) error { panic("boom") }), "boom")
	})
	require.EqualValues(t, 2, got.Load())
	closed := notify.NewOutside(0)
	closed.Close()
	require.ErrorIs(t, closed.Do(func(context.Context) error { return nil }), monitor.ErrClosed)
}

func TestFileAndSlog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.jsonl")
	var log bytes.Buffer
	qtests.Run(t, func(q *qtests.T) {
		f, err := notify.OpenFile(notify.FileConfig{Path: path, MaxBytes: 600})
		require.NoError(q, err)
		q.Cleanup(func() { require.NoError(q, f.Close()) })
		h := slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}})
		m := notifyOnce(q, f, notify.Slog(slog.New(h)), notify.LogTo(q))
		require.NoError(q, m.Status().LastError)
		require.EqualValues(q, 6, m.Status().Notified)
	})
	for _, name := range []string{path, path + ".1"} {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, 1, bytes.Count(data, []byte("\n")), "a line of %d bytes leaves no room for another", len(data))
		var line struct {
			At           time.Time
			Notification struct{ Status string }
		}
		require.NoError(t, json.Unmarshal(data, &line))
		require.Equal(t, name == path, line.Notification.Status == "resolved")
	}
	require.Contains(t, log.String(), `level=WARN msg="alert firing"`)
	require.Contains(t, log.String(), `level=INFO msg="alert resolved"`)
}

func TestChannelConfigs(t *testing.T) {
	_, err := notify.Webhook(notify.WebhookConfig{URL: "ftp://example.org"})
	require.ErrorContains(t, err, `WebhookConfig.URL: "ftp://example.org"`)
	_, err = notify.Mail(notify.MailConfig{Addr: "example.org", From: "a@b.c", To: []string{"a@b.c"}})
	require.ErrorContains(t, err, "MailConfig.Addr")
	_, err = notify.Mail(notify.MailConfig{Addr: "example.org:25", From: "a@b.c"})
	require.ErrorContains(t, err, "MailConfig.To: is empty")
	_, err = notify.Mail(notify.MailConfig{Addr: "example.org:25", From: "nobody", To: []string{"a@b.c"}})
	require.ErrorContains(t, err, `"nobody" is no address`)
	_, err = notify.OpenFile(notify.FileConfig{MaxBytes: -1, Keep: -2})
	require.ErrorContains(t, err, "FileConfig.Path")
	require.ErrorContains(t, err, "FileConfig.MaxBytes: -1 is negative")
	require.ErrorContains(t, err, "FileConfig.Keep: -2 is negative")
}
