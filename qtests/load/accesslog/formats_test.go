package accesslog

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

func utc(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return at
}

// readOne reads a log that has one entry.
func readOne(t *testing.T, r Reader, text string) Entry {
	t.Helper()
	log, err := r.Read("access.log", strings.NewReader(text))
	require.NoError(t, err)
	require.Zero(t, log.Skipped, log.Bad)
	require.Len(t, log.Entries, 1)
	e := log.Entries[0]
	e.At = e.At.UTC()
	return e
}

const combined = ` - - [06/Oct/2023:00:17:09 +0000] "GET /cart?id=7 HTTP/1.1" 200 512 "https://shop.example/" "Mozilla/5.0"`

// A format is a line, or some, with one entry.
type format struct {
	line string
	want Entry
}

// formats have the same request as different servers log it.
func formats() map[string]format {
	want := Entry{At: utc("2023-10-06T00:17:09Z"), Client: "203.0.113.7", Method: "GET", Path: "/cart?id=7", Status: 200, Bytes: 512}
	v6 := want
	v6.Client = "2001:db8::7"
	nobody := want
	nobody.Client = ""
	return map[string]format{
		"combined":                     {"203.0.113.7" + combined, want},
		"IPv6":                         {"2001:db8::7" + combined, v6},
		"with a port":                  {"203.0.113.7:51822" + combined, want},
		"IPv6 with a port":             {"[2001:db8::7]:51822" + combined, v6},
		"ident and user":               {`203.0.113.7 ident frank [06/Oct/2023:00:17:09 +0000] "GET /cart?id=7 HTTP/1.1" 200 512`, want},
		"user with blanks":             {`203.0.113.7 - Jo [Admin] Doe [06/Oct/2023:00:17:09 +0000] "GET /cart?id=7 HTTP/1.1" 200 512`, want},
		"user is a date":               {`203.0.113.7 - [1/2/3] [06/Oct/2023:00:17:09 +0000] "GET /cart?id=7 HTTP/1.1" 200 512`, want},
		"no client":                    {"-" + combined, nobody},
		"unknown client":               {"unknown" + combined, nobody},
		"socket":                       {"unix:" + combined, nobody},
		"vhost_combined":               {"shop.example:80 203.0.113.7" + combined, want},
		"vhost_combined, address":      {"192.0.2.1:80 203.0.113.7" + combined, want},
		"vhost_combined, IPv6":         {"[2001:db8::1]:443 2001:db8::7" + combined, v6},
		"vhost_combined, no client":    {"shop.example:80 -" + combined, nobody},
		"nginx with the host first":    {"shop.example 203.0.113.7" + combined, want},
		"nginx, default server":        {"_ 203.0.113.7" + combined, want},
		"nginx, host, IPv6":            {"shop.example 2001:db8::7" + combined, v6},
		"nginx, host, without ident":   {strings.Replace("shop.example 203.0.113.7"+combined, "- - [", "- [", 1), want},
		"nginx, host, user":            {strings.Replace("shop.example 203.0.113.7"+combined, "- - [", "- frank [", 1), want},
		"lighttpd":                     {strings.Replace("203.0.113.7 shop.example"+combined, "- - [", "- [", 1), want},
		"forwarded":                    {"203.0.113.7, 10.0.0.1" + combined, want},
		"forwarded, three":             {"203.0.113.7, 10.0.0.2, 10.0.0.1" + combined, want},
		"forwarded, no blanks":         {"203.0.113.7,10.0.0.1" + combined, want},
		"forwarded, unknown first":     {"unknown, 203.0.113.7, 10.0.0.1" + combined, want},
		"forwarded, in quotes":         {`"203.0.113.7, 10.0.0.1"` + combined, want},
		"forwarded, with ports":        {"203.0.113.7:5122, 10.0.0.1:80" + combined, want},
		"forwarded, after the host":    {"shop.example 203.0.113.7, 10.0.0.1" + combined, want},
		"forwarded, after host:port":   {"shop.example:443 203.0.113.7, 10.0.0.1" + combined, want},
		"CRI":                          {"2023-10-06T00:17:10.669794202Z stdout F 203.0.113.7" + combined, want},
		"CRI with an offset":           {"2023-10-06T02:17:10.669794202+02:00 stderr F 203.0.113.7" + combined, want},
		"CRI, cut":                     {"2023-10-06T00:17:10.6Z stdout P 203.0.1\n2023-10-06T00:17:10.6Z stdout P 13.7 - -\n2023-10-06T00:17:10.7Z stdout F " + strings.TrimPrefix(combined, " - -"), want},
		"kubectl --timestamps":         {"2023-10-06T00:17:10.669794202Z 203.0.113.7" + combined, want},
		"kubectl --prefix":             {"[pod/web-5d8/nginx] 203.0.113.7" + combined, want},
		"docker compose":               {"web-1  | 203.0.113.7" + combined, want},
		"docker compose, v1":           {"web_1   | 203.0.113.7" + combined, want},
		"docker compose, colours":      {"\x1b[36mweb-1  |\x1b[0m 203.0.113.7" + combined, want},
		"docker compose, colours, v2":  {"\x1b[36mweb-1  | \x1b[0m203.0.113.7" + combined, want},
		"docker compose -t":            {"web-1  | 2023-10-06T00:17:10.669794202Z 203.0.113.7" + combined, want},
		"docker service":               {"web.1.abc123@node1    | 203.0.113.7" + combined, want},
		"docker json-file":             {fmt.Sprintf(`{"log":%q,"stream":"stdout","time":"2023-10-06T00:17:11Z"}`, "203.0.113.7"+combined+"\n"), want},
		"RFC 3164":                     {"<190>Oct  6 00:17:09 web1 nginx: 203.0.113.7" + combined, want},
		"RFC 3164 in a file":           {"Oct 16 00:17:09 web1 nginx[812]: 203.0.113.7" + combined, want},
		"RFC 3164 without a host":      {"Oct  6 00:17:09 nginx: 203.0.113.7" + combined, want},
		"RFC 3164 without a tag":       {"Oct  6 00:17:09 web1 203.0.113.7" + combined, want},
		"RFC 3164 and a host":          {"Oct  6 00:17:09 web1 apache2: shop.example:80 203.0.113.7" + combined, want},
		"rsyslog":                      {"2023-10-06T00:17:09.123456+00:00 web1 nginx[812]: 203.0.113.7" + combined, want},
		"journald":                     {"2023-10-06T00:17:09+0000 web1 nginx[812]: 203.0.113.7" + combined, want},
		"RFC 5424":                     {"<190>1 2023-10-06T00:17:09.003Z web1 nginx 812 access - 203.0.113.7" + combined, want},
		"RFC 5424, a mark":             {"<190>1 2023-10-06T00:17:09.003Z web1 nginx - - - \ufeff203.0.113.7" + combined, want},
		"RFC 5424, data":               {`<190>1 2023-10-06T00:17:09.003Z web1 nginx - - [a@1 b="x\"]y"][c@2] 203.0.113.7` + combined, want},
		"RFC 5424, counted":            {"183 <190>1 - web1 nginx - - - 203.0.113.7" + combined, want},
		"CRI and syslog":               {"2023-10-06T00:17:10Z stdout F <190>Oct  6 00:17:09 web1 nginx: 203.0.113.7" + combined, want},
		"Traefik":                      {"203.0.113.7" + combined + ` 3 "web@docker" "http://10.0.0.5:80" 12ms`, want},
		"S3":                           {`79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be bucket [06/Oct/2023:00:17:09 +0000] 203.0.113.7 79a59df900b949e5 3E57427F3EXAMPLE REST.GET.VERSIONING - "GET /cart?id=7 HTTP/1.1" 200 - 512 1024 7 3 "-" "S3Console/0.4" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader bucket.s3.us-west-1.amazonaws.com TLSV1.2 - -`, want},
		"S3, no client":                {`79a5 bucket [06/Oct/2023:00:17:09 +0000] - 79a5 3E57 REST.GET.OBJECT a/b "GET /cart?id=7 HTTP/1.1" 200 - 512 1024 7 3 "-" "-" -`, nobody},
		"ALB":                          {`http 2023-10-06T00:17:09.000000Z app/my-loadbalancer/50dc6c495c0c9188 203.0.113.7:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 512 "GET http://www.example.com:80/cart?id=7 HTTP/1.1" "curl/7.46.0" - - arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 "Root=1-58337262-36d228ad5d99923122bbe354" "-" "-" 0 2023-10-06T00:17:08.364000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"`, want},
		"ALB, no target":               {`h2 2023-10-06T00:17:09Z app/lb/50dc 203.0.113.7:2817 - -1 -1 -1 200 - 34 512 "GET https://www.example.com:443/cart?id=7 HTTP/2.0" "curl" - -`, want},
		"classic ELB":                  {`2023-10-06T00:17:09.000000Z my-loadbalancer 203.0.113.7:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 512 "GET http://www.example.com:80/cart?id=7 HTTP/1.1" "curl/7.38.0" - -`, want},
		"HAProxy":                      {`203.0.113.7:33317 [06/Oct/2023:00:17:09.000] http-in static/srv1 10/0/30/69/109 200 512 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /cart?id=7 HTTP/1.1"`, want},
		"HAProxy, syslog":              {`Oct  6 00:17:09 localhost haproxy[14389]: 203.0.113.7:33317 [06/Oct/2023:00:17:09.000] http-in~ static/srv1 10/0/30/69/+109 200 +512 - - --NI 1/1/1/1/0 0/0 "GET https://shop.example/cart?id=7 HTTP/2.0"`, want},
		"HAProxy, IPv6":                {`2001:db8::7:33317 [06/Oct/2023:00:17:09.000] a b/c 1/0/3/6/9 200 512 - - ---- 1/1/1/1/0 0/0 "GET /cart?id=7 HTTP/1.1"`, v6},
		"HAProxy, https":               {`203.0.113.7:33317 [06/Oct/2023:00:17:09.000] a~ b/c 1/0/3/6/9 200 512 - - ---- 1/1/1/1/0 0/0 "GET /cart?id=7 HTTP/1.1" 0/0000000000000000/0/0/0 shop.example/TLSv1.3/TLS_AES_256_GCM_SHA384`, want},
		"HAProxy, clf":                 {`203.0.113.7 - - [06/Oct/2023:00:17:09 +0000] "GET /cart?id=7 HTTP/1.1" 200 512 "" "" 33317 123 "http-in" "static" "srv1" 10 0 30 69 109 ---- 1 1 1 1 0 0 0 "" ""`, want},
		"Envoy":                        {`[2023-10-06T00:17:09.000Z] "GET /cart?id=7 HTTP/2" 200 - 154 512 226 100 "203.0.113.7" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80"`, want},
		"Envoy, list":                  {`[2023-10-06T00:17:09.000Z] "GET /cart?id=7 HTTP/2" 200 - 154 512 226 - "203.0.113.7,10.0.0.1" "-" "cc21" "locations" "10.0.2.1:80"`, want},
		"Envoy, no client":             {`[2023-10-06T00:17:09.000Z] "GET /cart?id=7 HTTP/2" 200 UF,URX 154 512 226 100 "-" "-" "cc21" "locations" "-"`, nobody},
		"Istio":                        {`[2023-10-06T00:17:09.409Z] "GET /cart?id=7 HTTP/1.1" 200 - via_upstream - "-" 0 512 4 4 "-" "curl/7.73.0-DEV" "84961386-6d84-929d-98bd-c5aee93b5c88" "httpbin:8000" "127.0.0.1:80" inbound|8000|| 127.0.0.1:41854 10.44.1.27:80 203.0.113.7:37652 outbound_.8000_._.httpbin.foo.svc.cluster.local default`, want},
		"Istio, forwarded":             {`[2023-10-06T00:17:09.409Z] "GET /cart?id=7 HTTP/1.1" 200 - via_upstream - "-" 0 512 4 4 "203.0.113.7" "curl" "8496" "httpbin:8000" "127.0.0.1:80" inbound|8000|| 127.0.0.1:41854 10.44.1.27:80 10.44.1.23:37652 - default`, want},
		"JSON, echo":                   {`{"time":"2023-10-06T00:17:09.669794202Z","id":"","remote_ip":"203.0.113.7","host":"localhost:1323","method":"GET","uri":"/cart?id=7","user_agent":"curl/7.64.1","status":200,"error":"","latency":67037,"latency_human":"67.037µs","bytes_in":0,"bytes_out":512}`, want},
		"JSON, host is no client":      {`{"time":"2023-10-06T00:17:09Z","host":"shop.example","method":"GET","uri":"/cart?id=7","status":200,"size":512}`, nobody},
		"JSON, Caddy":                  {`{"level":"info","ts":1696551429.5241024,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"10.0.0.1","remote_port":"41342","client_ip":"203.0.113.7","proto":"HTTP/2.0","method":"GET","host":"localhost","uri":"/cart?id=7","headers":{"User-Agent":["curl/7.82.0"]},"tls":{"resumed":false}},"bytes_read":0,"user_id":"","duration":0.000929675,"size":512,"status":200,"resp_headers":{"Server":["Caddy"]}}`, want},
		"JSON, Caddy 2.4":              {`{"level":"info","ts":1696551429.5,"msg":"handled request","request":{"remote_addr":"203.0.113.7:41342","proto":"HTTP/2.0","method":"GET","host":"localhost","uri":"/cart?id=7"},"duration":0.0009,"size":512,"status":200}`, want},
		"JSON, Traefik":                {`{"ClientAddr":"203.0.113.7:44556","ClientHost":"203.0.113.7","ClientPort":"44556","ClientUsername":"-","DownstreamContentSize":512,"DownstreamStatus":200,"Duration":12345,"OriginContentSize":511,"OriginStatus":201,"RequestAddr":"shop.example","RequestHost":"shop.example","RequestMethod":"GET","RequestPath":"/cart?id=7","RequestProtocol":"HTTP/1.1","StartLocal":"2023-10-06T02:17:09.1+02:00","StartUTC":"2023-10-06T00:17:09.1Z","entryPointName":"web","level":"info","msg":"","time":"2023-10-06T00:17:12Z"}`, want},
		"JSON, Envoy":                  {`{"start_time":"2023-10-06T00:17:09.409Z","method":"GET","path":"/cart?id=7","protocol":"HTTP/1.1","response_code":200,"bytes_received":0,"bytes_sent":512,"downstream_remote_address":"203.0.113.7:37652","x_forwarded_for":null,"authority":"httpbin:8000"}`, want},
		"JSON, Envoy, forwarded":       {`{"start_time":"2023-10-06T00:17:09.409Z","method":"GET","path":"/cart?id=7","response_code":200,"bytes_sent":512,"x_forwarded_for":"203.0.113.7,10.0.0.1"}`, want},
		"JSON, nginx":                  {`{"time_local":"06/Oct/2023:00:17:09 +0000","remote_addr":"203.0.113.7","remote_user":"","request":"GET /cart?id=7 HTTP/1.1","status":"200","body_bytes_sent":"512","http_referrer":"","http_user_agent":"curl"}`, want},
		"JSON, nginx, msec":            {`{"msec":"1696551429.123","remote_addr":"203.0.113.7","request_method":"GET","request_uri":"/cart?id=7","uri":"/index.html","status":200,"body_bytes_sent":512,"http_x_forwarded_for":"-"}`, want},
		"JSON, nginx, iso8601":         {`{"time_iso8601":"2023-10-06T00:17:09+00:00","http_x_forwarded_for":"203.0.113.7, 10.0.0.1","remote_addr":"-","request_method":"GET","request_uri":"/cart?id=7","status":200,"bytes_sent":512}`, want},
		"JSON, ingress":                {`{"time":"2023-10-06T00:17:09+00:00","remote_addr":"203.0.113.7","vhost":"shop.example","path":"/cart","request_query":"id=7","method":"GET","status":200,"bytes_sent":512}`, want},
		"JSON, pino":                   {`{"level":30,"time":1696551429123,"pid":1,"hostname":"web1","req":{"id":1,"method":"GET","url":"/cart?id=7","query":{"id":"7"},"remoteAddress":"203.0.113.7","remotePort":51000},"res":{"statusCode":200,"size":512},"responseTime":5,"msg":"request completed"}`, want},
		"JSON, Google Cloud":           {`{"httpRequest":{"requestMethod":"GET","requestUrl":"https://shop.example/cart?id=7","status":200,"responseSize":"512","remoteIp":"203.0.113.7","latency":"0.01s"},"timestamp":"2023-10-06T00:17:09.5Z","severity":"INFO"}`, want},
		"JSON, Elastic":                {`{"@timestamp":"2023-10-06T00:17:09Z","source.ip":"203.0.113.7","http":{"request":{"method":"get"},"response":{"status_code":200,"body":{"bytes":512}}},"url":{"original":"/cart?id=7","path":"/cart"},"host":{"name":"web1"}}`, want},
		"JSON, slog":                   {`{"time":"2023-10-06T00:17:09.5Z","level":"INFO","msg":"served","method":"GET","path":"/cart?id=7","remote":"203.0.113.7:4711","status":200,"bytes":512}`, want},
		"JSON, an address, not a name": {`{"time":"2023-10-06T00:17:09Z","client":"mobile-app","remote_addr":"203.0.113.7","method":"GET","uri":"/cart?id=7","status":200,"bytes":512}`, want},
		"JSON, nanoseconds":            {`{"time":1696551429000000001,"ip":"203.0.113.7","method":"GET","uri":"/cart?id=7","status":200,"bytes":512}`, want},
		"JSON after CRI":               {`2023-10-06T00:17:10Z stdout F {"time":"2023-10-06T00:17:09Z","ip":"203.0.113.7","method":"GET","uri":"/cart?id=7","status":200,"bytes":512}`, want},
		"JSON in JSON":                 {`{"message":"{\"time\":\"2023-10-06T00:17:09Z\",\"ip\":\"203.0.113.7\",\"uri\":\"/cart?id=7\",\"status\":200,\"bytes\":512}"}`, want},
		"journald, JSON":               {fmt.Sprintf(`{"MESSAGE":%q,"_HOSTNAME":"web1","__REALTIME_TIMESTAMP":"1696551429000000"}`, "203.0.113.7"+combined), want},
		"CloudFront":                   {"#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type\n2023-10-06\t00:17:09\tLAX1\t512\t203.0.113.7\tGET\td111111abcdef8.cloudfront.net\t/cart\t200\t-\tMozilla/5.0%20(Windows)\tid=7\t-\tHit\n", want},
		"IIS":                          {"#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2023-10-06 00:00:01\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status sc-bytes time-taken\r\n2023-10-06 00:17:09 10.0.0.5 GET /cart id=7 443 - 203.0.113.7 Mozilla/5.0+(Windows+NT) - 200 0 0 512 15\r\n", want},
		"W3C without a date":           {"#Date: 2023-10-06 00:00:01\n#Fields: time c-ip cs-method cs-uri sc-status sc-bytes cs(User-Agent)\n00:17:09 203.0.113.7 GET /cart?id=7 200 512 \"Mozilla 5.0\"\n", want},
		"byte order mark":              {"\ufeff203.0.113.7" + combined, want},
		"UTF-16":                       {wide("203.0.113.7" + combined + "\r\n"), want},
		"gzip":                         {zipped("203.0.113.7" + combined + "\n"), want},
	}
}

