package k6

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-qtests/qtests/qtests/load"
)

// A Request is what a step does: one HTTP request. An answer with a status of 400 and more, or another
// than Status, is a failed request.
type Request struct {
	Name   string            // of the step
	Method string            // default GET
	URL    string            // absolute, http or https
	Header map[string]string // one value each
	Body   string
	// Status is the status that is expected. Default every one below 400.
	Status int
	// Tags are given to every request, as User.Tag gives them.
	Tags map[string]string
	// Check is the name of a check that Status, or a status below 400, came. Default no check.
	Check string
}

// Err says what is wrong with the request, or nil.
func (r Request) Err() error {
	u, err := url.Parse(r.URL)
	switch {
	case err != nil:
		return fmt.Errorf("k6: Request %q: URL: %w", r.Name, err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("k6: Request %q: URL: %q is not absolute", r.Name, r.URL)
	case r.Status != 0 && (r.Status < 100 || r.Status > 599):
		return fmt.Errorf("k6: Request %q: Status: %d is none of HTTP", r.Name, r.Status)
	}
	_, err = http.NewRequest(r.method(), r.URL, nil)
	if err != nil {
		return fmt.Errorf("k6: Request %q: %w", r.Name, err)
	}
	return nil
}

func (r Request) method() string {
	if r.Method == "" {
		return http.MethodGet
	}
	return r.Method
}

// Step is a step that makes the request with a client. A weight of 0 is 1.
func (r Request) Step(c *http.Client, weight int) load.Step {
	return load.Step{Name: r.Name, Weight: weight, Do: r.Do(c)}
}

// Do makes the request with a client.
func (r Request) Do(c *http.Client) func(context.Context, *load.User) error {
	return func(ctx context.Context, u *load.User) error {
		for k, v := range r.Tags {
			u.Tag(k, v)
		}
		req, err := r.request(ctx)
		if err != nil {
			return err
		}
		res, err := c.Do(req)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, res.Body)
		if err = errors.Join(err, res.Body.Close()); err != nil {
			return err
		}
		return r.judge(u, res.StatusCode)
	}
}

func (r Request) request(ctx context.Context) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, r.method(), r.URL, strings.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	for k, v := range r.Header {
		req.Header.Set(k, v)
	}
	return req, nil
}

// judge makes the check, and says whether the request failed.
func (r Request) judge(u *load.User, status int) error {
	ok := status == r.Status || r.Status == 0 && status < 400
	if r.Check != "" {
		u.Check(r.Check, ok)
	}
	if !ok {
		return fmt.Errorf("status %d", status)
	}
	return nil
}
