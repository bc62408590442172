package accesslog

import (
	"strings"
	"testing"
)

func BenchmarkRead(b *testing.B) {
	for name, text := range map[string]string{"combined": "203.0.113.7" + combined + "\n", "vhost": "shop.example:80 203.0.113.7" + combined + "\n",
		"syslog": "<190>Oct  6 00:17:09 web1 nginx: 203.0.113.7" + combined + "\n"} {
		b.Run(name, func(b *testing.B) {
			lines := strings.Repeat(text, 1000)
			b.SetBytes(int64(len(lines)))
			for b.Loop() {
				if log, err := Read("x", strings.NewReader(lines)); err != nil || len(log.Entries) != 1000 {
					b.Fatal(err)
				}
			}
		})
	}
}
