package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/gocmd"
	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/store"
	"github.com/go-qtests/qtests/qtests/internal/patch"
)

// doctor is the command of that name. It writes nothing into the store. The status is 1
// when the changes do not fit.
func (t *tool) doctor(args []string) (int, error) {
	f := flag.NewFlagSet("doctor", flag.ContinueOnError)
	chdir := f.String("C", "", "")
	if err := parse(f, args); err != nil {
		return 0, err
	}
	ctx, stop := untilSignal()
	defer stop()
	g, err := gocmd.Find(ctx, *chdir)
	if err != nil {
		return 0, err
	}
	s, err := store.Open()
	if err != nil {
		return 0, err
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	src := source(g)
	places, misfit := t.patches.Places(src.GOROOT, src.Version)
	report := aboutGo(g) + aboutPlaces(places, misfit) + aboutStore(s, src, t.patches.Revision())
	if _, err := fmt.Fprint(t.stdout, report); err != nil {
		return 0, err
	}
	return statusOf(misfit != nil), nil
}

// line is one line of the report: what, and what is to be said about it.
func line(what, format string, args ...any) string {
	return strings.TrimRight(fmt.Sprintf("%-10s%s", what, fmt.Sprintf(format, args...)), " ") + "\n"
}

func aboutGo(g *gocmd.Go) string {
	where := "installed"
	if g.InModuleCache() {
		where = "downloaded by the go command into its module cache"
	}
	return line("Go", "%s, %s", g.Setting("GOVERSION"), where) +
		line("GOROOT", "%s", g.Setting("GOROOT")) +
		line("found by", "%s, with GOTOOLCHAIN=%s", g.Path, g.Setting("GOTOOLCHAIN")) +
		line("for", "%s/%s", g.Setting("GOOS"), g.Setting("GOARCH"))
}

func aboutPlaces(places []patch.Place, misfit error) string {
	var b strings.Builder
	for _, p := range places {
		at := p.File
		if p.Line > 0 {
			at = fmt.Sprintf("%s:%d", p.File, p.Line)
		}
		if p.Err != nil {
			b.WriteString(line("  misfit", "%s  %s: %v", at, p.What, p.Err))
		} else {
			b.WriteString(line("  fits", "%s  %s", at, p.What))
		}
	}
	if misfit != nil {
		return line("changes", "do not fit: %v", misfit) + b.String()
	}
	return line("changes", "fit, at %d places", len(places)) + b.String()
}

func aboutStore(s *store.Store, src store.Source, revision string) string {
	text := line("cache", "%s", s.Dir())
	o, err := s.Find(src, revision)
	switch {
	case err == nil:
		text += line("overlay", "%s", o.File)
	case errors.Is(err, store.ErrDamaged):
		text += line("overlay", "damaged; the next test writes it anew")
	default:
		text += line("overlay", "not there yet; the first test writes it")
	}
	switch {
	case !src.Copy:
		text += line("copy", "none: an overlay reaches this GOROOT")
	case err == nil:
		text += line("copy", "%s", o.GOROOT)
	default:
		text += line("copy", "not there yet: no overlay reaches the module cache")
	}
	if err == nil {
		for _, c := range o.AllCompiled() {
			text += line("compiled", "%s, in %s", c.How, c.Cache)
		}
	}
	if err != nil || len(o.AllCompiled()) == 0 {
		text += line("compiled", "not yet; the first test compiles the standard library, once")
	}
	return text
}
