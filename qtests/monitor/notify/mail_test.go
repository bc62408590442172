package notify_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"net/smtp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests"
	"github.com/go-qtests/qtests/qtests/monitor"
	"github.com/go-qtests/qtests/qtests/monitor/notify"
)

const password = "correct horse"

// credentials are what AUTH PLAIN sends.
var credentials = base64.StdEncoding.EncodeToString([]byte("\x00monitor\x00" + password))

// mailTo is a channel to mail.example.org, which a server on loopback plays.
func mailTo(t *testing.T, s *smtpServer, cfg notify.MailConfig) monitor.Channel {
	addr := s.listen(t)
	cfg.Addr, cfg.From, cfg.To = "mail.example.org:587", "m@example.org", []string{"a@example.org"}
	cfg.Dial = func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", addr) }
	ch, err := notify.Mail(cfg)
	require.NoError(t, err)
	return ch
}

// send sends a notification. The limit only ends a test that would hang.
func send(t *testing.T, ch monitor.Channel) error {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return ch.Notify(ctx, monitor.Notification{Status: monitor.Firing})
}

// plain logs in at mail.example.org.
func plain() smtp.Auth { return smtp.PlainAuth("", "monitor", password, "mail.example.org") }

func TestMail(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		var server smtpServer
		dial := func(context.Context) (net.Conn, error) {
			client, conn := net.Pipe()
			q.Go(func() { server.serve(conn) })
			return client, nil
		}
		ch, err := notify.Mail(notify.MailConfig{Addr: "mail.memory:25", From: "Mönitor <m@example.org>", To: []string{"a@example.org", "b@example.org"}, Dial: dial})
		require.NoError(q, err)
		m := notifyOnce(q, ch)
		require.NoError(q, m.Status().LastError)
		heard, mails := server.conversation()
		require.Equal(q, []string{"EHLO localhost", "MAIL FROM:<m@example.org>", "RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>", "DATA", "QUIT"}, heard[:6])
		require.Len(q, mails, 2)
		require.Contains(q, mails[0], "From: =?utf-8?q?M=C3=B6nitor?= <m@example.org>\r\n", "a header is ASCII")
		require.Contains(q, mails[0], "To: <a@example.org>, <b@example.org>\r\n")
		require.Contains(q, mails[0], "Subject: [FIRING:1] High: 7 errors  Bcc: x@example.org\r\n", "a label adds no header field")
		require.Contains(q, mails[0], "FIRING {alertname=3D\"High\",severity=3D\"page\"}")
		require.Contains(q, mails[0], "  since 2000-01-01T00:00:10Z\r\n  7 errors", "the summary")
		require.Contains(q, mails[1], "until 2000-01-01T00:00:20Z")
	})
}

// The credentials go to a server on loopback, and only after STARTTLS.
func TestMailStartTLS(t *testing.T) {
	cert, roots := selfSigned(t)
	for name, test := range map[string]struct {
		replies map[string]string
		auth    smtp.Auth
		login   []string
	}{
		"with a password": {auth: plain(), login: []string{"tls AUTH PLAIN " + credentials}},
		"without":         {},
		// What came before is the server's word for the mail. Another try would send
		// it again.
		"a server that hangs at the end": {replies: map[string]string{"QUIT": hangs}},
		"a server that fails at the end": {replies: map[string]string{"QUIT": "421 enough"}},
		"a server that greets at length": {replies: map[string]string{"": "220-mail\r\n220 ready"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &smtpServer{offers: []string{"STARTTLS", "AUTH PLAIN"}, cert: cert, replies: test.replies}
			t.Run("mail", func(t *testing.T) {
				ch := mailTo(t, s, notify.MailConfig{Auth: test.auth, TLS: &tls.Config{RootCAs: roots}})
				require.NoError(t, send(t, ch))
			})
			want := append([]string{"EHLO localhost", "STARTTLS", "tls EHLO localhost"}, test.login...)
			heard, mails := s.conversation()
			require.Equal(t, append(want, "tls MAIL FROM:<m@example.org>", "tls RCPT TO:<a@example.org>", "tls DATA", "tls QUIT"), heard)
			require.Len(t, mails, 1)
		})
	}
}

