package notify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"strings"
	"time"

	"github.com/go-qtests/qtests/qtests/internal/stacks"
	"github.com/go-qtests/qtests/qtests/monitor"
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
// SMTP, with STARTTLS where the server offers it. Errors that trying again cannot cure
// are permanent: a server's 5xx, a certificate that is not trusted, an Auth that refuses
// the server. If a server hangs, its connection is closed when the context of Notify
// ends: at the end of the group interval, or of the time that the Outside has.
func Mail(cfg MailConfig) (monitor.Channel, error) {
	host, _, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("notify: MailConfig.Addr: %w", err)
	}
	addresses, err := cfg.addresses()
	if err != nil {
		return nil, err
	}
	switch {
	case cfg.Dial != nil && cfg.Outside != nil:
		return nil, errors.New("notify: MailConfig.Dial: contradicts Outside")
	case cfg.Dial == nil && cfg.Outside == nil && stacks.InBubble():
		return nil, fmt.Errorf("notify: MailConfig.Addr: %s: %w", cfg.Addr, ErrRealSocket)
	}
	return &mailer{cfg: cfg, host: host, tls: tlsFor(host, cfg.TLS), from: addresses[0], to: addresses[1:]}, nil
}

// addresses returns the address of the sender, then those of the receivers.
func (cfg MailConfig) addresses() ([]*mail.Address, error) {
	if len(cfg.To) == 0 {
		return nil, errors.New("notify: MailConfig.To: is empty")
	}
	var out []*mail.Address
	for _, text := range append([]string{cfg.From}, cfg.To...) {
		a, err := mail.ParseAddress(text)
		if err != nil || strings.ContainsAny(text, "\r\n") {
			return nil, fmt.Errorf("notify: MailConfig: %q is no address", text)
		}
		out = append(out, a)
	}
	return out, nil
}

// tlsFor returns a copy of the config, which verifies the host unless it names another.
func tlsFor(host string, cfg *tls.Config) *tls.Config {
	out := cfg.Clone()
	if out == nil {
		out = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	out.ServerName = cmp.Or(out.ServerName, host)
	return out
}

type mailer struct {
	cfg  MailConfig
	host string
	tls  *tls.Config
	from *mail.Address
	to   []*mail.Address
}

func (m *mailer) String() string { return "mail " + m.cfg.Addr }

// Notify implements monitor.Channel.
func (m *mailer) Notify(ctx context.Context, n monitor.Notification) error {
	message := m.message(n)
	if m.cfg.Outside != nil {
		return m.cfg.Outside.Do(func(ctx context.Context) error { return m.send(ctx, message) })
	}
	return m.send(ctx, message)
}

// message writes the e-mail. Its header fields are encoded, so that no label can
// add one.
func (m *mailer) message(n monitor.Notification) []byte {
	to := make([]string, len(m.to))
	for i, a := range m.to {
		to[i] = a.String()
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\n", m.from, strings.Join(to, ", "),
		mime.QEncoding.Encode("utf-8", oneLine(n.String())), n.At.Format(time.RFC1123Z))
	b.WriteString("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
	w := quotedprintable.NewWriter(&b)
	for _, a := range n.Alerts {
		writeAlert(w, a)
	}
	_ = w.Close() // a Buffer takes everything
	return b.Bytes()
}

// oneLine replaces control characters.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text)
}

func writeAlert(w io.Writer, a monitor.Alert) {
	fmt.Fprintf(w, "%s %s\n  since %s\n", strings.ToUpper(string(a.State)), a.Labels, a.FiredAt.Format(time.RFC3339))
	if a.State == monitor.Resolved {
		fmt.Fprintf(w, "  until %s\n", a.ResolvedAt.Format(time.RFC3339))
	}
	if s := a.Annotations["summary"]; s != "" {
		fmt.Fprintf(w, "  %s\n", s)
	}
}
