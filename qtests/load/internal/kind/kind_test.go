package kind

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOf(t *testing.T) {
	for line, want := range map[string]string{
		"refused": "refused",
		"dial 10.0.0.7:8080 and [fe80::1]:80: refused":      "dial #:# and [#]:80: refused",
		"order 7 of user 123456 took 1.2345s":               "order 7 of user # took #s",
		"at 2015-05-17T10:05:03Z, 0xc000012345 and ab12cd":  "at #, # and ab12cd",
		"line\x00with\xff":                                  `line\x00with\xff`,
		strings.Repeat("a", 150) + strings.Repeat("b", 100): strings.Repeat("a", 140) + "…" + strings.Repeat("b", 57),
	} {
		require.Equal(t, want, Of(line))
	}
}
