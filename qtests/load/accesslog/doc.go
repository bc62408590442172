// Package accesslog reads recorded access logs: common log format, combined log format and
// JSON lines. Lines that are no entry are counted and the first of them kept, so that one
// bad line does not spoil a log.
//
//	log, err := accesslog.Read("access.log", file)
//	fmt.Println(log) // how many entries, and what was skipped
//
// Package traffic plays the entries again.
package accesslog
