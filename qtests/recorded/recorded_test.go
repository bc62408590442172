package recorded_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/load/traffic"
	"github.com/go-qtests/qtests/qtests/pool/fakehttp"
	"github.com/go-qtests/qtests/qtests/recorded"
)

func TestMain(m *testing.M) { qtests.VerifyTestMain(m) }

const version1 = `---
version: 1
interactions:
- request:
    body: ""
    form: {}
    headers: {}
    url: https://api.example.com/items?page=1
    method: GET
  response:
    body: '["a"]'
    headers:
      Content-Length: ["5"]
      content-type: [application/json]
    status: 200 OK
    code: 200
    duration: ""
- request: {url: "https://api.example.com/items?page=1", method: ""}
  response: {body: '["b"]', status: 200 OK, code: 200}
`

const version2 = `---
version: 2
interactions:
    - id: 0
      request:
        proto: HTTP/1.1
        host: api.example.com
        body: n=1
        url: https://api.example.com/orders
        method: POST
      response:
        proto: HTTP/1.1
        content_length: 2
        body: ok
        headers: {}
        status: 201 Created
        code: 201
        duration: 30ms
    - id: 1
      request: {url: https://api.example.com/orders/1, method: GET}
      response: {body: "", status: 404 Not Found, code: 404, duration: 1.5ms}
`

const archive = `{"log":{"version":"1.2","entries":[
 {"startedDateTime":"2024-05-01T10:00:00.250Z","time":12.5,"request":{"method":"GET","url":"https://shop.example.com/"},
  "response":{"status":200,"headers":[{"name":"content-encoding","value":"gzip"},{"name":"x-a","value":"1"}],"content":{"text":"aGVsbG8=","encoding":"base64"}}},
 {"startedDateTime":"2024-05-01T10:00:01+00:00","time":-1,"request":{"method":"POST","url":"https://shop.example.com/pay?x=1","postData":{"text":"card"}},
  "response":{"status":500,"content":{"text":"no"}}}]}}`

func read(t testing.TB, text string) *recorded.Recording {
	t.Helper()
	r, err := recorded.Read("x", strings.NewReader(text))
	require.NoError(t, err)
	return r
}

func TestRead(t *testing.T) {
	x := read(t, version1).Exchanges
	require.Len(t, x, 2)
	require.Equal(t, recorded.Exchange{
		At: recorded.Epoch, Method: "GET", URL: "https://api.example.com/items?page=1", Status: 200,
		Header: http.Header{"Content-Type": {"application/json"}}, ResponseBody: `["a"]`,
	}, x[0])
	require.Equal(t, "GET", x[1].Method)

	x = read(t, version2).Exchanges
	require.Len(t, x, 2)
	require.Equal(t, 30*time.Millisecond, x[0].Took)
	require.Equal(t, "n=1", x[0].Body)
	require.Equal(t, recorded.Epoch.Add(30*time.Millisecond), x[1].At)
	require.Equal(t, 1500*time.Microsecond, x[1].Took)

	x = read(t, archive).Exchanges
	require.Len(t, x, 2)
	require.Equal(t, recorded.Exchange{
		At: time.Date(2024, 5, 1, 10, 0, 0, 250e6, time.UTC), Took: 12500 * time.Microsecond, Method: "GET", URL: "https://shop.example.com/",
		Status: 200, Header: http.Header{"X-A": {"1"}}, ResponseBody: "hello",
	}, x[0])
	require.Zero(t, x[1].Took)
	require.Equal(t, "card", x[1].Body)
}

// Times beyond what a duration holds are not known.
func TestLongestTime(t *testing.T) {
	for ms, want := range map[string]time.Duration{"9223372036853": 9223372036853 * time.Millisecond, "9223372036854": 0, "1e300": 0} {
		require.InDelta(t, want, read(t, strings.Replace(archive, "12.5", ms, 1)).Exchanges[0].Took, 1000)
	}
}

