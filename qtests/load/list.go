package load

// A list holds users in order, linked through themselves, so that one who leaves costs the
// same wherever it stands. A user is in one list at most: it waits for a place, it is under
// way, or its NewUser is.
type list struct {
	first, last *User
	size        int
}

// add puts a user at the end.
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

// remove takes out a user that is in the list.
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

// pop takes out the first user, or returns nil.
func (l *list) pop() *User {
	u := l.first
	if u != nil {
		l.remove(u)
	}
	return u
}