func TestReadKnowsTheClient(t *testing.T) {
	for name, c := range formats() {
		t.Run(name, func(t *testing.T) {
			got := readOne(t, Reader{}, c.line)
			require.WithinDuration(t, c.want.At, got.At, time.Second-1)
			got.At = c.want.At
			require.Equal(t, c.want, got)
		})
	}
}

func wide(s string) string {
	b := []byte("\xff\xfe")
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

// TestReadRefusesWhatDoesNotTellTheClient has lines in which a word is not surely the client, or another
// part is not surely there.
func TestReadRefusesWhatDoesNotTellTheClient(t *testing.T) {
	for line, reason := range map[string]string{
		"192.0.2.1 203.0.113.7" + combined:     "are two addresses, and either may be the client",
		"10.0.0.5 web1" + combined:             "do not tell which one is the client",
		"pod container 203.0.113.7" + combined: "does not tell which word is the client",
		"shop.example:80" + combined:           "in the place of the client",
		"nginx: c1" + combined:                 "do not tell which one is the client",
		"2023-10-06" + combined:                "in the place of the client",
		"stdout" + combined:                    "in the place of the client",
		"unknown, -" + combined:                "in the place of the client",
		`shop.example [06/Oct/2023:00:17:09 +0000] "GET / HTTP/1.1" 200 512`:                                                    "alone before the time is no address",
		`10.0.0.5 frank [06/Oct/2023:00:17:09 +0000] "GET / HTTP/1.1" 200 512`:                                                  "do not tell which one is the client",
		`[06/Oct/2023:00:17:09 +0000] "GET / HTTP/1.1" 200 512`:                                                                 "no client before the time",
		`owner bucket [06/Oct/2023:00:17:09 +0000] 203.0.113.7 "GET / HTTP/1.1" 2`:                                              "do not tell which one is the client",
		`owner bucket [06/Oct/2023:00:17:09 +0000] 203.0.113.7 a b S3.EXPIRE.OBJECT key "-" - - - 9`:                            `request "-" is not`,
		`203.0.113.7:1 [06/Oct/2023:00:17:09.000] a b/c -1/-1/-1/-1/9 400 512 - - CR-- 1/1/1/1/0 0/0 "<BADREQ>"`:                "is not a method and a path",
		`x y:1 [06/Oct/2023:00:17:09.000] a b/c 1/1/1/1/9 400 512 - - CR-- 1/1/1/1/0 0/0 "GET / HTTP/1.1"`:                      "is not like 02/Jan/2006",
		`shop:1 [06/Oct/2023:00:17:09.000] a b/c 1/1/1/1/9 400 512 - - CR-- 1/1/1/1/0 0/0 "GET / HTTP/1.1"`:                     "is no address",
		`[2023-10-06T00:17:09Z] "- - HTTP/1.1" 400 DPE 0 11 0 - "-" "-" "-" "-" "-"`:                                            "is not a method and a path",
		`[2023-10-06T00:17:09Z] "GET / HTTP/1.1" 200 512`:                                                                       "neither the default format of Envoy nor that of Istio",
		`http 2023-10-06T00:17:09Z app/lb/50dc 203.0.113.7:2817 - -1 -1 -1 400 - 0 272 "- http://www.example.com:80- " "-" - -`: `method "-"`,
		"2023-10-06\t00:17:09\tLAX1\t512\t203.0.113.7\tGET\tshop.example\t/cart\t200":                                           "unknown format",
		"127.0.0.1:51234 - \"GET / HTTP/1.1\" 200 OK":                                                                           "unknown format",
		"2023-10-06T00:17:10Z stdout F ":                                                                                        "nothing after the prefix",
		`{"time":"2023-10-06T00:17:09Z","client":"a b","path":"/"}`:                                                             `client "a b" is neither an address nor a name`,
		`{"time":"2023-10-06T00:17:09Z","level":"info","msg":"serving"}`:                                                        "no path: want one of request_uri, uri, path, url",
		`{"path":"/"}`: "no time: want one of StartUTC, start_time, time, ts, timestamp, @timestamp, time_iso8601, msec, time_local, StartLocal; Reader.Fields names others",
		`{"time":"2023-10-06T00:17:09Z","path":"/","method":"a b"}`: `method "A B" is not a word`,
		`{"log":"nonsense"}`:        "unknown format",
		`{"time":1e300,"path":"/"}`: "nor a number since 1970",
	} {
		log, err := Read("x.log", strings.NewReader(line+"\n203.0.113.7"+combined+"\n"))
		require.NoError(t, err, line)
		require.Equal(t, 1, log.Skipped, "%s", line)
		require.Equal(t, "203.0.113.7", log.Entries[0].Client)
		require.Contains(t, log.Bad[0].Reason, reason, line)
	}
}

func TestColumns(t *testing.T) {
	head := "#Fields: date time c-ip cs-method cs-uri-stem sc-status\n"
	log, err := Read("u_ex.log", strings.NewReader(head+"2023-10-06 00:17:09 203.0.113.7 GET /a 200\n2023-10-06 00:17:10 203.0.113.7 GET\n"+
		"#Software: IIS\n#Fields: time date cs-uri-stem c-ip\n00:17:11 2023-10-06 /b 203.0.113.8\n# no directive\n00:17:12 yesterday /c -\n"))
	require.NoError(t, err)
	require.Equal(t, 5, log.Lines, "directives are no lines")
	require.Equal(t, 3, log.Skipped)
	require.Contains(t, log.Bad[0].Reason, "4 columns, and #Fields names 6")
	require.Contains(t, log.Bad[1].Reason, "3 columns, and #Fields names 4")
	require.Contains(t, log.Bad[2].Reason, `no time: "yesterday 00:17:12"`)
	require.Equal(t, "203.0.113.8", log.Entries[1].Client)
	require.Equal(t, "/b", log.Entries[1].Path)
	require.Equal(t, "GET", log.Entries[1].Method)

	_, err = Read("x", strings.NewReader("#Fields: date time c-ip\n2023-10-06 00:17:09 203.0.113.7\n"))
	require.ErrorContains(t, err, "no path: want one of cs-uri-stem, cs-uri")
}

func TestReaderReadsOtherFormats(t *testing.T) {
	fields := Reader{Fields: Fields{Time: "when.at", Client: "peer", Method: "verb2", Path: "target", Status: "outcome", Bytes: "sent"}, TimeLayout: "2006-01-02 15:04", Location: time.FixedZone("", 3600)}
	require.Equal(t, Entry{At: utc("2023-10-05T23:17:00Z"), Client: "203.0.113.7", Method: "PUT", Path: "/x", Status: 201, Bytes: 9},
		readOne(t, fields, `{"when":{"at":"2023-10-06 00:17"},"peer":"203.0.113.7:80","remote_addr":"10.0.0.1","verb2":"put","target":"/x","outcome":201,"sent":9}`))
	_, err := fields.Read("x", strings.NewReader(`{"time":"2023-10-06T00:17:09Z","path":"/"}`))
	require.ErrorContains(t, err, "no time: want one of when.at;")

	require.Equal(t, Entry{At: utc("2023-10-06T00:17:09Z"), Client: "203.0.113.9", Method: "GET", Path: "/x"},
		readOne(t, Reader{Fields: Fields{Client: "X-Real-IP"}}, "#Fields: date time c-ip cs-uri-stem X-Real-IP\n2023-10-06 00:17:09 10.0.0.1 /x 203.0.113.9\n"))
	require.Equal(t, utc("2023-10-05T22:17:09Z"),
		readOne(t, Reader{Location: time.FixedZone("", 7200)}, `203.0.113.7:33317 [06/Oct/2023:00:17:09] a b/c 1/0/3/6/9 200 5 - - ---- 1/1/1/1/0 0/0 "GET /x HTTP/1.1"`).At)
	require.Equal(t, utc("2023-10-06T00:17:09Z"),
		readOne(t, Reader{TimeLayout: "06 Jan 02 15:04:05"}, `203.0.113.7 - - [06/Oct/2023:00:17:09 +0000] "GET /x HTTP/1.1" 200 5`).At, "the layout of the format is still tried")

	gin := Reader{Parse: func(line string) (Entry, error) {
		if !strings.HasPrefix(line, "[GIN] ") {
			return Entry{}, fmt.Errorf("gin: %w", ErrUnknown)
		}
		f := strings.Split(line, "|")
		if len(f) != 5 {
			return Entry{}, errors.New("not five parts")
		}
		at, err := time.Parse("[GIN] 2006/01/02 - 15:04:05 ", f[0])
		return Entry{At: at, Client: strings.TrimSpace(f[3]), Path: "/ping"}, err
	}}
	log, err := gin.Read("gin.log", strings.NewReader("[GIN] 2023/10/06 - 00:17:09 | 200 | 1.2ms | 127.0.0.1 | GET \"/ping\"\n203.0.113.7"+combined+"\n[GIN] x\n"))
	require.NoError(t, err)
	require.Len(t, log.Entries, 2)
	require.Equal(t, "127.0.0.1", log.Entries[0].Client)
	require.Equal(t, "gin.log:3: not five parts: \"[GIN] x\"", log.Bad[0].Error())

	for _, c := range []struct {
		entry Entry
		why   string
	}{{Entry{Path: "/"}, "returned an entry without At"}, {Entry{At: at(1)}, "returned an entry without Path"}} {
		_, err = Reader{Parse: func(string) (Entry, error) { return c.entry, nil }}.Read("x", strings.NewReader("a\n"))
		require.ErrorContains(t, err, c.why)
	}
	_, err = Reader{Parse: func(string) (Entry, error) { panic("oops") }}.Read("x", strings.NewReader("\na\n"))
	require.EqualError(t, err, "load: x:2: Reader.Parse panicked: oops")
}

func TestPartsOfALine(t *testing.T) {
	line := "203.0.113.7" + combined
	cri := func(stream, tag, text string) string {
		return "2023-10-06T00:17:10Z " + stream + " " + tag + " " + text + "\n"
	}
	log, err := Read("x", strings.NewReader(cri("stdout", "P", line[:20])+cri("stderr", "F", "noise")+cri("stderr", "P", line[:50])+
		cri("stdout", "F", line[20:])+cri("stderr", "F:x", line[50:])+cri("stdout", "P", "left over")))
	require.NoError(t, err)
	require.Len(t, log.Entries, 2)
	require.Equal(t, 4, log.Lines)
	require.Equal(t, 2, log.Skipped)
	require.Equal(t, "a part of a line without its end", log.Bad[1].Reason)

	long := strings.Repeat(cri("stdout", "P", strings.Repeat("x", 16<<10)), 5) + cri("stdout", "F", "")
	log, err = Read("x", strings.NewReader(long+line))
	require.NoError(t, err)
	require.Len(t, log.Entries, 1)
	require.Equal(t, "longer than 65536 bytes", log.Bad[0].Reason)
}

// monthly is a log with one line a day, or so, for a number of days.
func monthly(from string, days int, every time.Duration) string {
	var b strings.Builder
	start := utc(from)
	for at := start; at.Before(start.Add(time.Duration(days) * 24 * time.Hour)); at = at.Add(every) {
		fmt.Fprintf(&b, "203.0.113.7 - - [%s] \"GET / HTTP/1.1\" 200 1\n", at.Format(commonTime))
	}
	return b.String()
}

func TestALongLogIsALog(t *testing.T) {
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		text string
		lost int
	}{
		"fourteen months":               {monthly("2022-01-01T00:00:00Z", 425, day), 0},
		"three years":                   {monthly("2021-01-01T00:00:00Z", 1100, 12*time.Hour), 0},
		"four years, few entries":       {monthly("2020-01-01T00:00:00Z", 1460, 190*day), 0},
		"two seasons":                   {monthly("2022-01-01T00:00:00Z", 60, time.Hour) + monthly("2022-12-01T00:00:00Z", 30, time.Hour), 0},
		"fourteen months and 1970":      {monthly("1970-01-01T00:00:00Z", 1, day) + monthly("2022-01-01T00:00:00Z", 425, day), 1},
		"a week and a wrong year":       {monthly("2022-01-01T00:00:00Z", 7, time.Hour) + monthly("2023-01-05T00:00:00Z", 1, day), 1},
		"fourteen months and one later": {monthly("2022-01-01T00:00:00Z", 425, day) + monthly("2024-01-05T00:00:00Z", 1, day), 0},
		"many in 1970":                  {monthly("1970-01-01T00:00:00Z", 40, day) + monthly("2022-01-01T00:00:00Z", 60, day), 40},
		"half in 1970":                  {monthly("1970-01-01T00:00:00Z", 60, day) + monthly("2022-01-01T00:00:00Z", 60, day), 0},
		"two entries":                   {monthly("1970-01-01T00:00:00Z", 1, day) + monthly("2022-01-01T00:00:00Z", 1, day), 0},
	} {
		t.Run(name, func(t *testing.T) {
			log, err := Read("x", strings.NewReader(c.text))
			require.NoError(t, err)
			require.Equal(t, c.lost, log.Skipped, log.Bad)
			require.Equal(t, strings.Count(c.text, "\n"), log.Lines)
		})
	}
}

func TestGzipThatIsCutIsAnError(t *testing.T) {
	packed := zipped(monthly("2022-01-01T00:00:00Z", 400, time.Hour))
	_, err := Read("access.log.gz", strings.NewReader(packed[:len(packed)/2]))
	require.ErrorContains(t, err, "load: access.log.gz:")
	require.ErrorContains(t, err, "EOF")
}
