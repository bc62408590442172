// Package dashboard shows the state of the system under test, read from what a monitor
// has of the metrics of the packages load, pool and breaker: as a value ([Of]), as text
// and JSON, and live as a page ([Handler]).
//
//	http.ListenAndServe("localhost:8080", dashboard.Handler(mon))
package dashboard
