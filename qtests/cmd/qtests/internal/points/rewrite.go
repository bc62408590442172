package points

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"github.com/go-qtests/qtests/qtests/internal/site"
	"github.com/go-qtests/qtests/qtests/internal/splice"
)

// A rewriter puts points into one file. An operand is read by value, or is the place that is
// read or written.
type rewriter struct {
	*source
	file    *file
	splices []splice.Splice
}

// rewrite returns the text of f with points, or nil where it has none.
func (src *source) rewrite(f *file) []byte {
	r := &rewriter{source: src, file: f}
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil && !hasDirective(fn) {
			r.walk(fn.Body)
		}
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
			r.functionsIn(g)
		}
	}
	if len(r.splices) == 0 {
		return nil
	}
	return splice.Apply(f.text, r.splices)
}

// functionsIn puts points into the function literals of a declaration: its other
// expressions are evaluated before anything is shared.
func (r *rewriter) functionsIn(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		if lit, ok := n.(*ast.FuncLit); ok {
			r.walk(lit.Body)
			return false
		}
		return true
	})
}

func (r *rewriter) offset(p token.Pos) int { return r.fset.PositionFor(p, false).Offset }

func (r *rewriter) insert(at token.Pos, text string) { r.replace(at, at, text) }

func (r *rewriter) replace(from, to token.Pos, text string) {
	r.splices = append(r.splices, splice.Splice{From: r.offset(from), To: r.offset(to), Text: text})
}

// of is the text of a node as it is written.
func (r *rewriter) of(n ast.Node) string {
	return string(r.file.text[r.offset(n.Pos()):r.offset(n.End())])
}

// site describes what is done at x, whose value has the type t, which may be nil.
func (r *rewriter) site(op site.Op, reads bool, x ast.Node, t types.Type) string {
	size, signed, pointer := valueOf(t)
	return fmt.Sprint(uint32(site.New(op, size, reads, signed, pointer, r.fset.PositionFor(x.Pos(), false).Column, int(x.End()-x.Pos()))))
}

// valueOf says how a value of the type is kept: its size in bytes, 0 for not at all.
func valueOf(t types.Type) (size int, signed, pointer bool) {
	switch u := under(t).(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsBoolean != 0:
			return 1, false, false
		case u.Info()&types.IsInteger != 0:
			return int(types.SizesFor("gc", "amd64").Sizeof(u)), u.Info()&types.IsUnsigned == 0, false
		}
	case *types.Pointer, *types.Map, *types.Chan, *types.Signature:
		return 8, false, true
	}
	return 0, false, false
}

// walk puts points into a node and all that is in it.
func (r *rewriter) walk(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			return n.Tok == token.VAR
		case *ast.CommClause:
			r.comm(n)
			return false
		case *ast.AssignStmt:
			r.assign(n)
			return false
		case *ast.IncDecStmt:
			r.incDec(n)
			return false
		case *ast.SendStmt:
			r.send(n)
			return false
		case *ast.DeferStmt:
			return !r.deferred(n.Call)
		case *ast.RangeStmt:
			r.ranges(n)
			return false
		case ast.Expr:
			return r.expr(n)
		}
		return true
	})
}

// comm handles a case of a select, where a receive must stay one.
func (r *rewriter) comm(c *ast.CommClause) {
	switch s := c.Comm.(type) {
	case *ast.SendStmt:
		r.send(s)
	case *ast.ExprStmt:
		r.walk(s.X)
	case *ast.AssignStmt:
		r.walk(s.Rhs[0])
	}
	for _, s := range c.Body {
		r.walk(s)
	}
}

func (r *rewriter) ranges(n *ast.RangeStmt) {
	if _, ok := under(r.info.TypeOf(n.X)).(*types.Map); ok {
		r.wrap(n.X, "qtestsM(", r.site(site.MapRead, true, n.X, nil))
	} else if _, ok := under(r.info.TypeOf(n.X)).(*types.Chan); ok {
		r.channel(n.X, site.Receive)
	} else if _, ok := under(r.info.TypeOf(n.X)).(*types.Array); ok {
		r.place(n.X) // the array is not copied where no value is asked for
	} else {
		r.walk(n.X)
	}
	r.walk(n.Body)
}

// wrap puts a call around x, which is read, and walks into it.
func (r *rewriter) wrap(x ast.Expr, call, at string) {
	r.insert(x.Pos(), call)
	r.walk(x)
	r.insert(x.End(), ", "+at+")")
}

func (r *rewriter) channel(x ast.Expr, op site.Op) {
	r.wrap(x, "qtestsM(", r.site(op, op == site.Len, x, nil))
}

