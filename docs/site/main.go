// Command site writes the documentation of each package for users as a page of Markdown, for the site that
// make site builds with Hugo.
//
//	go run ./docs/site DIR
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

const module = "github.com/go-qtests/qtests"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./docs/site DIR")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(1)
	}
}

// write writes a page for each list of exported names in docs/api, and one that lists them.
func write(dir string) error {
	lists, err := filepath.Glob("docs/api/*.txt")
	if err != nil || len(lists) == 0 {
		return fmt.Errorf("docs/api has no lists: run it at the root of the repository (%v)", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	index := "---\ntitle: API\n---\n\n# API\n\n| package | |\n|---|---|\n"
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			return err
		}
		line, _, _ := strings.Cut(string(text), "\n")
		from := strings.TrimPrefix(line, "package ")
		page, synopsis, err := pageOf(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, nameOf(from)+".md"), page, 0o644); err != nil {
			return err
		}
		index += fmt.Sprintf("| [%s](%s.html) | %s |\n", from, nameOf(from), strings.ReplaceAll(synopsis, "|", `\|`))
	}
	return os.WriteFile(filepath.Join(dir, "_index.md"), []byte(index), 0o644)
}

// nameOf is the name of the page of a package.
func nameOf(dir string) string { return strings.ReplaceAll(dir, "/", "-") }

// A page is the documentation of one package while it is written.
type page struct {
	bytes.Buffer
	fset    *token.FileSet
	pkg     *doc.Package
	printer *comment.Printer
}

func pageOf(dir string) (text []byte, synopsis string, err error) {
	p := &page{fset: token.NewFileSet()}
	names, err := build.Default.ImportDir(dir, 0)
	if err != nil {
		return nil, "", err
	}
	var files []*ast.File
	for _, name := range append(names.GoFiles, append(names.TestGoFiles, names.XTestGoFiles...)...) {
		f, err := parser.ParseFile(p.fset, filepath.Join(dir, name), nil, parser.ParseComments)
		if err != nil {
			return nil, "", err
		}
		files = append(files, f)
	}
	if p.pkg, err = doc.NewFromFiles(p.fset, files, module+"/"+dir); err != nil {
		return nil, "", err
	}
	p.printer = p.pkg.Printer()
	p.printer.DocLinkURL, p.printer.HeadingLevel = link, 2
	fmt.Fprintf(p, "---\ntitle: %q\n---\n\n# %s\n\n```go\nimport %q\n```\n\n", dir, dir, module+"/"+dir)
	p.all()
	return p.Bytes(), p.pkg.Synopsis(p.pkg.Doc), nil
}

// all writes the documentation of the package, its names, and its examples.
func (p *page) all() {
	p.text(p.pkg.Doc)
	p.examples(p.pkg.Examples)
	p.values(p.pkg.Consts)
	p.values(p.pkg.Vars)
	p.funcs(p.pkg.Funcs)
	for _, x := range p.pkg.Types {
		p.entry("type "+x.Name, x.Name, x.Decl, x.Doc, x.Examples)
		p.values(x.Consts)
		p.values(x.Vars)
		p.funcs(x.Funcs)
		p.funcs(x.Methods)
	}
}

func (p *page) text(text string) {
	p.Write(p.printer.Markdown(p.pkg.Parser().Parse(text)))
	p.WriteString("\n")
}

func (p *page) values(all []*doc.Value) {
	for _, v := range all {
		p.code(v.Decl)
		p.text(v.Doc)
	}
}

func (p *page) funcs(all []*doc.Func) {
	for _, f := range all {
		title, anchor := "func "+f.Name, f.Name
		if f.Recv != "" {
			of := strings.TrimPrefix(f.Recv, "*")
			of, _, _ = strings.Cut(of, "[")
			title, anchor = "func ("+f.Recv+") "+f.Name, of+"."+f.Name
		}
		p.entry(title, anchor, f.Decl, f.Doc, f.Examples)
	}
}

func (p *page) entry(title, anchor string, decl ast.Decl, text string, examples []*doc.Example) {
	fmt.Fprintf(p, "### %s {#%s}\n\n", strings.NewReplacer("*", `\*`, "[", `\[`, "]", `\]`).Replace(title), anchor)
	p.code(decl)
	p.text(text)
	p.examples(examples)
}

func (p *page) examples(all []*doc.Example) {
	for _, x := range all {
		p.WriteString("Example:\n\n")
		p.text(x.Doc)
		p.code(x.Code)
		if x.Output != "" {
			p.WriteString("It prints:\n\n```text\n" + x.Output + "```\n\n")
		}
	}
}

func (p *page) code(node any) {
	p.WriteString("```go\n")
	if err := (&printer.Config{Mode: printer.UseSpaces, Tabwidth: 4}).Fprint(p, p.fset, node); err != nil {
		fmt.Fprintf(p, "// %v", err)
	}
	p.WriteString("\n```\n\n")
}

// link returns where a link of a doc comment leads.
func link(l *comment.DocLink) string {
	name := l.Name
	if l.Recv != "" {
		name = l.Recv + "." + l.Name
	}
	if name != "" {
		name = "#" + name
	}
	own, ok := strings.CutPrefix(l.ImportPath, module+"/")
	switch {
	case l.ImportPath == "":
		return name
	case ok:
		return nameOf(own) + ".html" + name
	case strings.Contains(strings.Split(l.ImportPath, "/")[0], "."):
		return "https://" + l.ImportPath
	}
	return "https://go.dev/pkg/" + l.ImportPath + "/" + name
}