// From a bubble over a real socket: the certificate is for the IP address.
func TestMailOutsideABubble(t *testing.T) {
	cert, roots := selfSigned(t)
	s := &smtpServer{offers: []string{"STARTTLS", "AUTH PLAIN"}, cert: cert}
	addr := s.listen(t)
	out := notify.NewOutside(time.Minute)
	defer out.Close()
	qtests.Run(t, func(q *qtests.T) {
		ch, err := notify.Mail(notify.MailConfig{Addr: addr, From: "m@example.org", To: []string{"a@example.org"}, Outside: out,
			Auth: smtp.PlainAuth("", "monitor", password, "127.0.0.1"), TLS: &tls.Config{RootCAs: roots}})
		require.NoError(q, err)
		m := notifyOnce(q, ch)
		require.NoError(q, m.Status().LastError)
		require.EqualValues(q, 2, m.Status().Notified)
	})
	heard, mails := s.conversation()
	require.Contains(t, heard, "tls AUTH PLAIN "+credentials)
	require.Len(t, mails, 2)
}

func TestMailRefusals(t *testing.T) {
	cert, roots := selfSigned(t)
	trusting := &tls.Config{RootCAs: roots}
	both := []string{"STARTTLS", "AUTH PLAIN"}
	elsewhere := smtp.PlainAuth("", "monitor", password, "mail.example.com")
	say := func(asked, reply string) map[string]string { return map[string]string{asked: reply} }
	for name, test := range map[string]struct {
		offers  []string
		replies map[string]string
		auth    smtp.Auth
		tls     *tls.Config
		err     string
	}{
		"wrong password":         {both, say("AUTH", "535 5.7.8 who?"), plain(), trusting, `permanent: AUTH: 535 "5.7.8 who?"`},
		"login later":            {both, say("AUTH", "454 4.7.0 later"), plain(), trusting, `AUTH: 454 "4.7.0 later"`},
		"login without STARTTLS": {both[1:], nil, plain(), trusting, "permanent: AUTH, without STARTTLS: unencrypted connection"},
		"login elsewhere":        {both, nil, elsewhere, trusting, "permanent: AUTH: wrong host name"},
		"login not offered":      {both[:1], nil, plain(), trusting, "permanent: the server offers no AUTH"},
		"STARTTLS refused":       {both, say("STARTTLS", "454 4.7.0 no"), plain(), trusting, `STARTTLS: 454 "4.7.0 no"`},
		"not trusted":            {both, nil, plain(), nil, "permanent: STARTTLS: tls: failed to verify certificate"},
		"another's certificate":  {both, nil, plain(), &tls.Config{RootCAs: roots, ServerName: "mail.example.com"}, "permanent: STARTTLS: tls: failed to verify certificate"},
		"no service":             {nil, say("", "554 go away"), nil, nil, `permanent: 554 "go away"`},
		"no hello":               {nil, map[string]string{"EHLO": "421 busy", "HELO": "421 too busy"}, nil, nil, `EHLO: 421 "too busy"`},
		"sender":                 {nil, say("MAIL", "451 later"), nil, nil, `MAIL FROM m@example.org: 451 "later"`},
		"receiver":               {nil, say("RCPT", "550 no"), nil, nil, `permanent: RCPT TO a@example.org: 550 "no"`},
		"mail":                   {nil, say(".", "554 spam"), nil, nil, `permanent: DATA: 554 "spam"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := &smtpServer{offers: test.offers, replies: test.replies, cert: cert}
			t.Run("mail", func(t *testing.T) { // by its end the server has heard all
				err := send(t, mailTo(t, s, notify.MailConfig{Auth: test.auth, TLS: test.tls}))
				require.ErrorContains(t, err, test.err)
				require.Equal(t, strings.HasPrefix(test.err, "permanent"), errors.Is(err, monitor.ErrPermanent))
				require.NotContains(t, err.Error(), password)
			})
			heard, _ := s.conversation()
			for _, line := range heard {
				require.False(t, strings.HasPrefix(line, "AUTH"), "not encrypted: %s", line)
			}
		})
	}
}

// net/smtp trusts a relay on the same machine with a password in clear.
func TestMailLocalRelay(t *testing.T) {
	s := &smtpServer{offers: []string{"AUTH PLAIN"}}
	ch, err := notify.Mail(notify.MailConfig{Addr: s.listen(t), From: "m@example.org", To: []string{"a@example.org"},
		Auth: smtp.PlainAuth("", "monitor", password, "127.0.0.1")})
	require.NoError(t, err)
	require.NoError(t, send(t, ch))
	heard, _ := s.conversation()
	require.Contains(t, heard, "AUTH PLAIN "+credentials)
}

// A server that hangs is given up with the context, wherever it hangs. The servers
// end when their clients close the connection, which listen waits for.
func TestMailToAServerThatHangs(t *testing.T) {
	cert, roots := selfSigned(t)
	for _, at := range []string{"", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "."} {
		t.Run("at "+at, func(t *testing.T) {
			s := &smtpServer{offers: []string{"STARTTLS", "AUTH PLAIN"}, cert: cert, replies: map[string]string{at: hangs}, hung: make(chan struct{}, 1)}
			ch := mailTo(t, s, notify.MailConfig{Auth: plain(), TLS: &tls.Config{RootCAs: roots}})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			go func() {
				select {
				case <-s.hung:
					cancel()
				case <-ctx.Done():
				}
			}()
			err := ch.Notify(ctx, monitor.Notification{Status: monitor.Firing})
			require.ErrorIs(t, err, context.Canceled)
			require.NotErrorIs(t, err, monitor.ErrPermanent)
		})
	}
}

func TestMailOutsideToAServerThatHangs(t *testing.T) {
	s := &smtpServer{replies: map[string]string{"": hangs}}
	out := notify.NewOutside(10 * time.Millisecond)
	defer out.Close()
	ch, err := notify.Mail(notify.MailConfig{Addr: s.listen(t), From: "m@example.org", To: []string{"a@example.org"}, Outside: out})
	require.NoError(t, err)
	require.ErrorIs(t, send(t, ch), context.DeadlineExceeded)
}

// A monitor gives up a server that hangs with the group interval, here of fake time,
// and begins anew with the next.
func TestMailIsGivenUpAfterTheGroupInterval(t *testing.T) {
	qtests.Run(t, func(q *qtests.T) {
		s := &smtpServer{replies: map[string]string{"EHLO": hangs}}
		left := 0
		ch, err := notify.Mail(notify.MailConfig{Addr: "mail.memory:25", From: "m@example.org", To: []string{"a@example.org"},
			Dial: func(context.Context) (net.Conn, error) {
				client, conn := net.Pipe()
				q.Go(func() { s.serve(conn); left++ })
				return client, nil
			}})
		require.NoError(q, err)
		g, reg := gauge("errors")
		m := monitor.NewT(q, monitor.Config{
			Gatherers: []prometheus.Gatherer{reg},
			Rules:     []monitor.Rule{{Name: "High", Expr: "errors > 5"}},
			Route:     monitor.Route{Immediately: true, GroupInterval: time.Minute},
			Channels:  []monitor.Channel{ch},
		})
		g.Set(7)
		q.Sleep(70*time.Second + time.Millisecond)
		require.ErrorIs(q, m.Status().LastError, monitor.ErrBlocked)
		require.ErrorContains(q, m.Status().LastError, "channel 0 (mail mail.memory:25) has not returned within 1m0s")
		require.Equal(q, 1, left, "the connection was closed")
		q.Sleep(time.Minute)
		require.Equal(q, 2, left)
	})
}
