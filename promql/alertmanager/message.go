package alertmanager

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/template"

	"github.com/go-qtests/qtests/qtests/monitor"
)

// A Message is what one integration of a receiver would send about a notification.
type Message struct {
	At       time.Time
	Receiver string
	// Integration is its place in the receiver: "slack_configs[0]".
	Integration string
	// Texts are the fields of the integration that are texts, by their names in the file,
	// with their templates expanded: "title", "fields[0].value", "headers.Subject". Those
	// that the file leaves out have Alertmanager's defaults. Addresses that are URLs,
	// secrets, the names of files, and texts that are empty are not there.
	Texts map[string]string
}

// String returns the integration, and the texts sorted by their names, a line each.
func (m Message) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", m.Receiver, m.Integration)
	for _, name := range sortedKeys(m.Texts) {
		fmt.Fprintf(&b, "  %s: %s\n", name, m.Texts[name])
	}
	return b.String()
}

// Messages returns what the receiver of the notification would send, an element for each
// of its integrations. The error names the integration and the field whose template fails.
func (f *File) Messages(n monitor.Notification) ([]Message, error) {
	data, err := f.data(n)
	if err != nil {
		return nil, err
	}
	var out []Message
	for _, r := range f.config.Receivers {
		if r.Name != n.Receiver {
			continue
		}
		for _, x := range integrations(r) {
			if n.Status == monitor.Resolved && !x.sendsResolved() {
				continue
			}
			m := Message{At: n.At, Receiver: r.Name, Integration: x.name, Texts: map[string]string{}}
			err := eachText(x.value, "", func(field, text string) error {
				expanded, err := f.expand(field, text, data)
				if err != nil {
					return fmt.Errorf("alertmanager: receiver %s: %s: %s: %w", r.Name, x.name, field, err)
				}
				if expanded != "" {
					m.Texts[field] = expanded
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
			out = append(out, m)
		}
	}
	return out, nil
}

// data is what the templates see: the body of a webhook has the same fields.
func (f *File) data(n monitor.Notification) (*template.Data, error) {
	body, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("alertmanager: %w", err)
	}
	data := &template.Data{}
	if err := json.Unmarshal(body, data); err != nil {
		return nil, fmt.Errorf("alertmanager: %w", err)
	}
	data.ExternalURL = f.ExternalURL
	return data, nil
}

// expand expands the template of a field; html is the only one that is HTML.
func (f *File) expand(field, text string, data *template.Data) (string, error) {
	if field == "html" {
		return f.templates.ExecuteHTMLString(text, data)
	}
	return f.templates.ExecuteTextString(text, data)
}

// An integration is one element of one list of a receiver.
type integration struct {
	kind, name string // slack_configs, slack_configs[0]
	value      reflect.Value
}

// sendsResolved reports whether it sends what is resolved.
func (x integration) sendsResolved() bool {
	sends, ok := x.value.Interface().(interface{ SendResolved() bool })
	return !ok || sends.SendResolved()
}

// integrations are those of a receiver, in the order of Alertmanager's lists.
func integrations(r config.Receiver) (out []integration) {
	v := reflect.ValueOf(r)
	for i := range v.NumField() {
		if v.Field(i).Kind() != reflect.Slice {
			continue
		}
		kind := fieldName(v.Type().Field(i))
		for k := range v.Field(i).Len() {
			out = append(out, integration{kind, fmt.Sprintf("%s[%d]", kind, k), v.Field(i).Index(k)})
		}
	}
	return out
}

// fieldName is the name of a field in the file; it is empty of what is inlined.
func fieldName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

// eachText calls visit for the texts in a value, in the order of its fields.
func eachText(v reflect.Value, path string, visit func(field, text string) error) error {
	switch {
	case v.Kind() == reflect.Pointer && !v.IsNil():
		return eachText(v.Elem(), path, visit)
	case v.Type() == reflect.TypeFor[string]() && v.Len() > 0:
		return visit(path, v.String())
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			if err := eachText(v.Index(i), fmt.Sprintf("%s[%d]", path, i), visit); err != nil {
				return err
			}
		}
	case v.Type() == reflect.TypeFor[map[string]string]():
		all := v.Interface().(map[string]string)
		for _, name := range sortedKeys(all) {
			if err := visit(join(path, name), all[name]); err != nil {
				return err
			}
		}
	case v.Kind() == reflect.Struct && v.Type().PkgPath() != "net/url": // an address may have a secret
		return eachField(v, path, visit)
	}
	return nil
}

// eachField is eachText for a struct: what connects to a server, and what is read from
// another file, is no text.
func eachField(v reflect.Value, path string, visit func(field, text string) error) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := fieldName(f)
		if !f.IsExported() || strings.HasSuffix(name, "_file") || name == "http_config" || name == "tls_config" {
			continue
		}
		if err := eachText(v.Field(i), join(path, name), visit); err != nil {
			return err
		}
	}
	return nil
}

func join(path, name string) string {
	if path == "" || name == "" {
		return path + name
	}
	return path + "." + name
}

func sortedKeys(m map[string]string) []string {
	var out []string
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
