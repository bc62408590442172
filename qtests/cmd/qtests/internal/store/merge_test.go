package store

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMergeTable(t *testing.T) {
	s := &Store{dir: "/cache/qtests"}
	ours := map[string]string{"/go/src/a.go": "/cache/qtests/overlay/1/src/a.go"}
	for theirs, want := range map[string]any{
		`{}`:                                     map[string]string{},
		`{"Replace":{"/u/b.go":"/t/b.go"}}`:      map[string]string{"/u/b.go": "/t/b.go"},
		`{"Replace":{"b.go":"../t.go"}}`:         map[string]string{"/home/me/b.go": "/home/t.go"},
		`{"Replace":{"/u/b.go":""}}`:             map[string]string{"/u/b.go": ""}, // deleted
		`{"Replace":{"/go/src/./a.go":"/t.go"}}`: "it replaces /go/src/a.go, which the ordered runtime replaces, too: leave one of the two away",
		`{"Replace":{"/go/src/a.go":""}}`:        "it replaces /go/src/a.go, which the ordered runtime replaces, too: leave one of the two away",
		// What an older revision replaced, this one replaces.
		`{"Replace":{"/go/src/a.go":"/cache/qtests/overlay/0/src/a.go","/go/src/old.go":"/cache/qtests/overlay/0/src/old.go"}}`: map[string]string{},
		`{"Replace":{"b.go":"/x","/home/me/b.go":"/y"}}`:                                                                        "duplicate paths /home/me/b.go and b.go in overlay map",
		`{"Replace":`: "parsing overlay JSON: unexpected end of JSON input",
	} {
		got, err := s.merge(ours, []byte(theirs), "/home/me")
		if text, isText := want.(string); isText {
			require.EqualError(t, err, text)
			continue
		}
		require.NoError(t, err)
		for name, by := range ours {
			require.Equal(t, by, got[name])
			delete(got, name)
		}
		require.Equal(t, want, got, theirs)
	}
}

func TestMerge(t *testing.T) {
	s, src, p := stage(t)
	o, err := s.Overlay(t.Context(), src, p)
	require.NoError(t, err)
	dir := t.TempDir()

	same, err := s.Merge(t.Context(), o, o.File, dir)
	require.NoError(t, err)
	require.Equal(t, o.File, same, "an overlay of this store adds nothing")

	write(t, filepath.Join(dir, "mine.json"), `{"Replace":{"x.go":"y.go"}}`)
	merged, err := s.Merge(t.Context(), o, "mine.json", dir)
	require.NoError(t, err)
	var file struct{ Replace map[string]string }
	require.NoError(t, json.Unmarshal([]byte(read(t, merged)), &file))
	require.Len(t, file.Replace, len(o.replace)+1)
	require.Equal(t, filepath.Join(dir, "y.go"), file.Replace[filepath.Join(dir, "x.go")])

	write(t, merged, "damaged")
	again, err := s.Merge(t.Context(), o, merged+"/../../mine.json", dir)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Empty(t, again)
	again, err = s.Merge(t.Context(), o, filepath.Join(dir, "mine.json"), dir)
	require.NoError(t, err)
	require.Equal(t, merged, again)
	require.NotEqual(t, "damaged", read(t, merged))

	_, err = s.Merge(t.Context(), o, "none.json", dir)
	require.ErrorContains(t, err, "reading overlay: open "+filepath.Join(dir, "none.json"))
}

// FuzzMerge: whatever a user's overlay holds, all of ours stays as it is, or there is
// an error.
func FuzzMerge(f *testing.F) {
	f.Add([]byte(`{"Replace":{"/go/src/a.go":"/cache/x","b.go":""}}`))
	s := &Store{dir: "/cache"}
	ours := map[string]string{"/go/src/a.go": "/cache/1/a.go", "/go/src/b.go": "/cache/1/b.go"}
	f.Fuzz(func(t *testing.T, theirs []byte) {
		got, err := s.merge(ours, theirs, "/home/me")
		if err != nil {
			return
		}
		for name, by := range ours {
			require.Equal(t, by, got[name])
		}
		for name := range got {
			require.True(t, filepath.IsAbs(name))
		}
	})
}
