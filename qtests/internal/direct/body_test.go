package direct

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/memnet"
	"github.com/go-qtests/qtests/qtests/internal/serverlog"
)

// TestUploadIsClosedUnderARead: a handler that waits for the body reads what net/http tells it when another goroutine of it
// closes the body.
func TestUploadIsClosedUnderARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body, client := io.Pipe()
		req, err := http.NewRequest(http.MethodPost, "http://x/", body)
		require.NoError(t, err)
		u := newUpload(req)
		go u.pump(func(error) {})
		_, err = client.Write([]byte("hello"))
		require.NoError(t, err)
		p := make([]byte, 10)
		n, err := u.Read(p)
		require.NoError(t, err)
		require.Equal(t, "hello", string(p[:n]))
		read := make(chan error)
		go func() {
			_, err := u.Read(p)
			read <- err
		}()
		synctest.Wait()
		require.NoError(t, u.Close())
		require.Equal(t, http.ErrBodyReadAfterClose, <-read)
		_, err = client.Write([]byte("more"))
		require.Equal(t, io.ErrClosedPipe, err, "its writer learns of it")
	})
}

// TestWritesAtOnce: what one goroutine of a handler writes while another waits for the client comes behind it.
func TestWritesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocked := make(chan bool)
		handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			done := make(chan bool)
			go func() {
				_, _ = io.WriteString(w, strings.Repeat("a", memnet.Buffer+2*Hold))
				close(done)
			}()
			synctest.Wait()
			_, _ = io.WriteString(w, "tail")
			close(blocked)
			<-done
		})
		c := &http.Client{Transport: NewTransport(clock.New(), handler, serverlog.New(t, nil))}
		resp, err := c.Get("http://x/")
		require.NoError(t, err)
		<-blocked
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, memnet.Buffer+2*Hold, strings.Count(strings.TrimSuffix(string(body), "tail"), "a"))
		require.True(t, strings.HasSuffix(string(body), "tail"))
	})
}
