// Package accesslog reads recorded access logs. A line that is no entry is counted, and the first of
// them are kept, so that one bad line does not spoil a log.
//
//	log, err := accesslog.Read("access.log", file)
//	fmt.Println(log) // how many entries, and what was skipped
//
// Package traffic plays the entries again.
//
// # Formats
//
// Each line is recognised by itself:
//
//	common, combined             203.0.113.7 - - [06/Oct/2023:00:17:09 +0000] "GET / HTTP/1.1" 200 512 …
//	virtual host first           shop.example:80 203.0.113.7 - - [… (vhost_combined), shop.example 203.0.113.7 - … (nginx)
//	forwarded clients first      203.0.113.7, 10.0.0.1 - - [… (X-Forwarded-For in the place of the client)
//	S3, ALB, classic ELB         as Amazon writes them
//	HAProxy                      option httplog
//	Envoy                        the default format, and Istio's
//	W3C, IIS, CloudFront         columns that a line #Fields: names, apart by blanks or tabs
//	JSON                         an object a line: Caddy, Traefik, Envoy, nginx, echo, pino, Google Cloud, Elastic, your own
//
// In front of any of them may stand what carries logs: a CRI prefix (Kubernetes; lines that it cut are
// put together), docker compose, a syslog header (RFC 3164, RFC 5424), and a time stamp. The same
// holds for JSON around a line, under log, message or MESSAGE. The file may be gzip, UTF-8 with or
// without a byte order mark, or UTF-16 with one.
//
// [Reader] reads other formats: with a function of yours, with the names of your JSON keys and columns,
// or with the layout of your times.
//
// # The client
//
// Entry.Client is the address that the server saw, without a port. Where the format has the header
// X-Forwarded-For in its place, it is the first address of the list. It is "" where the line does not
// tell it: -, unknown, or none of the keys. A name in the place of an address is kept as it is.
//
// A line that has a client, but not in a place where it can only be the client, is refused: two
// addresses without a comma between them, or a word in front that is no part of a known format.
package accesslog
