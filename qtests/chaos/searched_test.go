package chaos_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/chaos"
	"github.com/go-qtests/qtests/qtests/event"
)

// A notebook keeps lines in memory, and writes them to its disk every second. It says yes to a
// line before that: a crash in between loses it.
type notebook struct {
	life  *chaos.Life
	disk  *[]string
	early bool
	lines chan string
	saved chan struct{}
}

func (n *notebook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	line, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	select {
	case n.lines <- string(line):
	case <-r.Context().Done():
		return
	}
	if !n.early {
		select {
		case <-n.saved:
		case <-r.Context().Done():
		}
	}
}

// save writes what has come, every second.
func (n *notebook) save() {
	var memory []string
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-n.life.Context().Done():
			return
		case line := <-n.lines:
			memory = append(memory, line)
		case <-tick.C:
			if n.life.Do(func() error { *n.disk = append(*n.disk, memory...); return nil }) != nil {
				return
			}
			for range memory {
				select {
				case n.saved <- struct{}{}:
				default:
				}
			}
			memory = nil
		}
	}
}

// noted sends ten lines to a notebook that crashes, and looks for those to which it said yes.
func noted(q *qtests.T, early bool) {
	var disk []string
	net := chaos.NewNetwork(q)
	book := net.Component("notebook", func(l *chaos.Life) {
		n := &notebook{life: l, disk: &disk, early: early, lines: make(chan string), saved: make(chan struct{})}
		go n.save()
		_ = l.Serve(n) // without it nobody gets an answer
	})
	plan := chaos.NewT(q, chaos.Config{Within: 15 * time.Second, Faults: []chaos.Fault{
		{Event: book.Crash(), Chance: 0.2, Most: 3, Longest: 5 * time.Second, Before: book},
		{Event: net.Partition("notebook"), Chance: 0.3, Most: 2, Longest: 3 * time.Second},
		{Event: event.New("weather: rain", func() {}, func() {}), Chance: 1, Longest: time.Minute},
	}})
	var yes []string
	for i := range 10 {
		line := fmt.Sprint("line ", i)
		if post(q, net.Test().Client(), line) {
			yes = append(yes, line)
		}
		q.Sleep(1300 * time.Millisecond)
	}
	plan.Stop()
	q.Sleep(10 * time.Second)
	have := strings.Join(disk, ", ") + ","
	for _, line := range yes {
		if !strings.Contains(have, line+",") {
			q.Errorf("%s is lost", line)
			return
		}
	}
}

func post(q *qtests.T, client *http.Client, line string) bool {
	ctx, cancel := context.WithTimeout(q.Context(), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "POST", "http://notebook/", strings.NewReader(line))
	if err != nil {
		q.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close() // it was read
	return err == nil && res.StatusCode == http.StatusOK
}

// searched skips a test that only a search runs.
func searched(t *testing.T) {
	if replay := flag.Lookup("qtests.replay"); os.Getenv("QTESTS_FIND") == "" && replay.Value.String() == "" {
		t.Skip("a search runs it")
	}
}

func TestLostLine(t *testing.T) {
	searched(t)
	qtests.Run(t, func(q *qtests.T) { noted(q, true) })
}

func TestKeptLine(t *testing.T) {
	searched(t)
	qtests.Run(t, func(q *qtests.T) { noted(q, false) })
}
