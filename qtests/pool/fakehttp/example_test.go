package fakehttp_test

import (
	"fmt"
	"io"

	"github.com/jarcoal/httpmock"

	"github.com/go-qtests/qtests/qtests/pool/fakehttp"
	"github.com/go-qtests/qtests/qtests/tbtest"
)

func Example() {
	tbtest.Run("an example has no t of its own", func(t *tbtest.TB) {
		api := fakehttp.NewT(t, fakehttp.Config{Name: "api", Max: 4})
		api.On("GET", "/price", httpmock.NewStringResponder(200, "7"))
		show := func() {
			resp, err := api.Client().Get("http://shop.example/price")
			if err != nil {
				fmt.Println(err)
				return
			}
			body, err := io.ReadAll(resp.Body)
			fmt.Println(resp.StatusCode, string(body), err, resp.Body.Close())
		}
		show()
		burst := api.Status(503) // on a timeline: .At(time.Minute).For(time.Second)
		burst.Begin()
		show()
		burst.End()
		api.Outage().Begin()
		show()
	})
	// Output:
	// 200 7 <nil> <nil>
	// 503 Service Unavailable <nil> <nil>
	// Get "http://shop.example/price": api: GET /price: fake: outage: connection refused
}
