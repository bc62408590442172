package recorded

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"time"
)

// A har is a HTTP archive, as far as it is read.
type har struct {
	Log struct {
		Entries []entry `json:"entries"`
	} `json:"log"`
}

// An entry is an exchange of an archive.
type entry struct {
	StartedDateTime time.Time `json:"startedDateTime"`
	Time            float64   `json:"time"` // in milliseconds
	Request         struct {
		Method   string `json:"method"`
		URL      string `json:"url"`
		PostData struct {
			Text string `json:"text"`
		} `json:"postData"`
	} `json:"request"`
	Response struct {
		Status  int `json:"status"`
		Headers []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"headers"`
		Content content `json:"content"`
	} `json:"response"`
}

// content is the body of an answer.
type content struct {
	Text     string `json:"text"`
	Encoding string `json:"encoding"`
}

func readHAR(text []byte) (all []Exchange, err error) {
	var file har
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	for i, e := range file.Log.Entries {
		x, err := e.exchange()
		if err != nil {
			return nil, fmt.Errorf("exchange %d: %w", i+1, err)
		}
		all = append(all, x)
	}
	return all, nil
}

func (e *entry) exchange() (x Exchange, err error) {
	x = Exchange{
		At: e.StartedDateTime, Took: e.took(), Method: e.Request.Method, URL: e.Request.URL, Body: e.Request.PostData.Text,
		Status: e.Response.Status, Header: http.Header{},
	}
	for _, h := range e.Response.Headers {
		x.Header.Add(h.Name, h.Value)
	}
	x.ResponseBody, err = e.Response.Content.decoded()
	return x, err
}

// took is 0 where the time is not known: browsers write -1 or 0 then.
func (e *entry) took() time.Duration {
	if ms := e.Time; ms > 0 && ms < float64(math.MaxInt64/time.Millisecond) {
		return time.Duration(math.Round(ms * float64(time.Millisecond)))
	}
	return 0
}

func (c *content) decoded() (string, error) {
	switch c.Encoding {
	case "":
		return c.Text, nil
	case "base64":
		body, err := base64.StdEncoding.DecodeString(c.Text)
		if err != nil {
			err = fmt.Errorf("content: %w", err)
		}
		return string(body), err
	}
	return "", fmt.Errorf("content: encoding %q is not base64", c.Encoding)
}
