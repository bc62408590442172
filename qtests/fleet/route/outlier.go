package route

import (
	"cmp"
	"fmt"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/field"
)

// Outliers says when a target is ejected, with the parameters and defaults of Envoy. Shares and
// chances are from 0 to 1. The zero value ejects at 5 errors in a row and by success rate.
type Outliers struct {
	Interval     time.Duration // between two sweeps; default 10 s
	BaseEjection time.Duration // how long the first ejection lasts; default 30 s
	MaxEjection  time.Duration // how long any lasts at most; default 300 s, or BaseEjection if that is longer
	MaxEjected   float64       // the most targets that are ejected at once; default 0.1
	NeverLone    bool          // MaxEjected holds even where it is less than one target

	ConsecutiveErrors  int     // default 5
	ConsecutiveGateway int     // default 5
	EnforceErrors      float64 // chance of an ejection by ConsecutiveErrors; default 1
	NoErrors           bool    // no ejection by ConsecutiveErrors
	EnforceGateway     float64 // chance of an ejection by ConsecutiveGateway; default 0

	SuccessHosts   int     // default 5
	SuccessVolume  int     // requests in an interval; default 100
	SuccessStdev   float64 // default 1.9
	EnforceSuccess float64 // chance of an ejection by success rate; default 1
	NoSuccess      bool    // no ejection by success rate

	FailureShare        float64 // default 0.85
	FailureHosts        int     // default 5
	FailureVolume       int     // requests in an interval; default 50
	EnforceFailureShare float64 // chance of an ejection by FailureShare; default 0
}

// withDefaults fills in what is zero, or says what is wrong.
func (o Outliers) withDefaults() (Outliers, error) {
	if err := o.check(); err != nil {
		return o, err
	}
	if !o.NoErrors {
		o.EnforceErrors = cmp.Or(o.EnforceErrors, 1)
	}
	if !o.NoSuccess {
		o.EnforceSuccess = cmp.Or(o.EnforceSuccess, 1)
	}
	o.Interval = cmp.Or(o.Interval, 10*time.Second)
	o.BaseEjection = cmp.Or(o.BaseEjection, 30*time.Second)
	o.MaxEjection = cmp.Or(o.MaxEjection, max(300*time.Second, o.BaseEjection))
	o.MaxEjected = cmp.Or(o.MaxEjected, 0.1)
	o.ConsecutiveErrors = cmp.Or(o.ConsecutiveErrors, 5)
	o.ConsecutiveGateway = cmp.Or(o.ConsecutiveGateway, 5)
	o.SuccessHosts = cmp.Or(o.SuccessHosts, 5)
	o.SuccessVolume = cmp.Or(o.SuccessVolume, 100)
	o.SuccessStdev = cmp.Or(o.SuccessStdev, 1.9)
	o.FailureShare = cmp.Or(o.FailureShare, 0.85)
	o.FailureHosts = cmp.Or(o.FailureHosts, 5)
	o.FailureVolume = cmp.Or(o.FailureVolume, 50)
	return o, nil
}

func (o Outliers) check() error {
	c := field.Check("route: Outliers")
	c.Duration("Interval", o.Interval)
	c.Duration("BaseEjection", o.BaseEjection)
	c.Duration("MaxEjection", o.MaxEjection)
	c.That(o.MaxEjection == 0 || o.MaxEjection >= cmp.Or(o.BaseEjection, 30*time.Second), "MaxEjection", o.MaxEjection, "is below BaseEjection")
	c.Share("MaxEjected", o.MaxEjected)
	c.Count("ConsecutiveErrors", o.ConsecutiveErrors)
	c.Count("ConsecutiveGateway", o.ConsecutiveGateway)
	c.Share("EnforceErrors", o.EnforceErrors)
	c.That(o.EnforceErrors == 0 || !o.NoErrors, "EnforceErrors", o.EnforceErrors, "contradicts NoErrors")
	c.Share("EnforceGateway", o.EnforceGateway)
	c.Count("SuccessHosts", o.SuccessHosts)
	c.Count("SuccessVolume", o.SuccessVolume)
	c.Finite("SuccessStdev", o.SuccessStdev)
	c.Share("EnforceSuccess", o.EnforceSuccess)
	c.That(o.EnforceSuccess == 0 || !o.NoSuccess, "EnforceSuccess", o.EnforceSuccess, "contradicts NoSuccess")
	c.Share("FailureShare", o.FailureShare)
	c.Count("FailureHosts", o.FailureHosts)
	c.Count("FailureVolume", o.FailureVolume)
	c.Share("EnforceFailureShare", o.EnforceFailureShare)
	return c.Result()
}

// outlier is what is known of one target.
type outlier struct {
	errors, gateway int // in a row
	requests, ok    int // of the interval
	ejected         bool
	since           time.Time
	times           int // the multiplier
}

// An Ejection is a target that left or came back.
type Ejection struct {
	At     time.Time
	Target string
	Out    bool   // false: it came back
	Why    string // "5 errors in a row"; "" when it came back
}

// A verdict is a reason to eject a target, which holds with a chance.
type verdict struct {
	why    string
	chance float64
}

// result counts a result, and returns what the target is to be ejected for. As in Envoy both counts are judged: where the
// chance spares it for its gateway errors, its errors in a row still count.
func (x *outlier) result(o Outliers, status int) (found []verdict) {
	x.requests++
	failed := status >= 500 || status == 0
	if !failed {
		x.ok++
		x.errors, x.gateway = 0, 0
		return nil
	}
	x.errors++
	if status == 0 || status == 502 || status == 503 || status == 504 {
		x.gateway++
	} else {
		x.gateway = 0
	}
	if x.gateway == o.ConsecutiveGateway {
		x.gateway = 0
		found = append(found, verdict{fmt.Sprintf("%d gateway errors in a row", o.ConsecutiveGateway), o.EnforceGateway})
	}
	if x.errors == o.ConsecutiveErrors {
		x.errors = 0
		found = append(found, verdict{fmt.Sprintf("%d errors in a row", o.ConsecutiveErrors), o.EnforceErrors})
	}
	return found
}

// returns reports whether the ejection is over at a sweep.
func (x *outlier) returns(o Outliers, now time.Time) bool {
	length := min(time.Duration(x.times)*o.BaseEjection, o.MaxEjection)
	return x.ejected && !now.Before(x.since.Add(length))
}
