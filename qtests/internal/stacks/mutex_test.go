package stacks

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWantedMutex(t *testing.T) {
	for stack, want := range map[string]uint64{
		"": 0,
		"sync.runtime_SemacquireMutex(0xc000012344, 0x0, 0x1)\n\t/s.go:1\nsync.(*Mutex).lockSlow(0xc000012340)\n\t/m.go:2\nsync.(*Mutex).Lock(...)\n\t/m.go:3\nmain.f(0x1)\n":                                           0xc000012340,
		"internal/sync.(*Mutex).lockSlow(0xc000012340)\n\t/m.go:2\ninternal/sync.(*Mutex).Lock(...)\nsync.(*Mutex).Lock(0xc000012348?)\nmain.f(0x1)\n":                                                                  0xc000012340,
		"sync.runtime_SemacquireRWMutexR(0x1f2855758?, 0xb7?, 0x1?)\nsync.(*RWMutex).RLock(...)\nmain.f(0x1)\n":                                                                                                         0,
		"internal/sync.runtime_orderedAcquire(0x7f0045?, 0x0?, 0x0?)\ninternal/sync.orderedAcquire(0xc00001234c, 0x0, 0x2, 0x9)\ninternal/sync.(*Mutex).lockSlow(0xc000012348)\nsync.(*Mutex).Lock(...)\nmain.f(0x1)\n": 0xc000012348,
		"sync.runtime_orderedAcquireR(0xc000012358?, 0x1?)\nsync.(*RWMutex).orderedAcquireR(0xc000012350)\nsync.(*RWMutex).RLock(0xc000012350)\nmain.f(0x1)\n":                                                          0xc000012350,
		"sync.(*Mutex).Lock(...)\nmain.f(0x1)\n": 0,
		"main.f(0x1)\nsync.(*Mutex).Lock(0x2)\n": 0,
		"sync.(*Mutex).Lock(0x":                  0,
		"sync.(*Mutex).Lock":                     0,
	} {
		require.Equal(t, want, Goroutine{Stack: stack}.wantedMutex(), stack)
	}
}
