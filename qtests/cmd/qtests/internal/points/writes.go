package points

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/site"
)

// assign puts a point before each write of a shared place, behind the evaluation of what
// is written, where the type of that is its own.
func (r *rewriter) assign(n *ast.AssignStmt) {
	switch {
	case n.Tok == token.DEFINE:
		for _, x := range n.Rhs {
			r.walk(x)
		}
	case n.Tok != token.ASSIGN:
		r.update(n.Lhs[0], n.TokPos, n.Tok.String(), n.Rhs[0])
	case len(n.Lhs) == len(n.Rhs):
		for i, x := range n.Lhs {
			r.write(x, n.Rhs[i])
		}
	default:
		for _, x := range n.Lhs {
			r.writePlace(x)
		}
		for _, x := range n.Rhs {
			r.walk(x)
		}
	}
}

// write handles x = v.
func (r *rewriter) write(x, v ast.Expr) {
	call := r.writeCall(x)
	if tv := r.info.Types[v]; strings.HasPrefix(call, "qtestsV(") && (tv.Value != nil || tv.IsNil()) {
		call = "qtestsC(" + strings.TrimPrefix(call, "qtestsV(") // the place has the type
	} else if !r.hasOwnType(v) {
		call = ""
	}
	if call == "" || !r.isSimple(x) {
		r.writePlace(x)
		r.walk(v)
		return
	}
	r.writtenTo(x)
	r.insert(v.Pos(), call)
	r.walk(v)
	r.insert(v.End(), ", "+r.writeSite(x)+")")
}

// writeCall is the beginning of the call around what is written to x, or "" where that is
// no shared place.
func (r *rewriter) writeCall(x ast.Expr) string {
	if i, ok := x.(*ast.IndexExpr); ok && isMap(r.info.TypeOf(i.X)) {
		return "qtestsMV(" + r.of(i.X) + ", "
	}
	if r.isShared(x) {
		return "qtestsV(&" + r.of(x) + ", "
	}
	return ""
}

func (r *rewriter) writeSite(x ast.Expr) string {
	if i, ok := x.(*ast.IndexExpr); ok && isMap(r.info.TypeOf(i.X)) {
		return r.site(site.MapWrite, false, x, nil)
	}
	return r.site(site.Write, false, x, r.info.TypeOf(x))
}

// writtenTo walks into the place x, whose point is elsewhere.
func (r *rewriter) writtenTo(x ast.Expr) {
	if i, ok := x.(*ast.IndexExpr); ok && isMap(r.info.TypeOf(i.X)) {
		r.walk(i.X)
		r.walk(i.Index)
		return
	}
	r.place(x)
}

// writePlace puts the point of a write where the place is evaluated.
func (r *rewriter) writePlace(x ast.Expr) {
	switch {
	case r.writeCall(x) == "":
		r.place(x)
	case isMapElement(r.info, x):
		i := x.(*ast.IndexExpr)
		r.wrap(i.X, "qtestsM(", r.writeSite(x))
		r.walk(i.Index)
	default:
		r.insert(x.Pos(), "*qtestsR(&")
		r.place(x)
		// Without a size: what is there is not what will be written.
		r.insert(x.End(), ", "+r.site(site.Write, false, x, nil)+")")
	}
}

func isMapElement(info *types.Info, x ast.Expr) bool {
	i, ok := x.(*ast.IndexExpr)
	return ok && isMap(info.TypeOf(i.X))
}

// hasOwnType reports whether v has the same type alone as where it is assigned: it is no
// constant, not nil, and no comparison or shift that takes its type from there.
func (r *rewriter) hasOwnType(v ast.Expr) bool {
	tv := r.info.Types[v]
	if tv.Value != nil || tv.IsNil() || tv.Type == nil {
		return false
	}
	switch v := v.(type) {
	case *ast.ParenExpr:
		return r.hasOwnType(v.X)
	case *ast.UnaryExpr:
		return v.Op == token.AND || v.Op == token.ARROW || r.hasOwnType(v.X)
	case *ast.BinaryExpr:
		switch v.Op {
		case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ, token.LAND, token.LOR:
			return tv.Type == types.Typ[types.Bool]
		case token.SHL, token.SHR:
			return r.info.Types[v.X].Value == nil && r.hasOwnType(v.X)
		}
		return (r.info.Types[v.X].Value != nil || r.hasOwnType(v.X)) && (r.info.Types[v.Y].Value != nil || r.hasOwnType(v.Y))
	case *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr:
		_, function := under(tv.Type).(*types.Signature) // it may be generic
		return !function
	}
	return true
}

// isSimple reports whether x may be evaluated twice: it calls and receives nothing, and
// stands on one line.
func (r *rewriter) isSimple(x ast.Expr) bool {
	simple := !strings.Contains(r.of(x), "\n")
	ast.Inspect(x, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr, *ast.FuncLit:
			simple = false
		case *ast.UnaryExpr:
			simple = simple && n.Op != token.ARROW
		}
		return simple
	})
	return simple
}

// incDec handles x++ and x--.
func (r *rewriter) incDec(n *ast.IncDecStmt) {
	call := r.writeCall(n.X)
	if call == "" || !r.isSimple(n.X) {
		r.writePlace(n.X)
		return
	}
	r.writtenTo(n.X)
	r.replace(n.TokPos, n.TokPos+2, " = "+call+r.readAgain(n.X)+" "+n.Tok.String()[:1]+" 1, "+r.writeSite(n.X)+")")
}

// send handles a send, whose point comes behind the evaluation of what is sent.
func (r *rewriter) send(n *ast.SendStmt) {
	if !r.hasOwnType(n.Value) || !r.isSimple(n.Chan) || r.isSimple(n.Value) {
		r.channel(n.Chan, site.Send)
		r.walk(n.Value)
		return
	}
	r.walk(n.Chan)
	r.insert(n.Value.Pos(), "qtestsMV("+r.of(n.Chan)+", ")
	r.walk(n.Value)
	r.insert(n.Value.End(), ", "+r.site(site.Send, false, n.Chan, nil)+")")
}

// update handles x op= v, which reads x and then writes it.
func (r *rewriter) update(x ast.Expr, at token.Pos, op string, v ast.Expr) {
	call := r.writeCall(x)
	if call == "" || !r.isSimple(x) {
		r.writePlace(x)
		r.walk(v)
		return
	}
	r.writtenTo(x)
	r.replace(at, at+token.Pos(len(op)), "= "+call+r.readAgain(x)+" "+strings.TrimSuffix(op, "=")+" (")
	r.walk(v)
	r.insert(v.End(), "), "+r.writeSite(x)+")")
}

// readAgain is the text of a read of x.
func (r *rewriter) readAgain(x ast.Expr) string {
	if i, ok := x.(*ast.IndexExpr); ok && isMap(r.info.TypeOf(i.X)) {
		return "qtestsM(" + r.of(i.X) + ", " + r.site(site.MapRead, true, x, nil) + ")[" + r.of(i.Index) + "]"
	}
	return "(*qtestsR(&" + r.of(x) + ", " + r.site(site.Read, true, x, r.info.TypeOf(x)) + "))"
}
