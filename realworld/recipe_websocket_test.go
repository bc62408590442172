package realworld

import (
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/wire"
)

// A client that finds out by what it asks that the host of the server is gone without a word, and dials again.
func TestRecipeWebSocket(t *testing.T) {
	recipe(t, func(q *qtests.T, log *Log) {
		hosts := wire.NewHosts(q)
		server := q.Serve(http.HandlerFunc(echo))
		link := hosts.Add("chat.memory:80", server.Listener().Dial)
		q.Schedule(link.HalfOpen().At(time.Minute).For(30 * time.Second))
		dialer := &websocket.Dialer{NetDialContext: hosts.Dial, HandshakeTimeout: 5 * time.Second}
		dials := 0
		for log.at() < 3*time.Minute {
			dials++
			conn, _, err := dialer.DialContext(q.Context(), "ws://chat.memory/", nil)
			for err == nil && log.at() < 3*time.Minute {
				q.Sleep(time.Second)
				_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
				if err = conn.WriteMessage(websocket.TextMessage, []byte("ping")); err == nil {
					_, _, err = conn.ReadMessage()
				}
				log.Addf("over connection %d: %v", dials, err)
			}
			if conn != nil {
				_ = conn.Close()
			}
		}
		require.Greater(q, dials, 2, "it noticed, and dialled until the host was back")
		require.Less(q, dials, 10)
	})
}

func echo(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	for {
		kind, text, err := conn.ReadMessage()
		if err != nil || conn.WriteMessage(kind, text) != nil {
			return
		}
	}
}
