package memnet

import "sync"

// Buffer is how many bytes a connection holds in each direction before a
// write blocks, about what a loopback socket does.
const Buffer = 64 << 10

// SmallBuffer is enough for what HTTP leaves unread between two messages.
const SmallBuffer = 4 << 10

// Buffers are shared by all connections. A connection holds one only while it has
// bytes that are not read yet.
var (
	SmallBuffers = sync.Pool{New: func() any { return new([SmallBuffer]byte) }}
	largeBuffers = sync.Pool{New: func() any { return new([Buffer]byte) }}
)

// ring is a queue of up to Buffer bytes, a plain structure without lock.
type ring struct {
	buf  []byte // of length 0, SmallBuffer or Buffer
	head int    // of the first byte
	n    int    // number of bytes
}

// push appends as much of p as there is room for and returns how much.
func (r *ring) push(p []byte) int {
	p = p[:min(len(p), Buffer-r.n)]
	if len(p) == 0 {
		return 0
	}
	r.fit(r.n + len(p))
	tail := (r.head + r.n) % len(r.buf)
	k := copy(r.buf[tail:], p)
	copy(r.buf, p[k:])
	r.n += len(p)
	return len(p)
}

// fit makes sure that the ring can hold n bytes.
func (r *ring) fit(n int) {
	if n <= len(r.buf) {
		return
	}
	next := ring{n: r.n}
	if n <= SmallBuffer {
		next.buf = SmallBuffers.Get().(*[SmallBuffer]byte)[:]
	} else {
		next.buf = largeBuffers.Get().(*[Buffer]byte)[:]
	}
	r.pop(next.buf[:r.n])
	r.drop()
	*r = next
}

// pop moves the first bytes to p and returns how many there were. An emptied
// ring holds no buffer.
func (r *ring) pop(p []byte) int {
	p = p[:min(len(p), r.n)]
	if len(p) == 0 {
		return 0
	}
	k := copy(p, r.buf[r.head:])
	copy(p[k:], r.buf)
	r.head = (r.head + len(p)) % len(r.buf)
	if r.n -= len(p); r.n == 0 {
		r.drop()
	}
	return len(p)
}

// cut keeps the first n bytes.
func (r *ring) cut(n int) {
	if r.n = n; n == 0 {
		r.drop()
	}
}

// drop empties the ring and gives its buffer back.
func (r *ring) drop() {
	switch len(r.buf) {
	case SmallBuffer:
		SmallBuffers.Put((*[SmallBuffer]byte)(r.buf))
	case Buffer:
		largeBuffers.Put((*[Buffer]byte)(r.buf))
	}
	*r = ring{}
}
