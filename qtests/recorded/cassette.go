package recorded

import (
	"fmt"
	"net/http"
	"time"

	"go.yaml.in/yaml/v3"
)

// A cassette is a file of go-vcr.
type cassette struct {
	Version      int           `yaml:"version"`
	Interactions []interaction `yaml:"interactions"`
}

// An interaction is an exchange of a cassette.
type interaction struct {
	Request struct {
		Method string `yaml:"method"`
		URL    string `yaml:"url"`
		Body   string `yaml:"body"`
	} `yaml:"request"`
	Response struct {
		Code     int                 `yaml:"code"`
		Headers  map[string][]string `yaml:"headers"`
		Body     string              `yaml:"body"`
		Duration string              `yaml:"duration"`
	} `yaml:"response"`
}

func readCassette(text []byte) (all []Exchange, err error) {
	var c cassette
	if err := yaml.Unmarshal(text, &c); err != nil {
		return nil, err
	}
	if c.Version != 1 && c.Version != 2 {
		return nil, fmt.Errorf("a cassette of version %d: versions 1 and 2 are known", c.Version)
	}
	at := Epoch
	for i, in := range c.Interactions {
		x, err := in.exchange(at)
		if err != nil {
			return nil, fmt.Errorf("exchange %d: %w", i+1, err)
		}
		at = at.Add(x.Took)
		all = append(all, x)
	}
	return all, nil
}

// exchange is the interaction as one that begins at an instant.
func (in *interaction) exchange(at time.Time) (x Exchange, err error) {
	x = Exchange{
		At: at, Method: in.Request.Method, URL: in.Request.URL, Body: in.Request.Body,
		Status: in.Response.Code, Header: header(in.Response.Headers), ResponseBody: in.Response.Body,
	}
	if d := in.Response.Duration; d != "" {
		x.Took, err = time.ParseDuration(d)
	}
	return x, err
}

// header has the canonical names, however they were written.
func header(from map[string][]string) http.Header {
	h := http.Header{}
	for name, values := range from {
		for _, v := range values {
			h.Add(name, v)
		}
	}
	return h
}
