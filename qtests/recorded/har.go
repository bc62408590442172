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
		Entries []struct {
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
				Content struct {
					Text     string `json:"text"`
					Encoding string `json:"encoding"`
				} `json:"content"`
			} `json:"response"`
		} `json:"entries"`
	} `json:"log"`
}

func readHAR(text []byte) (all []Exchange, err error) {
	var file har
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	for i, e := range file.Log.Entries {
		x := Exchange{
			At: e.StartedDateTime, Method: e.Request.Method, URL: e.Request.URL, Body: e.Request.PostData.Text,
			Status: e.Response.Status, Header: http.Header{}, ResponseBody: e.Response.Content.Text,
		}
		// Browsers write -1, or 0, where nothing is known.
		if ms := e.Time; ms > 0 && ms < float64(math.MaxInt64/time.Millisecond) {
			x.Took = time.Duration(math.Round(ms * float64(time.Millisecond)))
		}
		for _, h := range e.Response.Headers {
			x.Header.Add(h.Name, h.Value)
		}
		switch enc := e.Response.Content.Encoding; enc {
		case "":
		case "base64":
			body, err := base64.StdEncoding.DecodeString(x.ResponseBody)
			if err != nil {
				return nil, fmt.Errorf("exchange %d: content: %w", i+1, err)
			}
			x.ResponseBody = string(body)
		default:
			return nil, fmt.Errorf("exchange %d: content: encoding %q is not base64", i+1, enc)
		}
		all = append(all, x)
	}
	return all, nil
}
