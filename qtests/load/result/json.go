package result

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/go-qtests/qtests/internal/plaintext"
)

// WriteJSON writes the result in its versioned form, with a final newline. Under a
// fake clock it is the same, byte for byte, for the same seed.
func (r *Result) WriteJSON(w io.Writer) error {
	text, err := json.Marshal(r)
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("load: result: %w", err)
	}
	return nil
}

// maxResultBytes bounds what Read reads.
const maxResultBytes = 64 << 20

// Read reads what WriteJSON wrote. A form of another version, one over 64 MiB, and one with counts
// that no run can have, such as a negative one or more errors than requests, are errors. The text may
// be UTF-16 or gzip.
func Read(in io.Reader) (*Result, error) {
	r, err := read(in)
	if err != nil {
		return nil, fmt.Errorf("load: result: %w", err)
	}
	return r, nil
}

func read(in io.Reader) (*Result, error) {
	text, err := readText(in)
	if err != nil {
		return nil, err
	}
	if err := checkVersion(text); err != nil {
		return nil, err
	}
	r := &Result{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, err
	}
	return r, r.check()
}

// readText reads at most maxResultBytes.
func readText(in io.Reader) ([]byte, error) {
	limited := &io.LimitedReader{R: plaintext.NewReader(in), N: maxResultBytes + 1}
	text, err := io.ReadAll(limited)
	if err == nil && limited.N <= 0 {
		err = fmt.Errorf("longer than %d bytes", maxResultBytes)
	}
	return text, err
}

func checkVersion(text []byte) error {
	var head struct{ Version *int }
	if err := json.Unmarshal(text, &head); err != nil {
		return err
	}
	switch {
	case head.Version == nil:
		return errors.New("has no version: it is not what Result.WriteJSON writes")
	case *head.Version != Version:
		return fmt.Errorf("is of version %d, and this qtests reads version %d: run the scenario again, or read it with the qtests that wrote it",
			*head.Version, Version)
	}
	return nil
}
