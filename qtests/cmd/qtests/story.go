package main

import (
	"context"
	"fmt"
	"os"

	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/find"
	"github.com/go-qtests/qtests/qtests/internal/explore"
	"github.com/go-qtests/qtests/qtests/internal/story"
)

// tellStory writes the account of a failure to files called base, with .txt and .html, and
// prints it.
func (d *finding) tellStory(ctx context.Context, s *find.Search, f *find.Found, trial explore.Trial, base string) error {
	steps, err := s.Steps(ctx, f, trial)
	if err != nil {
		return err
	}
	told := story.Tell(f.Test, f.Failure, steps.Steps, trial.Inputs, story.Sources())
	if err := writeFile(base+".txt", func(w *os.File) error { _, err := w.WriteString(told.String()); return err }); err != nil {
		return err
	}
	if err := writeFile(base+".html", func(w *os.File) error { return told.WriteHTML(w) }); err != nil {
		return err
	}
	fmt.Fprintf(d.stdout, "%sthe same as a drawing: %s\n", told, base+".html")
	return nil
}
