package recorded_test

import (
	"fmt"
	"strings"

	"github.com/go-qtests/qtests/qtests/pool/fakehttp"
	"github.com/go-qtests/qtests/qtests/recorded"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

// A cassette of go-vcr answers instead of the service from which it was recorded.
func Example() {
	tbtest.Run("an example has no t of its own", func(t *tbtest.TB) {
		rec, err := recorded.Read("items.yaml", strings.NewReader(version1))
		if err != nil {
			fmt.Println(err)
			return
		}
		api := fakehttp.NewT(t, fakehttp.Config{Name: "items", Max: 4})
		rec.Stub(api)
		resp, err := api.Client().Get("https://api.example.com/items?page=1")
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(resp.Status, len(rec.Exchanges), "exchanges", resp.Body.Close())
	})
	// Output: 200 OK 2 exchanges <nil>
}
