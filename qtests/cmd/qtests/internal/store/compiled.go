package store

import (
	"os"
	"path/filepath"
	"slices"
)

// Compiled is a note that the standard library has been compiled under an overlay, in
// one way.
type Compiled struct {
	// How is the way, for a reader: the system, and the flags.
	How string
	// Cache is the GOCACHE that holds the result, and Proof a file of it: when that is
	// gone, the rest is taken to be gone, too.
	Cache, Proof string
}

// IsCompiled reports whether there is a note under a key, and its proof.
func (o *Overlay) IsCompiled(key string) bool {
	var c Compiled
	return readJSON(o.note(key), &c) == nil && c.stands()
}

func (c Compiled) stands() bool {
	_, err := os.Stat(c.Proof)
	return err == nil
}

// SetCompiled writes a note.
func (s *Store) SetCompiled(o *Overlay, key string, c Compiled) error {
	name, err := filepath.Rel(s.dir, o.note(key))
	if err != nil {
		return err
	}
	return s.writeFile(name, mustJSON(c))
}

// AllCompiled lists the notes whose proof is there, by their way.
func (o *Overlay) AllCompiled() []Compiled {
	entries, _ := os.ReadDir(filepath.Join(o.dir, "std")) // there may be none yet
	var all []Compiled
	for _, e := range entries {
		var c Compiled
		if readJSON(filepath.Join(o.dir, "std", e.Name()), &c) == nil && c.stands() {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b Compiled) int { return slices.Compare([]string{a.How, a.Cache}, []string{b.How, b.Cache}) })
	return all
}

// Key is a name made from all the parts.
func Key(parts ...string) string { return hash(parts) }

func (o *Overlay) note(key string) string { return filepath.Join(o.dir, "std", key+".json") }
