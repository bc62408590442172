package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"

	"github.com/go-qtests/qtests/qtests/monitor"
)

func (m *mailer) send(ctx context.Context, message []byte) (err error) {
	defer func() { err = explain(ctx, err) }()
	dial := m.cfg.Dial
	if dial == nil {
		dial = func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", m.cfg.Addr)
		}
	}
	conn, err := dial(ctx)
	if err != nil {
		return err
	}
	// The SMTP client knows no context: closing its connection is what ends it.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer func() { _ = conn.Close() }()
	c, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return err
	}
	return m.converse(c, message)
}

// explain adds to an error what ended the conversation, and whether it would end
// like that again.
func explain(ctx context.Context, err error) error {
	var reply *textproto.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil: // otherwise it reads "use of closed network connection" only
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	case errors.As(err, &reply) && reply.Code/100 == 5, errors.As(err, &certificate):
		return fmt.Errorf("%w: %w", monitor.ErrPermanent, err)
	}
	return err
}

func (m *mailer) converse(c *smtp.Client, message []byte) error {
	if err := c.Hello("localhost"); err != nil { // Extension would keep the error to itself
		return fmt.Errorf("EHLO: %w", err)
	}
	if ok, _ := c.Extension("STARTTLS"); ok {
		if err := c.StartTLS(m.tls); err != nil {
			return fmt.Errorf("STARTTLS: %w", err)
		}
	}
	if m.cfg.Auth != nil {
		if err := login(c, m.cfg.Auth); err != nil {
			return err
		}
	}
	if err := c.Mail(m.from.Address); err != nil {
		return fmt.Errorf("MAIL FROM %s: %w", m.from.Address, err)
	}
	for _, to := range m.to {
		if err := c.Rcpt(to.Address); err != nil {
			return fmt.Errorf("RCPT TO %s: %w", to.Address, err)
		}
	}
	w, err := c.Data()
	if err == nil {
		_, err = w.Write(message)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return fmt.Errorf("DATA: %w", err)
	}
	// The server has taken the mail, and how it takes leave does not matter: an
	// error would send the mail again, and so would waiting until ctx ends.
	_, _ = c.Text.Cmd("QUIT")
	return nil
}

// login authenticates. smtp.Client.Auth would ask a server that does not offer it.
func login(c *smtp.Client, auth smtp.Auth) error {
	if ok, _ := c.Extension("AUTH"); !ok {
		return fmt.Errorf("%w: the server offers no AUTH", monitor.ErrPermanent)
	}
	watched := &watchedAuth{Auth: auth}
	err := c.Auth(watched)
	switch _, secure := c.TLSConnectionState(); {
	case err == nil:
		return nil
	case watched.refused && !secure:
		return fmt.Errorf("%w: AUTH, without STARTTLS: %w", monitor.ErrPermanent, err)
	case watched.refused:
		return fmt.Errorf("%w: AUTH: %w", monitor.ErrPermanent, err)
	}
	return fmt.Errorf("AUTH: %w", err)
}

// A watchedAuth remembers that the Auth itself refused to begin, which its error,
// a plain text in net/smtp, does not say.
type watchedAuth struct {
	smtp.Auth
	refused bool
}

// Start implements smtp.Auth.
func (a *watchedAuth) Start(server *smtp.ServerInfo) (string, []byte, error) {
	mechanism, first, err := a.Auth.Start(server)
	a.refused = err != nil
	return mechanism, first, err
}
