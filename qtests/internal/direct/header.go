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
	coded := w.sent.Get("Transfer-Encoding") != ""
	w.sent.Del("Transfer-Encoding")
	if w.bodyAllowed() {
		w.measureLocked(complete && !declared && !coded)
		w.typeLocked(coded)
	} else {
		w.sent.Del("Content-Length")
		if w.status == http.StatusNotModified {
			w.sent.Del("Content-Type")
		}
	}
	if _, dated := w.sent["Date"]; !dated {
		w.sent.Set("Date", time.Now().UTC().Format(http.TimeFormat))
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
		w.sent.Del("Content-Length") // not a number
	}
	head := w.client.Method == http.MethodHead
	if known && !measured && (!head || w.written > 0) {
		w.length = w.written
		w.sent.Set("Content-Length", strconv.FormatInt(w.length, 10))
	}
}

// typeLocked adds the Content-Type where the handler did not. The bytes of a body with a coding do not show it.
func (w *response) typeLocked(coded bool) {
	_, typed := w.sent["Content-Type"]
	if !typed && !coded && w.sent.Get("Content-Encoding") == "" && len(w.pending) > 0 {
		w.sent.Set("Content-Type", http.DetectContentType(w.pending))
	}
}
