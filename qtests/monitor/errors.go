package monitor

import "errors"

var (
	// ErrClosed is the error of a scrape after Close.
	ErrClosed = errors.New("monitor: closed")
	// ErrBlocked is the error of a gatherer or channel that has not returned in time,
	// and of the calls after it until it does.
	ErrBlocked = errors.New("monitor: blocks")
	// ErrTooManySeries is the error of a gatherer that would exceed Config.MaxSeries.
	ErrTooManySeries = errors.New("monitor: too many series")
	// ErrInvalid is the error of a metric whose name or labels Prometheus refuses.
	ErrInvalid = errors.New("monitor: invalid metric")
	// ErrDuplicate is the error of two metrics of one scrape that are one series.
	ErrDuplicate = errors.New("monitor: duplicate series")
	// ErrPermanent is wrapped by the error of a [Channel] that trying again cannot cure.
	ErrPermanent = errors.New("permanent")
)
