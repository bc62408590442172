package monitor

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests"
)

// A MailConfig says how e-mail is sent.
type MailConfig struct {
	// Addr is host:port of the SMTP server.
	Addr string
	// From and To are addresses. At least one To is needed.
	From string
	To   []string
	// Auth logs in, after STARTTLS where the server offers it. Without it,
	// smtp.PlainAuth sends the password to localhost only. Nil does not log in.
	Auth smtp.Auth
	// TLS is what STARTTLS uses. Its ServerName is the host of Addr if empty. Nil
	// trusts the roots of the system.
	TLS *tls.Config
	// Dial connects. Nil is a real connection, which a bubble refuses.
	Dial func(ctx context.Context) (net.Conn, error)
	// Outside, instead of Dial, sends outside the bubble.
	Outside *Outside
}

// Mail returns a channel that sends every notification as a plain-text e-mail over
// SMTP, with STARTTLS where the server offers it. What trying again cannot cure
// is permanent: a server's 5xx, a certificate that is not trusted, an Auth that
// refuses the server. A server that hangs is given up, and its connection closed,
// with the context of Notify: at the end of the group interval, or of the time that
// the Outside has.
func Mail(cfg MailConfig) (Channel, error) {
	host, _, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("monitor: MailConfig.Addr: %w", err)
	}
	if len(cfg.To) == 0 {
		return nil, errors.New("monitor: MailConfig.To: is empty")
	}
	addresses := make([]*mail.Address, 0, 1+len(cfg.To))
	for _, text := range append([]string{cfg.From}, cfg.To...) {
		a, err := mail.ParseAddress(text)
		if err != nil || strings.ContainsAny(text, "\r\n") {
			return nil, fmt.Errorf("monitor: MailConfig: %q is no address", text)
		}
		addresses = append(addresses, a)
	}
	switch {
	case cfg.Dial != nil && cfg.Outside != nil:
		return nil, errors.New("monitor: MailConfig.Dial: contradicts Outside")
	case cfg.Dial == nil && cfg.Outside == nil && qtests.InBubble():
		return nil, fmt.Errorf("monitor: MailConfig.Addr: %s: %w", cfg.Addr, ErrRealSocket)
	}
	m := &mailer{cfg: cfg, host: host, tls: cfg.TLS.Clone(), from: addresses[0], to: addresses[1:]}
	if m.tls == nil {
		m.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if m.tls.ServerName == "" {
		m.tls.ServerName = host
	}
	return m, nil
}

type mailer struct {
	cfg  MailConfig
	host string
	tls  *tls.Config
	from *mail.Address
	to   []*mail.Address
}

func (m *mailer) String() string { return "mail " + m.cfg.Addr }

// Notify implements Channel.
func (m *mailer) Notify(ctx context.Context, n Notification) error {
	message := m.message(n)
	if m.cfg.Outside != nil {
		return m.cfg.Outside.Do(func(ctx context.Context) error { return m.send(ctx, message) })
	}
	return m.send(ctx, message)
}

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
		return fmt.Errorf("%w: %w", ErrPermanent, err)
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
		return fmt.Errorf("%w: the server offers no AUTH", ErrPermanent)
	}
	watched := &watchedAuth{Auth: auth}
	err := c.Auth(watched)
	switch _, secure := c.TLSConnectionState(); {
	case err == nil:
		return nil
	case watched.refused && !secure:
		return fmt.Errorf("%w: AUTH, without STARTTLS: %w", ErrPermanent, err)
	case watched.refused:
		return fmt.Errorf("%w: AUTH: %w", ErrPermanent, err)
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

// message writes the e-mail. Its header fields are encoded, so that no label can
// add one.
func (m *mailer) message(n Notification) []byte {
	var b bytes.Buffer
	subject := strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, n.String())
	to := make([]string, len(m.to))
	for i, a := range m.to {
		to[i] = a.String()
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\n", m.from, strings.Join(to, ", "),
		mime.QEncoding.Encode("utf-8", subject), n.At.Format(time.RFC1123Z))
	b.WriteString("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
	w := quotedprintable.NewWriter(&b)
	for _, a := range n.Alerts {
		fmt.Fprintf(w, "%s %s\n  since %s\n", strings.ToUpper(string(a.State)), a.Labels, a.FiredAt.Format(time.RFC3339))
		if a.State == Resolved {
			fmt.Fprintf(w, "  until %s\n", a.ResolvedAt.Format(time.RFC3339))
		}
		if s := a.Annotations["summary"]; s != "" {
			fmt.Fprintf(w, "  %s\n", s)
		}
	}
	_ = w.Close() // a Buffer takes everything
	return b.Bytes()
}
