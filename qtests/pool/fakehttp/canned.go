package fakehttp

import (
	"net/http"
	"reflect"

	"github.com/jarcoal/httpmock"
)

// canned are the responders of httpmock that answer at once and read nothing of the request. A call of one of
// them takes no goroutine, since there is nothing that the end of a context or an outage would have to interrupt:
// that halves what a request to the fake costs.
//
// They are known by the function that they share, as httpmock itself compares responders (Then). A compiler that
// inlines one of the constructors makes another function of it: its responders are called as all others are.
var canned = func() map[uintptr]bool {
	all := map[uintptr]bool{}
	for _, r := range []httpmock.Responder{
		httpmock.NewStringResponder(http.StatusOK, ""),
		httpmock.NewBytesResponder(http.StatusOK, nil),
		httpmock.NewJsonResponderOrPanic(http.StatusOK, nil),
		httpmock.NewXmlResponderOrPanic(http.StatusOK, ""),
	} {
		all[reflect.ValueOf(r).Pointer()] = true
	}
	return all
}()

func isCanned(r httpmock.Responder) bool { return canned[reflect.ValueOf(r).Pointer()] }
