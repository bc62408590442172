package patch

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/splice"
)

// A change is one kind of edit in one scope.
type change struct {
	files []string // the file; of several, one exists in each version of Go
	in    string   // scope: see source.scope
	what  string   // the place in it, for people
	n     int      // how many places must fit; 1 where 0
	find  finder
	put   putter
	text  string
}

// A finder reports whether the change belongs at n, whose parent is up.
type finder func(s *source, n, up ast.Node) bool

// A putter returns the splice for the place n.
type putter func(s *source, n ast.Node, text string) splice.Splice

func (c change) file(src string) string {
	for _, f := range c.files {
		if _, err := os.Stat(filepath.Join(src, filepath.FromSlash(f))); err == nil {
			return f
		}
	}
	return c.files[0]
}

func (c change) describe() string {
	if c.in == "" {
		return c.what
	}
	return c.in + ": " + c.what
}

// apply puts the change into s and returns the lines at which it does.
func (c change) apply(s *source) ([]int, error) {
	root, err := s.scope(c.in)
	if err != nil {
		return nil, err
	}
	want := max(c.n, 1)
	var lines []int
	var splices []splice.Splice
	var stack []ast.Node
	ast.Inspect(root, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		var up ast.Node
		if len(stack) > 0 {
			up = stack[len(stack)-1]
		}
		stack = append(stack, n)
		if c.find(s, n, up) {
			lines = append(lines, s.line(n.Pos()))
			splices = append(splices, c.put(s, n, c.text))
		}
		return true
	})
	if len(lines) != want {
		return nil, fmt.Errorf("%d places fit, not %d", len(lines), want)
	}
	s.splices = append(s.splices, splices...)
	return lines, nil
}

// Finders.

// theFunc is the function itself.
func theFunc(_ *source, n, _ ast.Node) bool {
	_, ok := n.(*ast.FuncDecl)
	return ok
}

// callOf is a call of the function with this name, as it is written.
func callOf(name string) finder {
	return func(s *source, n, _ ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		return ok && s.of(call.Fun) == name
	}
}

// stmtCalling is a statement that is such a call.
func stmtCalling(name string) finder {
	return func(s *source, n, up ast.Node) bool {
		x, ok := n.(*ast.ExprStmt)
		return ok && callOf(name)(s, x.X, n)
	}
}

// stmtSetting is an assignment to the variable or field with this name, as it is written.
func stmtSetting(name string) finder {
	return func(s *source, n, _ ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		return ok && len(a.Lhs) == 1 && s.of(a.Lhs[0]) == name
	}
}

// stmtDefining is a := of the variable with this name.
func stmtDefining(name string) finder {
	return func(s *source, n, up ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		return ok && a.Tok == token.DEFINE && stmtSetting(name)(s, n, up)
	}
}

// settingTo is an assignment of this value, as it is written.
func settingTo(name, value string) finder {
	return func(s *source, n, up ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		return ok && len(a.Rhs) == 1 && stmtSetting(name)(s, n, up) && s.of(a.Rhs[0]) == value
	}
}

// ifMentioning is an if whose condition mentions all these names.
func ifMentioning(names ...string) finder {
	return func(s *source, n, _ ast.Node) bool {
		x, ok := n.(*ast.IfStmt)
		return ok && mentions(x.Cond, names) || ok && x.Init != nil && mentions(x.Init, names)
	}
}

func mentions(n ast.Node, names []string) bool {
	left := map[string]bool{}
	for _, name := range names {
		left[name] = true
	}
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			delete(left, id.Name)
		}
		return true
	})
	return len(left) == 0
}

// ifCalling is an if whose initial statement calls the function with this name.
func ifCalling(name string) finder {
	return func(s *source, n, _ ast.Node) bool {
		x, ok := n.(*ast.IfStmt)
		if !ok || x.Init == nil {
			return false
		}
		a, ok := x.Init.(*ast.AssignStmt)
		return ok && len(a.Rhs) == 1 && callOf(name)(s, a.Rhs[0], nil)
	}
}

// doing is f where the body of the if directly calls the function with this name.
func doing(name string, f finder) finder {
	return func(s *source, n, up ast.Node) bool {
		x, ok := n.(*ast.IfStmt)
		if !ok || !f(s, n, up) {
			return false
		}
		for _, stmt := range x.Body.List {
			if stmtCalling(name)(s, stmt, x.Body) {
				return true
			}
		}
		return false
	}
}

// top is f where the place is a statement of the function's body itself.
func top(f finder) finder {
	return func(s *source, n, up ast.Node) bool {
		if !f(s, n, up) {
			return false
		}
		for _, d := range s.file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil && up == fn.Body {
				return true
			}
		}
		return false
	}
}

// nested is f where it is not.
func nested(f finder) finder {
	return func(s *source, n, up ast.Node) bool { return f(s, n, up) && !top(f)(s, n, up) }
}

// identIn is the identifier within a call of the function called fn.
func identIn(name, fn string) finder {
	return func(s *source, n, up ast.Node) bool {
		id, ok := n.(*ast.Ident)
		return ok && id.Name == name && up != nil && callOf(fn)(s, up, nil)
	}
}

