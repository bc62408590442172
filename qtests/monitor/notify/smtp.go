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
	conn, err := m.dial(ctx)
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

func (m *mailer) dial(ctx context.Context) (net.Conn, error) {
	if m.cfg.Dial != nil {
		return m.cfg.Dial(ctx)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", m.cfg.Addr)
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
	if err := m.greet(c); err != nil {
		return err
	}
	if err := m.address(c); err != nil {
		return err
	}
	if err := write(c, message); err != nil {
		return fmt.Errorf("DATA: %w", err)
	}
	// The server has taken the mail. The end of the conversation does not matter: after
	// an error, or after the end of ctx, the mail would be sent again.
	_, _ = c.Text.Cmd("QUIT")
	return nil
}

// greet begins a conversation, secures it, and logs in.
func (m *mailer) greet(c *smtp.Client) error {
	if err := c.Hello("localhost"); err != nil { // Extension would keep the error to itself
		return fmt.Errorf("EHLO: %w", err)
	}
	if ok, _ := c.Extension("STARTTLS"); ok {
		if err := c.StartTLS(m.tls); err != nil {
			return fmt.Errorf("STARTTLS: %w", err)
		}
	}
	if m.cfg.Auth == nil {
		return nil
	}
	return login(c, m.cfg.Auth)
}

// address says from whom the mail is, and for whom.
func (m *mailer) address(c *smtp.Client) error {
	if err := c.Mail(m.from.Address); err != nil {
		return fmt.Errorf("MAIL FROM %s: %w", m.from.Address, err)
	}
	for _, to := range m.to {
		if err := c.Rcpt(to.Address); err != nil {
			return fmt.Errorf("RCPT TO %s: %w", to.Address, err)
		}
	}
	return nil
}

func write(c *smtp.Client, message []byte) error {
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(message); err != nil {
		return err
	}
	return w.Close()
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
