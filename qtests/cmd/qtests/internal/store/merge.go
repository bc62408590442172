package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Merge returns the file of an overlay that does what o does and what the user's own
// overlay does. Both that file and the names in it are relative to dir, as they are for
// the go command that works there. One that replaces a file that o replaces is an error,
// unless it is an overlay of this store: that one o takes the place of.
func (s *Store) Merge(ctx context.Context, o *Overlay, theirs, dir string) (string, error) {
	theirs = from(dir, theirs)
	data, err := os.ReadFile(theirs)
	if err != nil {
		return "", fmt.Errorf("reading overlay: %w", err)
	}
	merged, err := s.merge(o.replace, data, dir)
	if err != nil {
		return "", fmt.Errorf("the overlay %s: %w", theirs, err)
	}
	if len(merged) == len(o.replace) {
		return o.File, nil
	}
	text := overlayJSON(merged)
	name := filepath.Join("merged", hash(merged)+".json")
	file := filepath.Join(s.dir, name)
	if there, err := os.ReadFile(file); err == nil && string(there) == string(text) {
		touch(file)
		return file, nil
	}
	return file, s.writing(ctx, func() error { return s.writeFile(name, text) })
}

func (s *Store) merge(ours map[string]string, theirs []byte, dir string) (map[string]string, error) {
	var file struct{ Replace map[string]string }
	if err := json.Unmarshal(theirs, &file); err != nil {
		return nil, fmt.Errorf("parsing overlay JSON: %w", err)
	}
	merged := maps.Clone(ours)
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(file.Replace)) {
		old, by := from(dir, name), file.Replace[name]
		if by != "" {
			by = from(dir, by)
		}
		if by != "" && s.Holds(by) && !s.holdsTexts(by) {
			continue
		}
		if _, ours := ours[old]; ours {
			return nil, fmt.Errorf("it replaces %s, which the ordered runtime replaces, too: leave one of the two away", old)
		}
		if first, twice := seen[old]; twice {
			return nil, fmt.Errorf("duplicate paths %s and %s in overlay map", first, name)
		}
		seen[old], merged[old] = name, by
	}
	return merged, nil
}

// from is a name as the go command in dir takes it.
func from(dir, name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(dir, name)
}
