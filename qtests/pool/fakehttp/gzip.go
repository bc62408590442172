package fakehttp

import (
	"compress/gzip"
	"io"
)

// unzipped decodes a body for a client that did not ask for gzip: http.Transport asks on
// its behalf.
type unzipped struct {
	body *body
	z    *gzip.Reader // begins with the first Read
	err  error        // of the begin
}

func (u *unzipped) Read(p []byte) (int, error) {
	if u.body.closed.Load() {
		return 0, errReadClosed
	}
	if u.z == nil && u.err == nil {
		u.z, u.err = gzip.NewReader(u.body)
	}
	if u.err != nil {
		return 0, u.err
	}
	n, err := u.z.Read(p)
	if err == io.EOF {
		u.drain()
	}
	return n, err
}

// drain reads the end of the body, behind the end of what was compressed.
func (u *unzipped) drain() {
	var end [1]byte
	if u.body.err == nil {
		_, _ = u.body.Read(end[:])
	}
}

func (u *unzipped) Close() error { return u.body.Close() }
