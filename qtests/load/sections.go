package load

import (
	"errors"
	"fmt"

	"github.com/go-qtests/qtests/qtests/internal/text"
	"github.com/go-qtests/qtests/qtests/internal/usercode"
	"github.com/go-qtests/qtests/qtests/section"
)

// sections asks the sources what they have to tell. They are the user's code.
func (r *run) sections() (all []section.Section) {
	for i, source := range r.Sections {
		var s section.Section
		err := usercode.Call(func() (err error) {
			s, err = source.Section(r.start, r.clk.Now()).Bounded()
			return err
		})
		if p := new(usercode.PanicError); errors.As(err, &p) {
			r.panicked(p, fmt.Sprintf("Sections[%d]", i))
			continue
		}
		if err != nil {
			s = section.Section{Title: s.Title, Lines: []string{text.Printable(err.Error())}}
		}
		all = append(all, s)
	}
	return all
}
