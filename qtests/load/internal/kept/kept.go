// Package kept reads and writes the files in which baselines are kept.
package kept

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-qtests/qtests/qtests/load/result"
)

// Read reads the summary of a file. command is the one that writes it.
func Read(name, command string) (result.Summary, error) {
	file, err := open(name, command)
	if err != nil {
		return result.Summary{}, err
	}
	defer func() { _ = file.Close() }()
	s, err := result.ReadSummary(file)
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return s, err
}

func open(name, command string) (*os.File, error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("there is no %s; keep this result as the baseline with: %s", name, command)
	}
	return file, err
}

// Write writes a summary into a file, and makes its directory where there is none.
func Write(name string, s result.Summary) error {
	var b strings.Builder
	if err := s.WriteJSON(&b); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(b.String()), 0o644)
}
