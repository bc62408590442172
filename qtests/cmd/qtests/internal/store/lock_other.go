//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package store

import "os"

func lockFile(*os.File) (bool, error) { return true, errNoLocks }
