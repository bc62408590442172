package kind

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOf(t *testing.T) {
	for line, want := range map[string]string{
		"refused": "refused",
		"dial 10.0.0.7:8080 and [fe80::1]:80: refused":       "dial #:# and [#]:80: refused",
		"order 7 of user 123456 took 1.2345s":                "order 7 of user # took #s",
		"at 2015-05-17T10:05:03Z, 0xc000012345 and ab12cd":   "at #, # and ab12cd",
		"line\x00with\xff":                                   `line\x00with\xff`,
		"half as long: " + strings.Repeat("ab", 93):          "half as long: " + strings.Repeat("ab", 93), // 200 bytes
		"id deadbeefcafe is a word, and 0x1f a pointer":      "id deadbeefcafe is a word, and # a pointer",
		"deadbeefcaf0 deadbeefcaf9 DEADBEEFCAF1":             "# # #",
		"deadbeefca1 has eleven, and deadbeefcag1 no number": "deadbeefca1 has eleven, and deadbeefcag1 no number",
		"abcdefghijklmnopq123":                               "#", // twenty, with three digits
		"abcdefghijklmnop123 and abcdefghijklmnopqr12":       "abcdefghijklmnop123 and abcdefghijklmnopqr12",
		"0f8fad5b-d9cb-469f-a165-70867728950e":               "#",
		"dial tcp 127.0.0.1:54321->127.0.0.1:80":             "dial tcp #:#->#:80",
		"1.25 of 999 and 1.125 of 1000":                      "1.25 of 999 and # of #",
		strings.Repeat("a", 150) + strings.Repeat("b", 100):  strings.Repeat("a", 140) + "…" + strings.Repeat("b", 57),
	} {
		require.Equal(t, want, Of(line))
	}
}
