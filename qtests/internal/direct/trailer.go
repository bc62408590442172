package direct

import (
	"net/http"
	"net/textproto"
	"strings"
)

// declareTrailersLocked takes the trailers out of the header and reports whether
// there are any.
func (w *response) declareTrailersLocked() (declared bool) {
	for _, list := range w.sent["Trailer"] {
		declared = true
		for name := range strings.SplitSeq(list, ",") {
			w.trailers = append(w.trailers, textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)))
		}
	}
	delete(w.sent, "Trailer")
	for name := range w.sent {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			declared = true
			delete(w.sent, name)
		}
	}
	for _, name := range w.trailers {
		delete(w.sent, name)
	}
	return declared
}

// declaredTrailer has the names of the declared trailers, whose values come behind the body. It is nil where
// there are none.
func (w *response) declaredTrailer() http.Header {
	if len(w.trailers) == 0 {
		return nil
	}
	trailer := make(http.Header)
	for _, name := range w.trailers {
		trailer[name] = nil
	}
	return trailer
}

// trailerLocked collects the trailers, declared or not, of a response that can
// have any.
func (w *response) trailerLocked() http.Header {
	if w.length >= 0 {
		return nil
	}
	trailer := http.Header{}
	for _, name := range w.trailers {
		if values := w.header[name]; len(values) > 0 {
			trailer[name] = values
		}
	}
	for name, values := range w.header {
		if name, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			trailer[name] = values
		}
	}
	return trailer
}
