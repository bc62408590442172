package services

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // S3's ETag is one
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/latency"
	"github.com/go-qtests/qtests/qtests/wire"
)

// A store is the handler of S3 that the code under test needs: objects are put and got. It is busy as long as it is told.
type store struct {
	mu      sync.Mutex
	objects map[string][]byte
	busy    bool
}

func (s *store) setBusy(busy bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = busy
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		return // the client is gone
	case s.busy:
		fail(w, http.StatusServiceUnavailable, "SlowDown")
	case r.Method == http.MethodPut:
		s.objects[r.URL.Path] = body
		w.Header().Set("ETag", etag(body))
	case s.objects[r.URL.Path] == nil:
		fail(w, http.StatusNotFound, "NoSuchKey")
	default:
		w.Header().Set("ETag", etag(s.objects[r.URL.Path]))
		http.ServeContent(w, r, "", time.Now(), bytes.NewReader(s.objects[r.URL.Path]))
	}
}

func etag(body []byte) string {
	sum := md5.Sum(body) //nolint:gosec // as above
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, code)
}

// A client with its signatures and its retries. For 10 seconds the store is busy, and for 10 seconds the network is cut.
func TestRecipeS3(t *testing.T) {
	recipe(t, func(q *qtests.T, log *Log) {
		hosts, s3 := wire.NewHosts(q), &store{objects: map[string][]byte{}}
		link := hosts.Add("s3.memory:80", q.Serve(s3).Listener().Dial)
		client, err := minio.New("s3.memory", &minio.Options{
			Creds: credentials.NewStaticV4("id", "secret", ""), Region: "eu-west-1", Transport: hosts.Transport(), MaxRetries: 4,
		})
		require.NoError(q, err)
		q.Schedule(link.Latency(wire.Both, latency.Uniform(5*time.Millisecond, 30*time.Millisecond)), link.Refuse().At(40*time.Second).For(10*time.Second))
		q.Clock().AfterFunc(20*time.Second, func() { s3.setBusy(true) })
		q.Clock().AfterFunc(30*time.Second, func() { s3.setBusy(false) })
		for i := range 20 {
			err := backUp(q.Context(), client, fmt.Sprintf("backup-%d", i))
			log.Addf("%v", err)
			q.Sleep(3 * time.Second)
		}
		require.Greater(q, len(s3.objects), 15)
		_, err = client.StatObject(q.Context(), "backups", "none", minio.StatObjectOptions{})
		require.Equal(q, "NoSuchKey", minio.ToErrorResponse(err).Code)
	})
}

// backUp is the code under test.
func backUp(ctx context.Context, client *minio.Client, name string) error {
	text := []byte("all of " + name)
	if _, err := client.PutObject(ctx, "backups", name, bytes.NewReader(text), int64(len(text)), minio.PutObjectOptions{}); err != nil {
		return err
	}
	object, err := client.GetObject(ctx, "backups", name, minio.GetObjectOptions{})
	if err != nil {
		return err
	}
	defer object.Close()
	got, err := io.ReadAll(object)
	if err == nil && !bytes.Equal(got, text) {
		err = fmt.Errorf("%s came back as %q", name, got)
	}
	return err
}