// expr handles an expression that is read. It reports whether its parts are to be walked.
func (r *rewriter) expr(x ast.Expr) bool {
	tv := r.info.Types[x]
	if tv.IsType() || tv.Value != nil {
		return false
	}
	switch x := x.(type) {
	case *ast.CallExpr:
		return r.call(x)
	case *ast.UnaryExpr:
		switch x.Op {
		case token.AND:
			r.place(x.X)
			return false
		case token.ARROW:
			r.channel(x.X, site.Receive)
			return false
		}
	case *ast.KeyValueExpr:
		if id, ok := x.Key.(*ast.Ident); !ok || !isField(r.info.Uses[id]) {
			r.walk(x.Key)
		}
		r.walk(x.Value)
		return false
	case *ast.SliceExpr:
		if _, array := under(r.info.TypeOf(x.X)).(*types.Array); array {
			r.place(x.X)
			r.indices(x)
			return false
		}
	case *ast.IndexExpr:
		if isMap(r.info.TypeOf(x.X)) {
			r.wrap(x.X, "qtestsM(", r.site(site.MapRead, true, x, nil))
			r.walk(x.Index)
			return false
		}
		return r.read(x)
	case *ast.Ident, *ast.SelectorExpr, *ast.StarExpr:
		return r.read(x)
	}
	return true
}

func (r *rewriter) indices(x *ast.SliceExpr) {
	for _, i := range []ast.Expr{x.Low, x.High, x.Max} {
		if i != nil {
			r.walk(i)
		}
	}
}

func isField(obj types.Object) bool {
	v, ok := obj.(*types.Var)
	return ok && v.IsField()
}

func isMap(t types.Type) bool {
	_, ok := under(t).(*types.Map)
	return ok
}

// read puts a point before the read of a shared place.
func (r *rewriter) read(x ast.Expr) bool {
	if !r.isShared(x) {
		r.place(x)
		return false
	}
	r.insert(x.Pos(), "(*qtestsR(&")
	r.place(x)
	r.insert(x.End(), ", "+r.site(site.Read, true, x, r.info.TypeOf(x))+"))")
	return false
}

// place walks into an expression that stands for a place: what leads to it is read, and
// it itself is not.
func (r *rewriter) place(x ast.Expr) {
	switch x := x.(type) {
	case *ast.Ident:
	case *ast.ParenExpr:
		r.place(x.X)
	case *ast.StarExpr:
		r.walk(x.X)
	case *ast.SelectorExpr:
		switch s := r.info.Selections[x]; {
		case s == nil: // of a package
		case isPointer(r.info.TypeOf(x.X)):
			r.walk(x.X)
		default:
			r.place(x.X)
		}
	case *ast.IndexExpr:
		if _, array := under(r.info.TypeOf(x.X)).(*types.Array); array {
			r.place(x.X)
		} else {
			r.walk(x.X)
		}
		r.walk(x.Index)
	default:
		r.walk(x)
	}
}

func isPointer(t types.Type) bool {
	_, ok := under(t).(*types.Pointer)
	return ok
}

// isShared reports whether x is a place that goroutines may share.
func (r *rewriter) isShared(x ast.Expr) bool {
	tv := r.info.Types[x]
	switch x := x.(type) {
	case *ast.Ident:
		return r.shared[r.info.Uses[x]]
	case *ast.ParenExpr:
		return r.isShared(x.X)
	case *ast.StarExpr:
		return tv.Addressable()
	case *ast.SelectorExpr:
		s := r.info.Selections[x]
		if s == nil {
			return r.sharedOutside(r.info.Uses[x.Sel])
		}
		if s.Kind() != types.FieldVal || !tv.Addressable() || ofSync(tv.Type) {
			return false
		}
		if v := s.Obj(); !v.Exported() && !r.fields[v] {
			return false
		}
		return s.Indirect() || isPointer(r.info.TypeOf(x.X)) || r.isShared(x.X)
	case *ast.IndexExpr:
		if !tv.Addressable() {
			return false
		}
		if _, slice := under(r.info.TypeOf(x.X)).(*types.Slice); slice {
			return !r.isMade(x.X)
		}
		return isPointer(r.info.TypeOf(x.X)) || r.isShared(x.X)
	}
	return false
}

// sharedOutside reports whether a variable of another package may be shared: those of the
// standard library are assigned to once.
func (r *rewriter) sharedOutside(obj types.Object) bool {
	v, ok := obj.(*types.Var)
	return ok && r.shared[v]
}

// isMade reports whether a slice is in a local variable that nothing captures.
func (r *rewriter) isMade(x ast.Expr) bool {
	id, ok := ast.Unparen(x).(*ast.Ident)
	return ok && r.made[r.info.Uses[id]]
}
