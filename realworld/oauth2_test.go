package realworld

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/go-qtests/qtests/qtests"
)

// Tokens that live for a few seconds. The source of tokens holds a mutex while it asks the
// server for the next one, so that the requests of that moment wait for the mutex.
func TestOAuth2(t *testing.T) {
	outcome(t, func(q *qtests.T, log *Log) {
		tokens := 0
		mux := http.NewServeMux()
		mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
			if work(r.Context()) != nil || log.down() {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			tokens++
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{
				"access_token": fmt.Sprint("token ", tokens), "token_type": "Bearer", "expires_in": 12,
			})
		})
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			_ = work(r.Context())
			fmt.Fprint(w, r.Header.Get("Authorization"))
		})
		server := q.Serve(mux)
		config := clientcredentials.Config{ClientID: "id", ClientSecret: "secret", TokenURL: server.URL + "/token", AuthStyle: oauth2.AuthStyleInHeader}
		ctx := context.WithValue(q.Context(), oauth2.HTTPClient, server.Client())
		client := oauth2.NewClient(ctx, oauth2.ReuseTokenSource(nil, config.TokenSource(ctx)))
		load(log, func(i int) string {
			return get(client, fmt.Sprintf("%s/%d", server.URL, i))
		})
		time.Sleep(time.Second)
	})
}
