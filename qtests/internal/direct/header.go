package direct

import (
	"net/http"
	"strconv"
	"time"
)

// fixLocked adds the headers that the handler left to the server. With complete
// the body is all there.
func (w *response) fixLocked(complete bool) {
	if w.fixed {
		return
	}
	w.fixed = true
	declared := w.declareTrailersLocked()
	coded := first(w.sent, "Transfer-Encoding") != ""
	delete(w.sent, "Transfer-Encoding")
	if w.bodyAllowed() {
		w.measureLocked(complete && !declared && !coded)
		w.typeLocked(coded)
	} else {
		delete(w.sent, "Content-Length")
		if w.status == http.StatusNotModified {
			delete(w.sent, "Content-Type")
		}
	}
	if _, dated := w.sent["Date"]; !dated {
		w.addLocked("Date", 0, w.t.date())
	}
	for name, values := range w.sent {
		if len(values) == 0 { // how a handler says that it wants none of the above
			delete(w.sent, name)
		}
	}
}

// measureLocked adds the Content-Length where the handler did not, if all of the body is known.
func (w *response) measureLocked(known bool) {
	_, measured := w.sent["Content-Length"]
	if measured && w.length < 0 {
		delete(w.sent, "Content-Length") // not a number
	}
	head := w.client.Method == http.MethodHead
	if known && !measured && (!head || w.written > 0) {
		w.length = w.written
		w.addLocked("Content-Length", 1, strconv.FormatInt(w.length, 10))
	}
}

// typeLocked adds the Content-Type where the handler did not. The bytes of a body with a coding do not show it.
func (w *response) typeLocked(coded bool) {
	_, typed := w.sent["Content-Type"]
	if !typed && !coded && first(w.sent, "Content-Encoding") == "" && len(w.pending) > 0 {
		w.addLocked("Content-Type", 2, http.DetectContentType(w.pending))
	}
}

// addLocked adds one of the three headers of a server, whose value has a place of its own.
func (w *response) addLocked(name string, place int, value string) {
	if w.values == nil {
		w.values = new([3]string)
	}
	w.values[place] = value
	w.sent[name] = w.values[place : place+1 : place+1]
}

// first returns the first value of a name, which is canonical.
func first(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// A date is the header Date of one second.
type date struct {
	second int64
	text   string
}

// date returns the header Date of now. It makes one a second: one for each request took a thirtieth of its time.
func (d *Transport) date() string {
	now := time.Now()
	last := d.dated.Load()
	if last == nil || last.second != now.Unix() {
		last = &date{now.Unix(), now.UTC().Format(http.TimeFormat)}
		d.dated.Store(last)
	}
	return last.text
}
