// Package plaintext reads text files as other programs write them. [NewReader] unpacks gzip, turns
// UTF-16 into UTF-8, and drops a byte order mark.
//
// Every reader of this module that takes a file of the user begins with it, so that all of them
// read the same files.
package plaintext

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// A reader decodes when the first byte is asked for, because only then may its input be read.
type reader struct {
	in   io.Reader
	out  io.Reader
	form string // gzip or UTF-16, or "" for text that is read as it is
	err  error
}

// NewReader returns the text that r holds, as UTF-8 without a byte order mark.
//
// gzip is known by its first two bytes, and UTF-16 by its byte order mark: without one it cannot be
// told from other text. A half of a surrogate pair in UTF-16 becomes U+FFFD. Input that is none of
// these is passed on as it is, whether or not it is UTF-8. Errors of gzip, and UTF-32, are errors of
// Read.
//
// NewReader reads nothing. The reader that it returns reads ahead, and is for one goroutine at a time.
func NewReader(r io.Reader) io.Reader { return &reader{in: r} }

func (r *reader) Read(p []byte) (int, error) {
	if r.out == nil && r.err == nil {
		r.out, r.form, r.err = open(r.in)
	}
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.out.Read(p)
	if err != nil && err != io.EOF && r.form != "" {
		err = fmt.Errorf("%s: %w", r.form, err)
	}
	return n, err
}

// open looks at the first bytes, and returns the text and the form that they tell.
func open(r io.Reader) (out io.Reader, form string, err error) {
	in, form, err := unpack(bufio.NewReader(r))
	if err != nil {
		return nil, "", err
	}
	head, _ := in.Peek(4) // an error comes again with the next Read
	for _, m := range marks {
		if bytes.HasPrefix(head, []byte(m.mark)) {
			_, _ = in.Discard(len(m.mark)) // they have been peeked at
			out, err = m.decode(in)
			return out, cmp.Or(form, m.form), err
		}
	}
	return in, form, nil
}

// unpack returns what gzip holds, and any other input as it is.
func unpack(in *bufio.Reader) (out *bufio.Reader, form string, err error) {
	if head, _ := in.Peek(2); string(head) != "\x1f\x8b" {
		return in, "", nil
	}
	unpacked, err := gzip.NewReader(in)
	if err != nil {
		return nil, "", fmt.Errorf("gzip: %w", err)
	}
	return bufio.NewReader(unpacked), "gzip", nil
}

// marks are the byte order marks. The mark of UTF-32 begins with the mark of UTF-16, and so comes first.
var marks = []struct {
	mark, form string
	decode     func(*bufio.Reader) (io.Reader, error)
}{
	{"\xff\xfe\x00\x00", "", refuse},
	{"\x00\x00\xfe\xff", "", refuse},
	{"\xef\xbb\xbf", "", func(in *bufio.Reader) (io.Reader, error) { return in, nil }},
	{"\xff\xfe", "UTF-16", func(in *bufio.Reader) (io.Reader, error) { return &decoder{in: in, order: binary.LittleEndian}, nil }},
	{"\xfe\xff", "UTF-16", func(in *bufio.Reader) (io.Reader, error) { return &decoder{in: in, order: binary.BigEndian}, nil }},
}

func refuse(*bufio.Reader) (io.Reader, error) {
	return nil, errors.New("the text is in UTF-32; write it as UTF-8")
}

// A decoder turns UTF-16 into UTF-8.
type decoder struct {
	in    *bufio.Reader
	order binary.ByteOrder
	ready []byte // decoded, and not read yet
	space [utf8.UTFMax]byte
	err   error
}

func (d *decoder) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(d.ready) == 0 && !d.decode(n == 0) {
			break
		}
		taken := copy(p[n:], d.ready)
		d.ready = d.ready[taken:]
		n += taken
	}
	if n == 0 && len(p) > 0 {
		return 0, d.err
	}
	return n, nil
}

// decode makes the next rune ready, and reports whether there is one. Where wait is false, it takes
// only what has been read from the input, so that text which comes slowly is passed on.
func (d *decoder) decode(wait bool) bool {
	if d.err != nil || !wait && d.in.Buffered() < 4 {
		return false
	}
	first, ok := d.unit()
	if !ok {
		return false
	}
	r := rune(first)
	if utf16.IsSurrogate(r) {
		r = d.pair(r)
	}
	d.ready = utf8.AppendRune(d.space[:0], r)
	return true
}

// pair returns the rune of a surrogate pair, and utf8.RuneError for a first half alone.
func (d *decoder) pair(first rune) rune {
	r := utf8.RuneError
	if second, _ := d.in.Peek(2); len(second) == 2 {
		r = utf16.DecodeRune(first, rune(d.order.Uint16(second)))
	}
	if r != utf8.RuneError {
		_, _ = d.in.Discard(2)
	}
	return r
}

// unit reads two bytes. A last single byte is half of a unit, and an error.
func (d *decoder) unit() (unit uint16, ok bool) {
	var b [2]byte
	if _, d.err = io.ReadFull(d.in, b[:]); d.err == io.ErrUnexpectedEOF {
		d.err = errors.New("the text ends within a character")
	}
	return d.order.Uint16(b[:]), d.err == nil
}
