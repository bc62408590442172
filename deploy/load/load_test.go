package load_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests/load"
	"github.com/go-qtests/qtests/qtests/load/traffic"
)

// TestLoad loads the server at TARGET, in real time. Each process of several makes its part of the
// requests, and the thresholds are judged when the parts are put together.
func TestLoad(t *testing.T) {
	target := os.Getenv("TARGET")
	if target == "" {
		t.Skip("TARGET names no server, such as http://shop.example.com")
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	defer client.CloseIdleConnections()
	load.Run(t, load.Scenario{
		Name:    "shop",
		Traffic: traffic.Rate(0).To(rate(t), 2*time.Second).For(3 * time.Second),
		Timeout: 5 * time.Second,
		Steps: []load.Step{
			{Name: "browse", Weight: 4, Do: get(client, target+"/items")},
			{Name: "pay", Do: get(client, target+"/pay")},
		},
		Thresholds: []string{"errors<1%", "dropped==0", "p(95)<1s", "p(50)<1s every 1s"},
	})
}

// rate is the highest rate, in requests per second.
func rate(t *testing.T) float64 {
	perSecond := 100.0
	if text := os.Getenv("RATE"); text != "" {
		if _, err := fmt.Sscan(text, &perSecond); err != nil {
			t.Fatalf("RATE: %v", err)
		}
	}
	return perSecond
}

// get is a step that gets a page. The server sees which user of the whole run asks.
func get(client *http.Client, url string) func(context.Context, *load.User) error {
	return func(ctx context.Context, u *load.User) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		req.Header.Set("X-User", fmt.Sprint(u.ID()))
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, res.Body)
		if closed := res.Body.Close(); err == nil {
			err = closed
		}
		if err == nil && res.StatusCode >= 400 {
			err = fmt.Errorf("status %d", res.StatusCode)
		}
		return err
	}
}
