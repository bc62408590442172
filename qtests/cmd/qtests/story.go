package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/find"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/story"
)

// tellStory writes the account of a failure to files called base, with .txt and .html, and
// prints it.
func (d *finding) tellStory(ctx context.Context, s *find.Search, f *find.Found, choices []ordered.Choice, base string) error {
	steps, err := s.Steps(ctx, f, choices)
	if err != nil {
		return err
	}
	told := story.Tell(f.Test, f.Failure, steps.Steps, sourceLines())
	if err := writeFile(base+".txt", func(w *os.File) error { _, err := w.WriteString(told.String()); return err }); err != nil {
		return err
	}
	if err := writeFile(base+".html", func(w *os.File) error { return told.WriteHTML(w) }); err != nil {
		return err
	}
	fmt.Fprintf(d.stdout, "%sthe same as a drawing: %s\n", told, base+".html")
	return nil
}

// sourceLines returns a reader of single lines, which reads each file once.
func sourceLines() func(file string, line int) string {
	files := map[string][]string{}
	return func(file string, line int) string {
		lines, ok := files[file]
		if !ok {
			data, _ := os.ReadFile(file) // without it there are no names of objects
			lines = strings.Split(string(data), "\n")
			files[file] = lines
		}
		if line < 1 || line > len(lines) {
			return ""
		}
		return lines[line-1]
	}
}
