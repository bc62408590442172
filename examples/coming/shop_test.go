// Package coming_test has the code of the pages in docs that say how a job which another tool does is done here: their
// way where the tool is a dependency of this module anyway, and ours.
package coming_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/go-qtests/qtests/qtests"
)

func TestMain(m *testing.M) { qtests.VerifyTestMain(m) }

// newShop is the code under test.
func newShop() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("soap")) })
	return mux
}

// get sends a request, and takes every status but 200 for an error.
func get(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
