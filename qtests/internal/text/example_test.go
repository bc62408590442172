package text_test

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

func Example() {
	fmt.Println(text.Grouped(1234567), "requests in", text.Short(90*time.Second+123456789), "of", text.Plural(2, "scenario"))
	fmt.Println(text.Unknown("step", "chekout", []string{"checkout", "browse"}))
	// Output:
	// 1,234,567 requests in 1m30.12s of 2 scenarios
	// unknown step "chekout"; did you mean "checkout"?
}

func ExampleTable() {
	var b strings.Builder
	text.Table(&b, [][]string{{"step", "requests"}, {"browse", "12"}, {"checkout", "4"}})
	_, _ = os.Stdout.WriteString(b.String())
	// Output:
	// step      requests
	//   browse          12
	//   checkout         4
}
