// Package alarm wakes a goroutine in real time when an instant comes, within some ten
// microseconds.
//
// Package time is late by up to a millisecond on Linux, because a process that idles polls the
// network with a timeout of whole milliseconds. An alarm of the kernel is not. Without it every
// response time, which counts from the intended instant, would be too long by half a
// millisecond, whatever the server does. Other systems need no alarm.
package alarm
