package merge_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-qtests/qtests/qtests/load/merge"
)

// Two jobs of a CI have run one test under four seeds, two each. What they left is downloaded into one directory.
func ExampleDir() {
	dir, err := os.MkdirTemp("", "results")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for name, text := range map[string]string{
		"sweep-1-of-2.json": `{"version":1,"test":"TestTransfer","index":1,"of":2,"first":1,"seeds":4,"ran":2,"failed":[]}`,
		"sweep-2-of-2.json": `{"version":1,"test":"TestTransfer","index":2,"of":2,"first":1,"seeds":4,"ran":2,"failed":[4],"repeat":"go test ./bank -run '^TestTransfer$' -qtests.seed=4"}`,
	} {
		file := filepath.Join(dir, "TestTransfer", name)
		err := os.MkdirAll(filepath.Dir(file), 0o755)
		if err == nil {
			err = os.WriteFile(file, []byte(text), 0o644)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	runs, err := merge.Dir(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(merge.Summary(runs))
	// Output:
	// TestTransfer: 1 of 4 seeds failed, 2 parts
	//   FAILED: qtests: 1 of 4 seeds failed: 4
	//   to repeat the first: go test ./bank -run '^TestTransfer$' -qtests.seed=4
	// 1 run put together, 1 failed
}
