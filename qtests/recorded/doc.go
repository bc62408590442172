// Package recorded reads HTTP as it was recorded: the cassettes of go-vcr, and HAR files of browsers and
// proxies. What was recorded answers as the stubs of a fake, and comes again as traffic.
//
//	rec, err := recorded.Read("checkout.har", file)
//	…
//	rec.Stub(api)                                   // an *fakehttp.Fake: the answers as recorded
//	load.Scenario{Traffic: traffic.Replay(rec.Entries()), …} // the requests when they came
//
// # Formats
//
// Read tells them apart by their content.
//
//   - A HAR file, version 1.1 or 1.2, is JSON with a log that has entries. Its times are those of the entries;
//     bodies in base64 are decoded.
//   - A cassette is YAML with interactions: version 1 of go-vcr v2 and before, version 2 of go-vcr v3 and
//     v4. It has no instants. Each interaction is taken to begin when the one before it was over, the first one
//     at the beginning of [Epoch]; where the durations are missing, too, all begin at once.
//
// A file has at most [MaxSize] bytes and [MaxExchanges] exchanges; an exchange without a method gets GET, as
// go-vcr writes it for net/http's "". What is not read, such as cookies, timings and pages, is passed over.
//
// # As stubs
//
// Exchanges with one method and one URL, with its query, answer in the order in which they were recorded, and
// the last one answers from then on. Bodies of requests are not compared. Content-Length, Content-Encoding and
// Transfer-Encoding are left out of an answer, because bodies were recorded as they are without them.
//
// # Out of scope
//
// The scripts of k6 and the collections of Postman are programs, with variables, loops and code. They are
// not read: record what they do, as a HAR file, and read that.
package recorded
