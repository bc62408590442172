package notify_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// hangs is a reply that never comes.
const hangs = "hangs"

// An smtpServer answers SMTP as its fields say and remembers what it heard.
type smtpServer struct {
	offers []string         // the extensions, after EHLO
	cert   *tls.Certificate // for STARTTLS
	// replies are instead of what the server would say: to the connection as such
	// (""), to a command, or to what came after DATA (".").
	replies map[string]string
	hung    chan struct{} // gets a token when a reply hangs; may be nil

	mu    sync.Mutex
	heard []string // every command; behind "tls " what came encrypted
	mails []string
}

// listen serves on loopback until the test ends, and by then every connection has
// been closed by its client.
func (s *smtpServer) listen(t *testing.T) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		serving.Wait()
	})
	return l.Addr().String()
}

// serve answers one connection until its client leaves.
func (s *smtpServer) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	r, secure := bufio.NewReader(c), ""
	// say sends the reply to what was asked, and reports false when it hangs.
	say := func(asked, reply string) bool {
		if other, ok := s.replies[asked]; ok {
			reply = other
		}
		if reply == hangs {
			if s.hung != nil {
				s.hung <- struct{}{}
			}
			_, _ = io.Copy(io.Discard, r) // until the client leaves
			return false
		}
		_, _ = fmt.Fprintf(c, "%s\r\n", reply)
		return true
	}
	ok := say("", "220 ready")
	for ok {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		s.note(secure + line)
		verb, _, _ := strings.Cut(line, " ")
		switch verb {
		case "EHLO":
			ok = say(verb, s.extensions(secure == ""))
		case "STARTTLS":
			if ok = say(verb, "220 go on"); ok && s.replies[verb] == "" {
				c = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{*s.cert}})
				r, secure = bufio.NewReader(c), "tls "
			}
		case "AUTH":
			ok = say(verb, "235 welcome")
		case "DATA":
			if ok = say(verb, "354 go on"); ok {
				s.keep(r)
				ok = say(".", "250 taken")
			}
		case "QUIT":
			say(verb, "221 bye")
			return
		case "*": // ends an AUTH that was refused
			ok = say(verb, "501 given up")
		default:
			ok = say(verb, "250 ok")
		}
	}
}

// extensions is the answer to EHLO. STARTTLS is not offered again under TLS.
func (s *smtpServer) extensions(plain bool) string {
	var b strings.Builder
	for _, x := range s.offers {
		if plain || x != "STARTTLS" {
			fmt.Fprintf(&b, "250-%s\r\n", x)
		}
	}
	return "250-mail.example.org\r\n" + b.String() + "250 HELP"
}

func (s *smtpServer) note(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, line)
}

// keep reads a mail.
func (s *smtpServer) keep(r *bufio.Reader) {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == ".\r\n" {
			break
		}
		b.WriteString(line)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, b.String())
}

// conversation returns the commands and the mails so far.
func (s *smtpServer) conversation() (heard, mails []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.heard...), append([]string(nil), s.mails...)
}

// selfSigned makes a certificate for mail.example.org and 127.0.0.1, and the roots
// that trust it. It is good in the year of a bubble as well as today.
func selfSigned(t *testing.T) (*tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC),
		DNSNames:     []string{"mail.example.org"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