// An answer has its headers, and one without has none.
func TestStubHasHeaders(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		api := fakehttp.NewT(q, fakehttp.Config{Name: "api", Max: 4})
		rec := read(t, archive)
		rec.Exchanges = append(rec.Exchanges, recorded.Exchange{Method: "GET", URL: "https://shop.example.com/bare", Status: 204})
		rec.Stub(api)
		for path, want := range map[string][]string{"": {"1"}, "bare": nil} {
			resp, err := api.Client().Get("https://shop.example.com/" + path)
			require.NoError(q, err)
			require.Equal(q, want, resp.Header.Values("X-A"))
			require.NotNil(q, resp.Header)
			require.NoError(q, resp.Body.Close())
		}
	})
}

func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":           "a cassette of version 0",
		"version: 3": "a cassette of version 3: versions 1 and 2 are known",
		"version: 2": "it has no exchanges",
		"a: [":       "yaml: ",
		"{":          "unexpected end of JSON input",
		`{"log":{}}`: "it has no exchanges",
		strings.Replace(version2, "404,", "4,", 1):                                        "exchange 2: status 4 is not from 100 to 999",
		strings.Replace(version2, "30ms", "soon", 1):                                      `exchange 1: time: invalid duration "soon"`,
		strings.Replace(version2, "30ms", "-1s", 1):                                       "exchange 1: duration -1s is negative",
		strings.Replace(version2, "https://api.example.com/orders/1", `""`, 1):            `exchange 2: URL "" has neither a host nor a path`,
		strings.Replace(version2, "https://api.example.com/orders/1", `"http://[::1"`, 1): "exchange 2: parse",
		strings.Replace(archive, "base64", "rot13", 1):                                    `exchange 1: content: encoding "rot13" is not base64`,
		strings.Replace(archive, "aGVsbG8=", "?", 1):                                      "exchange 1: content: illegal base64",
	} {
		_, err := recorded.Read("x", strings.NewReader(text))
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "recorded: x: ")
	}
	_, err := recorded.Read("x", io.MultiReader(strings.NewReader("version: 1\n#"), strings.NewReader(strings.Repeat("x", recorded.MaxSize))))
	require.ErrorContains(t, err, "more than 67108864 bytes")
}

// TestStub: each answers in its order, and the last one from then on.
func TestStub(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		api := fakehttp.NewT(q, fakehttp.Config{Name: "api"})
		require.Len(q, read(q, version1).Stub(api), 1)
		require.Len(q, read(q, version2).Stub(api), 2)
		for _, want := range []string{`["a"]`, `["b"]`, `["b"]`} {
			resp, err := api.Client().Get("https://api.example.com/items?page=1")
			require.NoError(q, err)
			text, err := io.ReadAll(resp.Body)
			require.NoError(q, err)
			require.NoError(q, resp.Body.Close())
			require.Equal(q, want, string(text))
		}
		resp, err := api.Client().Post("https://api.example.com/orders", "", strings.NewReader("n=2"))
		require.NoError(q, err)
		require.NoError(q, resp.Body.Close())
		require.Equal(q, 201, resp.StatusCode)
	})
}

// TestEntries: the requests come again as they came.
func TestEntries(t *testing.T) {
	entries := read(t, archive).Entries()
	require.Equal(t, "POST /pay?x=1 500 2", entries[1].String())
	days := traffic.Replay(entries)
	require.Equal(t, 750*time.Millisecond, days.Offset(entries[1].At))
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{version1, version2, archive, "{", "version: 2"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := recorded.Read("x", strings.NewReader(text))
		if err != nil {
			return
		}
		require.NotEmpty(t, r.Exchanges)
		require.Len(t, r.Entries(), len(r.Exchanges))
		for _, x := range r.Exchanges {
			require.NotEmpty(t, x.Method)
			require.NotEmpty(t, x.URL)
			require.GreaterOrEqual(t, x.Status, 100)
			require.GreaterOrEqual(t, x.Took, time.Duration(0))
		}
	})
}