// structBody is the struct type of the declaration.
func structBody(_ *source, n, _ ast.Node) bool {
	_, ok := n.(*ast.StructType)
	return ok
}

// fieldCalled is the field of a struct with this name.
func fieldCalled(name string) finder {
	return func(_ *source, n, _ ast.Node) bool {
		f, ok := n.(*ast.Field)
		return ok && len(f.Names) == 1 && f.Names[0].Name == name
	}
}

// constBlock is the whole declaration, of constants.
func constBlock(_ *source, n, _ ast.Node) bool {
	d, ok := n.(*ast.GenDecl)
	return ok && d.Tok == token.CONST
}

// theLiteral is the composite literal of the declaration.
func theLiteral(_ *source, n, up ast.Node) bool {
	_, ok := n.(*ast.CompositeLit)
	_, value := up.(*ast.ValueSpec)
	return ok && value
}

// theReturn is a return statement with a value.
func theReturn(_ *source, n, _ ast.Node) bool {
	r, ok := n.(*ast.ReturnStmt)
	return ok && len(r.Results) == 1
}

// linknameOf is the directive that gives the function its name.
func linknameOf(name string) finder {
	return func(_ *source, n, _ ast.Node) bool {
		c, ok := n.(*ast.Comment)
		return ok && strings.HasPrefix(c.Text, "//go:linkname "+name+" ")
	}
}

// constValue is the value given to the constant with this name.
func constValue(name string) finder {
	return func(_ *source, n, up ast.Node) bool {
		spec, ok := up.(*ast.ValueSpec)
		return ok && len(spec.Names) == 1 && spec.Names[0].Name == name && len(spec.Values) == 1 && n == spec.Values[0]
	}
}

// Putters.

func before(s *source, n ast.Node, text string) splice.Splice {
	at := s.offset(n.Pos())
	return splice.Splice{From: at, To: at, Text: text + "; "}
}

func after(s *source, n ast.Node, text string) splice.Splice {
	at := s.offset(n.End())
	return splice.Splice{From: at, To: at, Text: "; " + text}
}

// onEntry puts a statement at the start of the function's, or the if's, body.
func onEntry(s *source, n ast.Node, text string) splice.Splice {
	var body *ast.BlockStmt
	switch n := n.(type) {
	case *ast.FuncDecl:
		body = n.Body
	case *ast.IfStmt:
		body = n.Body
	}
	at := s.offset(body.Lbrace) + 1
	return splice.Splice{From: at, To: at, Text: " " + text + "; "}
}

// insteadOf replaces the place.
func insteadOf(s *source, n ast.Node, text string) splice.Splice {
	return splice.Splice{From: s.offset(n.Pos()), To: s.offset(n.End()), Text: text}
}

// callInstead replaces the function of a call.
func callInstead(s *source, n ast.Node, text string) splice.Splice {
	call := n.(*ast.CallExpr)
	return splice.Splice{From: s.offset(call.Fun.Pos()), To: s.offset(call.Fun.End()), Text: text}
}

// lastArg puts text behind the last argument of a call.
func lastArg(s *source, n ast.Node, text string) splice.Splice {
	at := s.offset(n.(*ast.CallExpr).Rparen)
	return splice.Splice{From: at, To: at, Text: text}
}

// lastArgInstead replaces the last argument of a call.
func lastArgInstead(s *source, n ast.Node, text string) splice.Splice {
	args := n.(*ast.CallExpr).Args
	return insteadOf(s, args[len(args)-1], text)
}

// andAlso adds to the condition of an if. In text, $x stands for the first operand of a
// comparison.
func andAlso(s *source, n ast.Node, text string) splice.Splice {
	cond := n.(*ast.IfStmt).Cond
	if bin, ok := cond.(*ast.BinaryExpr); ok {
		text = strings.ReplaceAll(text, "$x", s.of(bin.X))
	}
	return splice.Splice{From: s.offset(cond.Pos()), To: s.offset(cond.End()), Text: "(" + string(s.text[s.offset(cond.Pos()):s.offset(cond.End())]) + ") && " + text}
}

// lastField puts fields behind those of a struct, and lastElement elements behind those
// of a literal.
func lastField(s *source, n ast.Node, text string) splice.Splice {
	at := s.offset(n.(*ast.StructType).Fields.Closing)
	return splice.Splice{From: at, To: at, Text: text}
}

func lastElement(s *source, n ast.Node, text string) splice.Splice {
	at := s.offset(n.(*ast.CompositeLit).Rbrace)
	return splice.Splice{From: at, To: at, Text: text}
}

// lastConst puts constants behind those of a block.
func lastConst(s *source, n ast.Node, text string) splice.Splice {
	specs := n.(*ast.GenDecl).Specs
	return after(s, specs[len(specs)-1], text)
}

// orElse adds to the value that is returned.
func orElse(s *source, n ast.Node, text string) splice.Splice {
	at := s.offset(n.End())
	return splice.Splice{From: at, To: at, Text: " || " + text}
}
