package fakesql

import (
	"database/sql/driver"
	"encoding/hex"
	"slices"
	"strconv"
	"time"
)

// Untyped is an argument that came as text over a wire and whose type was not said, as from clients of PostgreSQL. For
// [Stub.WithArgs] it is the same as what PostgreSQL writes so: "42" is the int64 42, the float64 42 and the string "42". An
// Answer and Captured see it as it came, and go-sqlmock as a string.
type Untyped string

// is reports whether the text stands for a value.
func (u Untyped) is(want any) bool {
	text := string(u)
	switch want := want.(type) {
	case string:
		return text == want
	case int64:
		n, err := strconv.ParseInt(text, 10, 64)
		return err == nil && n == want
	case float64:
		f, err := strconv.ParseFloat(text, 64)
		return err == nil && f == want
	case bool:
		b, err := strconv.ParseBool(text)
		return err == nil && b == want
	case []byte:
		return text == `\x`+hex.EncodeToString(want)
	case time.Time:
		return slices.ContainsFunc(timeLayouts, func(layout string) bool {
			t, err := time.Parse(layout, text)
			return err == nil && sameInstant(want, t)
		})
	}
	return false
}

// sameInstant compares times to the microsecond, as databases keep them.
func sameInstant(a, b time.Time) bool {
	apart := a.Sub(b)
	return -time.Microsecond < apart && apart < time.Microsecond
}

// timeLayouts are how PostgreSQL and its clients write instants.
var timeLayouts = []string{
	"2006-01-02 15:04:05.999999999Z07:00:00", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07",
	"2006-01-02 15:04:05.999999999", time.RFC3339Nano, time.DateOnly,
}

// asStrings returns arguments with what is untyped as strings.
func asStrings(args []driver.NamedValue) []driver.NamedValue {
	out, cloned := args, false
	for i, a := range args {
		u, ok := a.Value.(Untyped)
		if !ok {
			continue
		}
		if !cloned {
			out, cloned = slices.Clone(args), true
		}
		out[i].Value = string(u)
	}
	return out
}
