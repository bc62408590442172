package store

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Texts keeps other texts of the user's files, by name, and returns an overlay for them. It
// includes the user's own overlay, whose names are absolute.
func (s *Store) Texts(ctx context.Context, texts map[string][]byte, own map[string]string) (string, error) {
	sums := map[string]string{}
	for name, text := range texts {
		sums[name] = digest(text)
	}
	entry := filepath.Join("points", hash(sums, own))
	file := filepath.Join(s.dir, entry, "overlay.json")
	if _, err := os.Stat(file); err == nil {
		touch(filepath.Join(s.dir, entry, usedName))
		return file, nil
	}
	replace := maps.Clone(own)
	if replace == nil {
		replace = map[string]string{}
	}
	err := s.writing(ctx, func() error {
		return s.publish(entry, func(dir string) error {
			for i, name := range slices.Sorted(maps.Keys(texts)) {
				base := fmt.Sprintf("%d_%s", i, strings.TrimSuffix(filepath.Base(name), ".go"))
				if err := os.WriteFile(filepath.Join(dir, base), texts[name], 0o644); err != nil {
					return err
				}
				replace[name] = filepath.Join(s.dir, entry, base)
			}
			return os.WriteFile(filepath.Join(dir, "overlay.json"), overlayJSON(replace), 0o644)
		})
	})
	return file, err
}

// holdsTexts reports whether a file is one that Texts has written.
func (s *Store) holdsTexts(name string) bool {
	return strings.HasPrefix(filepath.Clean(name), filepath.Join(s.dir, "points")+string(filepath.Separator))
}

// Replaced are the files that an overlay of the user's replaces, with what takes their place,
// as the go command in dir takes the names. No overlay replaces none.
func Replaced(overlay, dir string) (map[string]string, error) {
	if overlay == "" {
		return nil, nil
	}
	var file struct{ Replace map[string]string }
	if err := readJSON(from(dir, overlay), &file); err != nil {
		return nil, fmt.Errorf("reading overlay: %w", err)
	}
	all := map[string]string{}
	for name, by := range file.Replace {
		if by != "" {
			by = from(dir, by)
		}
		all[from(dir, name)] = by
	}
	return all, nil
}
