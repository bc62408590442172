package load

// list holds the requests under way, in the order of their starts, linked
// through the users themselves.
type list struct {
	first, last *User
	size        int
}

func (l *list) add(u *User) {
	u.prev, u.next = l.last, nil
	if l.last == nil {
		l.first = u
	} else {
		l.last.next = u
	}
	l.last = u
	l.size++
}

func (l *list) remove(u *User) {
	if u.prev == nil {
		l.first = u.next
	} else {
		u.prev.next = u.next
	}
	if u.next == nil {
		l.last = u.prev
	} else {
		u.next.prev = u.prev
	}
	u.prev, u.next = nil, nil
	l.size--
}

// queue holds requests that wait for a place, first come, first served.
type queue struct {
	waiting []*User
	head    int
}

func (q *queue) size() int { return len(q.waiting) - q.head }

func (q *queue) push(u *User) {
	if q.head > 64 && q.head > len(q.waiting)/2 {
		n := copy(q.waiting, q.waiting[q.head:])
		clear(q.waiting[n:])
		q.waiting, q.head = q.waiting[:n], 0
	}
	q.waiting = append(q.waiting, u)
}

func (q *queue) pop() (*User, bool) {
	if q.size() == 0 {
		return nil, false
	}
	u := q.waiting[q.head]
	q.waiting[q.head] = nil
	q.head++
	return u, true
}
