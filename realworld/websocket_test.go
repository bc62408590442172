package realworld

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/go-qtests/qtests/qtests"
)

// A few users of a chat: each hears what all say, and dials again when the outage has cut
// it off. The server pings.
func TestWebSocket(t *testing.T) {
	outcome(t, func(q *qtests.T, log *Log) {
		room := &room{members: map[*websocket.Conn]chan string{}}
		server := q.Serve(room)
		network := newCable(q, log, server.Listener().Dial)
		dialer := &websocket.Dialer{
			NetDialContext:   func(ctx context.Context, _, _ string) (net.Conn, error) { return network.Dial(ctx) },
			HandshakeTimeout: 5 * time.Second,
		}
		var users sync.WaitGroup
		for i := range 5 {
			users.Go(func() {
				for log.at() < log.plan.length {
					visit(q.Context(), log, dialer, fmt.Sprint("user ", i))
					time.Sleep(500*time.Millisecond + rand.N(time.Second))
				}
			})
		}
		users.Wait()
		room.visits.Wait()
	})
}

// visit is one connection of a user, for up to half a minute.
func visit(ctx context.Context, log *Log, dialer *websocket.Dialer, name string) {
	conn, _, err := dialer.DialContext(ctx, "ws://chat.memory/", nil)
	if err != nil {
		log.Addf("%s dials: %v", name, err)
		return
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		for {
			_, text, err := conn.ReadMessage()
			if err != nil {
				log.Addf("%s hears no more: %v", name, err)
				return
			}
			log.Addf("%s hears %s", name, text)
		}
	}()
	until := log.at() + rand.N(30*time.Second)
	for i := 0; log.at() < until; i++ {
		time.Sleep(rand.N(log.plan.pause * 60 / 7)) // six seconds, or as often as a plan wants it
		log.asks()
		if err := conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, "%s, message %d", name, i)); err != nil {
			log.Addf("%s says: %v", name, err)
			break
		}
	}
	_ = conn.Close()
	<-heard
}

// A room tells each of its members what any of them says.
type room struct {
	mu      sync.Mutex
	members map[*websocket.Conn]chan string
	visits  sync.WaitGroup
}

func (r *room) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.visits.Add(1)
	defer r.visits.Done()
	upgrader := websocket.Upgrader{}
	conn, err := upgrader.Upgrade(w, req, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	news := make(chan string, 16)
	r.mu.Lock()
	r.members[conn] = news
	r.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tell(conn, news)
	}()
	for {
		_, text, err := conn.ReadMessage()
		if err != nil {
			break
		}
		r.all(string(text))
	}
	r.mu.Lock()
	delete(r.members, conn)
	close(news)
	r.mu.Unlock()
	<-ended
}

// all tells all members, in the order of the map, save those that are behind. With more
// than eight members the order would depend on their addresses.
func (r *room) all(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, news := range r.members {
		select {
		case news <- text:
		default:
		}
	}
}

func tell(conn *websocket.Conn, news chan string) {
	pings := time.NewTicker(5 * time.Second)
	defer pings.Stop()
	for {
		select {
		case text, more := <-news:
			if !more || conn.WriteMessage(websocket.TextMessage, []byte(text)) != nil {
				return
			}
		case <-pings.C:
			_ = conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second))
		}
	}
}
