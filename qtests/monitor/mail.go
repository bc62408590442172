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
)

// A MailConfig says how e-mail is sent.
type MailConfig struct {
	// Addr is host:port of the SMTP server.
	Addr string
	// From and To are addresses. At least one To is needed.
	From string
	To   []string
	// Auth may be nil.
	Auth smtp.Auth
	// Dial connects. Nil is a real connection, which a bubble refuses.
	Dial func(ctx context.Context) (net.Conn, error)
	// Outside, instead of Dial, sends outside the bubble.
	Outside *Outside
}

// Mail returns a channel that sends every notification as a plain-text e-mail over
// SMTP, with STARTTLS where the server offers it. A server's 5xx is permanent.
func Mail(cfg MailConfig) (Channel, error) {
	host, _, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("monitor: MailConfig.Addr: %w", err)
	}
	if len(cfg.To) == 0 {
		return nil, errors.New("monitor: MailConfig.To: is empty")
	}
	for _, a := range append([]string{cfg.From}, cfg.To...) {
		if _, err := mail.ParseAddress(a); err != nil || strings.ContainsAny(a, "\r\n") {
			return nil, fmt.Errorf("monitor: MailConfig: %q is no address", a)
		}
	}
	switch {
	case cfg.Dial != nil && cfg.Outside != nil:
		return nil, errors.New("monitor: MailConfig.Dial: contradicts Outside")
	case cfg.Dial == nil && cfg.Outside == nil && inBubble():
		return nil, fmt.Errorf("monitor: MailConfig.Addr: %s: %w", cfg.Addr, ErrRealSocket)
	}
	return &mailer{cfg, host}, nil
}

type mailer struct {
	cfg  MailConfig
	host string
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
	defer func() {
		var reply *textproto.Error
		if errors.As(err, &reply) && reply.Code/100 == 5 {
			err = fmt.Errorf("%w: %w", ErrPermanent, err)
		}
	}()
	c, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return err
	}
	return m.converse(c, message)
}

func (m *mailer) converse(c *smtp.Client, message []byte) error {
	if ok, _ := c.Extension("STARTTLS"); ok {
		if err := c.StartTLS(tlsConfig(m.host)); err != nil {
			return err
		}
	}
	if m.cfg.Auth != nil {
		if err := c.Auth(m.cfg.Auth); err != nil {
			return err
		}
	}
	if err := c.Mail(bare(m.cfg.From)); err != nil {
		return err
	}
	for _, to := range m.cfg.To {
		if err := c.Rcpt(bare(to)); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(message); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}

// bare is the address without a name, which Mail has checked.
func bare(address string) string {
	a, err := mail.ParseAddress(address)
	if err != nil {
		return address
	}
	return a.Address
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
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\n", m.cfg.From, strings.Join(m.cfg.To, ", "),
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

func tlsConfig(host string) *tls.Config {
	return &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
}
