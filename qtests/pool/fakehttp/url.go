package fakehttp

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// hostOf returns the host of a URL in lower case, without the port if that is the
// default of the scheme.
func hostOf(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == defaultPort(u.Scheme) {
		port = ""
	}
	if port != "" {
		return net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// addressOf returns the address that a URL is requested at, always with a port.
func addressOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = defaultPort(u.Scheme)
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

func defaultPort(scheme string) string {
	switch strings.ToLower(scheme) {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}

// normal returns a URL in the form in which URLs are compared: the host in lower case,
// no default port, the query sorted, "/" for no path, no fragment.
func normal(u *url.URL) *url.URL {
	if host := hostOf(u); host == u.Host && u.Scheme == strings.ToLower(u.Scheme) && u.Fragment == "" && u.RawFragment == "" && u.Path != "" && u.RawQuery == "" {
		return u
	}
	n := *u
	n.Scheme, n.Host, n.Fragment, n.RawFragment = strings.ToLower(u.Scheme), hostOf(u), "", ""
	if n.Path == "" {
		n.Path = "/"
	}
	n.RawQuery = sortedQuery(u.RawQuery)
	return &n
}

// normalText does the same with the URL of a route, whose path stays as it is written:
// httpmock compares it literally. A fragment is never sent, and so no part of it.
func normalText(route string) string {
	if strings.HasPrefix(route, "=~") {
		return route
	}
	route, _, _ = strings.Cut(route, "#")
	rest, query, asks := strings.Cut(route, "?")
	if scheme, after, whole := strings.Cut(rest, "://"); whole {
		host, path, _ := strings.Cut(after, "/")
		if u, err := url.Parse(scheme + "://" + host); err == nil && u.User == nil {
			rest = u.Scheme + "://" + hostOf(u) + "/" + path
		}
	}
	if asks {
		return rest + "?" + sortedQuery(query)
	}
	return rest
}

// sortedQuery returns a query with its keys, and the values of each, in order.
func sortedQuery(query string) string {
	if query == "" {
		return ""
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return query
	}
	for _, v := range values {
		slices.Sort(v)
	}
	return values.Encode()
}
