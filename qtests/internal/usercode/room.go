package usercode

// Room makes the stack of its caller large enough for most of what a function of the user calls: 8 KiB. It is for the
// beginning of a goroutine, where there is little on the stack. A goroutine starts with 2 KiB, and its stack doubles
// whenever it is full; all that is on it is moved then, frame by frame, which took a tenth of a bubble and of a request
// to a handler. A goroutine that waits with thousands of others has no call of it: there memory matters more.
func Room() { room(0) }

// room has the frame that needs the room, whatever n is: the runtime looks at its size before it begins. The frame is used
// for an n other than 0 alone, so that it is neither left out nor cleared.
//
//go:noinline
func room(n byte) byte {
	if n == 0 {
		return 0
	}
	var frame [4 << 10]byte
	frame[n] = n
	return frame[^n]
}
