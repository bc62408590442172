package patch

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestDump(t *testing.T) {
	dir := os.Getenv("DUMP")
	if dir == "" {
		t.Skip()
	}
	root, version := goroot(t, "")
	if r := os.Getenv("DUMPROOT"); r != "" {
		root = r
	}
	res, err := Apply(root, version)
	if err != nil {
		t.Fatal(err)
	}
	ov := map[string]string{}
	for name, text := range res.Files {
		f := filepath.Join(dir, filepath.FromSlash(name))
		os.MkdirAll(filepath.Dir(f), 0o777)
		os.WriteFile(f, text, 0o666)
		ov[filepath.Join(root, "src", filepath.FromSlash(name))] = f
	}
	b, _ := json.MarshalIndent(map[string]any{"Replace": ov}, "", " ")
	os.WriteFile(filepath.Join(dir, "overlay.json"), b, 0o666)
}
