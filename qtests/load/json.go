package load

import (
	"encoding/json"
	"fmt"
	"io"
)

// JSON returns the result in its versioned form, with a final newline. Under a
// fake clock it is the same, byte for byte, for the same seed.
func (r *Result) JSON() ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("load: result: %w", err)
	}
	return append(text, '\n'), nil
}

// maxResultBytes bounds what ReadResult reads.
const maxResultBytes = 64 << 20

// ReadResult reads what JSON wrote. A form of another version, or one over 64
// MiB, is an error.
func ReadResult(in io.Reader) (*Result, error) {
	limited := &io.LimitedReader{R: in, N: maxResultBytes + 1}
	text, err := io.ReadAll(limited)
	if err != nil {
		return nil, fmt.Errorf("load: result: %w", err)
	}
	if limited.N <= 0 {
		return nil, fmt.Errorf("load: result: longer than %d bytes", maxResultBytes)
	}
	var head struct{ Version *int }
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("load: result: %w", err)
	}
	switch {
	case head.Version == nil:
		return nil, fmt.Errorf("load: result: has no version: it is not what Result.JSON writes")
	case *head.Version != ResultVersion:
		return nil, fmt.Errorf("load: result: is of version %d, and this qtests reads version %d: run the scenario again, or read it with the qtests that wrote it",
			*head.Version, ResultVersion)
	}
	r := &Result{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("load: result: %w", err)
	}
	return r, nil
}
