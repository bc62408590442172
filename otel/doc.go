// Package otel lets a monitor scrape the metrics of OpenTelemetry's SDK.
//
//	reader := metric.NewManualReader()
//	provider := metric.NewMeterProvider(metric.WithReader(reader))
//	… the system under test, with instruments of the provider …
//	mon := monitor.NewT(t, monitor.Config{Gatherers: []prometheus.Gatherer{otel.Gatherer(reader)}})
//
// What a service exports through OpenTelemetry's Prometheus exporter needs nothing of
// this package: its registry is a gatherer, prometheus.WithRegisterer(registry), with the
// names that production has. [Gatherer] is for a service that sends its metrics
// elsewhere.
//
// # Names
//
// Metrics and attributes keep their names, which are UTF-8: an expression writes
// {"http.server.request.duration", "http.route"="/"}. That is what the exporter writes with
// the strategy NoTranslation. As there, the scope of an instrument becomes the labels
// otel_scope_name, otel_scope_version, otel_scope_schema_url and otel_scope_<attribute>,
// and the resource becomes target_info.
//
// # Values
//
// A monotonic sum is a counter; another sum, and a gauge, is a gauge. A histogram has
// classic buckets, and an exponential one is a native histogram: see
// monitor.Config.NativeHistograms. Start times become created timestamps, and exemplars
// are kept. A reader of delta temporality is an error, because rate and increase need the
// sums.
//
// It is a module of its own, because OpenTelemetry's SDK is a dependency that a user of
// qtests need not have.
package otel
