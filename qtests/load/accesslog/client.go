package accesslog

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/text"
)

// clientOf reads what a format has in the place of the client: an address with or without a port, a list
// of X-Forwarded-For, a name, or nothing. Of a list it is the first address. ok says that the text can be
// a client.
func clientOf(s string) (client string, ok bool) {
	s = strings.Trim(strings.TrimSpace(s), `"`)
	if strings.Contains(s, ",") {
		return firstAddress(s)
	}
	if nobody(s) {
		return "", true
	}
	if a, ok := address(s); ok {
		return a, true
	}
	return s, isName(s)
}

// nobody reports whether a text stands for a client that is not known. nginx writes "unix:" for a client
// at a socket of the same machine.
func nobody(s string) bool {
	return s == "" || s == "-" || s == "unix:" || strings.EqualFold(s, "unknown")
}

// firstAddress returns the first address of a list.
func firstAddress(list string) (string, bool) {
	for s := range strings.SplitSeq(list, ",") {
		if a, ok := address(strings.Trim(strings.TrimSpace(s), `"`)); ok {
			return a, true
		}
	}
	return "", false
}

// address returns an IP address without its port and without brackets.
func address(s string) (string, bool) {
	if a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
		return a.String(), true
	}
	if a, err := netip.ParseAddrPort(s); err == nil {
		return a.Addr().String(), true
	}
	return "", false
}

// beforePort returns the address in front of a port, for formats that always write one: the port of an IPv6
// address without brackets looks like a part of it.
func beforePort(s string) (string, error) {
	client, ok := address(s[:max(strings.LastIndexByte(s, ':'), 0)])
	if !ok && !nobody(s) {
		return "", fmt.Errorf("%q in the place of the client is no address with a port", text.Clip(s, 40))
	}
	return client, nil
}

// isAddress reports whether a word, or a word of a list, is an address.
func isAddress(s string) bool {
	_, ok := firstAddress(s)
	return ok
}

// isName reports whether a word can be the name of a client: a host name, a number that stands for an
// address, or an address with hidden digits. A day or a stream in front of a line is no client.
func isName(s string) bool {
	const signs = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	day := len(s) == len("2006-01-02") && s[4] == '-' && s[7] == '-' && strings.Trim(s, "0123456789-") == ""
	return s != "stdout" && s != "stderr" && !day && strings.ContainsAny(s, signs) && strings.Trim(s, signs+"._*@-") == ""
}

// hasPort reports whether a word is a name or an address with a port, as a virtual host is.
func hasPort(s string) bool {
	i := strings.LastIndexByte(s, ':')
	if i < 1 || i == len(s)-1 || strings.Trim(s[i+1:], "0123456789") != "" {
		return false
	}
	host := s[:i]
	return !strings.Contains(host, ":") && (isName(host) || host == "_") || strings.HasPrefix(host, "[") && isAddress(host)
}

// clientBefore finds the client in what stands before the time of a line in common log format:
//
//	client ident user                common, combined
//	client, proxy, proxy ident user  with X-Forwarded-For for the client
//	host:port client ident user      vhost_combined
//	host client ident user           nginx, if the client is an address
//	client host user                 lighttpd
//	client                           an address alone
//
// Everything else is refused, because a word that is taken for the client silently makes one client of
// all. A user may have blanks in the name, and ident is nearly always a dash.
func clientBefore(head string) (string, error) {
	words := headWords(head)
	if len(words) == 0 {
		return "", errors.New("no client before the time")
	}
	who := leading(words)
	a := who[0]
	switch {
	case len(who) == 1 && len(words) == 1 && !isAddress(a):
		return "", fmt.Errorf("%q alone before the time is no address of a client", text.Clip(a, 40))
	case len(who) == 1 && len(words) == 4 && words[2] == "-" && words[3] == "-" && !isAddress(a):
		return "", nil // a virtual host, and a dash for the client
	case len(who) == 1:
		client, ok := clientOf(a)
		if !ok {
			return "", fmt.Errorf("%q in the place of the client is neither an address nor a name", text.Clip(a, 40))
		}
		return client, nil
	case len(who) == 2:
		return clientOfTwo(a, who[1], len(words))
	}
	return "", fmt.Errorf("%q before the time does not tell which word is the client", text.Clip(head, 60))
}

// clientOfTwo chooses between two words, of so many before the time.
func clientOfTwo(a, b string, words int) (string, error) {
	client, ok := clientOf(b)
	switch {
	case ok && hasPort(a), ok && isAddress(b) && !isAddress(a):
		return client, nil
	case isAddress(a) && !isAddress(b) && words == 3:
		client, _ = clientOf(a)
		return client, nil
	case isAddress(a) && isAddress(b):
		return "", fmt.Errorf("%q and %q are two addresses, and either may be the client", text.Clip(a, 40), text.Clip(b, 40))
	}
	return "", fmt.Errorf("%q and %q do not tell which one is the client", text.Clip(a, 40), text.Clip(b, 40))
}

// leading returns the words before ident and user: up to the first dash that is not the first word, or all
// but the last two. An address is never ident or user.
func leading(words []string) []string {
	n := len(words)
	if n > 2 {
		n -= 2
	}
	for i, w := range words {
		if i > 0 && w == "-" {
			n = i
			break
		}
	}
	for i := len(words) - 1; i >= n; i-- {
		if isAddress(words[i]) {
			return words[:i+1]
		}
	}
	return words[:n]
}

// headWords splits at blanks, but not within quotes, and not after a comma: a list is one word.
func headWords(s string) (out []string) {
	open := false // the last word goes on
	for _, word := range words(s) {
		if len(out) > 0 && (open || word == ",") {
			out[len(out)-1] += " " + word
		} else {
			out = append(out, word)
		}
		open = strings.HasSuffix(word, ",")
	}
	return out
}

// words splits at blanks. What is in quotes is one word, with its quotes; a backslash escapes a quote.
func words(s string) (out []string) {
	for s = strings.TrimLeft(s, " \t"); s != ""; s = strings.TrimLeft(s, " \t") {
		end := wordEnd(s)
		out = append(out, s[:end])
		s = s[end:]
	}
	return out
}

func wordEnd(s string) int {
	quoted := s[0] == '"'
	for i := 1; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case quoted && s[i] == '"':
			return i + 1
		case !quoted && (s[i] == ' ' || s[i] == '\t'):
			return i
		}
	}
	return len(s)
}
