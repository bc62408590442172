package alarm

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// An alarm is a timerfd(2) in the runtime's poller: while a goroutine waits for it,
// no thread does.
type alarm struct {
	file *os.File
	conn syscall.RawConn
}

// newAlarm returns nil where the system refuses.
func newAlarm() *alarm {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil
	}
	file := os.NewFile(uintptr(fd), "timerfd")
	conn, err := file.SyscallConn()
	if err != nil {
		_ = file.Close()
		return nil
	}
	return &alarm{file, conn}
}

// wait waits until left is not positive. The timer is set when the poller is ready to see it
// expire. It is never read: the poller reports that it has expired, and to set it again takes
// that back.
func (a *alarm) wait(left func() time.Duration) (err error) {
	polled := a.conn.Read(func(fd uintptr) (done bool) {
		d := left()
		if d <= 0 {
			return true
		}
		err = unix.TimerfdSettime(int(fd), 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}, nil)
		return err != nil
	})
	if err == nil {
		err = polled
	}
	return err
}

func (a *alarm) close() { _ = a.file.Close() }
