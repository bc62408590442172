package fakesql

import "github.com/DATA-DOG/go-sqlmock"

// mocksAnswer reports whether go-sqlmock sees what no stub answers.
func (db *Fake) mocksAnswer() bool { return db.cfg.Setup != nil || db.mock.Load() != nil }

// Expect makes the fake strict and returns the go-sqlmock of its one connection,
// always the same. From then on every statement that no stub answers, and every
// begin, commit and rollback, must be expected of it, in order unless it is told
// otherwise. What is still expected when the test ends fails it, and so does any call
// that was not expected, whatever the code made of its error. Latency and
// faults apply as before; a connection that they break is replaced, and the new
// one expects the rest. Expect fails the test when a connection has
// been opened already, or together with Config.Setup.
func (db *Fake) Expect() sqlmock.Sqlmock {
	db.scope.T.Helper()
	if s := db.mock.Load(); s != nil {
		return s.mock
	}
	requireReadable(db.scope.T)
	under, mock, err := newMock(db.mocks)
	if err != nil {
		db.scope.Fatalf("Expect: %v", err)
	}
	strict, late := &strictMock{mock, under}, false
	db.locked(func(s *state) {
		switch before := db.mock.Load(); {
		case before != nil: // of a call at the same time
			strict = before
		case db.cfg.Setup != nil || s.lastID > 0:
			late = true
		default:
			db.mock.Store(strict)
		}
	})
	if late {
		db.scope.Fatalf("Expect: a connection has been opened, or Setup is set")
	}
	db.engine.Limit(1)
	if err := db.pool.Resize(0, 1); err != nil {
		db.scope.Fatalf("Expect: %v", err)
	}
	db.db.SetMaxOpenConns(1)
	db.db.SetMaxIdleConns(1)
	return strict.mock
}
