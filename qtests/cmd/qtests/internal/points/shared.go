package points

import (
	"go/ast"
	"go/token"
	"go/types"
)

// findShared finds the variables and fields that more than one goroutine may write to.
func (src *source) findShared() {
	uses := &usage{info: src.info, writes: map[types.Object]bool{}, captured: map[types.Object]bool{}, params: map[types.Object]bool{}}
	for _, f := range src.files {
		uses.look(f.ast)
	}
	src.shared, src.fields, src.made = map[types.Object]bool{}, map[types.Object]bool{}, map[types.Object]bool{}
	for obj := range uses.writes {
		v := obj.(*types.Var)
		if v.IsField() {
			src.fields[obj] = true
		} else if uses.captured[obj] || isGlobal(v) {
			src.shared[obj] = true
		}
	}
	for _, obj := range src.info.Defs {
		if v, ok := obj.(*types.Var); ok {
			if isGlobal(v) && v.Exported() {
				src.shared[obj] = true
			}
			if !v.IsField() && !isGlobal(v) && !uses.captured[obj] && !uses.params[obj] {
				src.made[obj] = true
			}
		}
	}
}

func isGlobal(v *types.Var) bool {
	return !v.IsField() && v.Pkg() != nil && v.Parent() == v.Pkg().Scope()
}

// A usage notes what happens to variables, without their declarations.
type usage struct {
	info     *types.Info
	writes   map[types.Object]bool
	captured map[types.Object]bool
	params   map[types.Object]bool
	lits     []*ast.FuncLit // around the place
}

func (u *usage) look(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			u.parameters(n.Type)
			u.lits = append(u.lits, n)
			u.look(n.Body)
			u.lits = u.lits[:len(u.lits)-1]
			return false
		case *ast.FuncDecl:
			u.parameters(n.Type)
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, x := range n.Lhs {
					u.written(x)
				}
			} else {
				u.redefined(n)
			}
		case *ast.IncDecStmt:
			u.written(n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				u.written(n.Key)
				u.written(n.Value)
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				u.written(n.X)
			}
		case *ast.Ident:
			u.used(n)
		}
		return true
	})
}

// redefined notes the variables of a := that were there before.
func (u *usage) redefined(n *ast.AssignStmt) {
	for _, x := range n.Lhs {
		if id, ok := x.(*ast.Ident); ok && u.info.Defs[id] == nil {
			u.written(x)
		}
	}
}

func (u *usage) parameters(t *ast.FuncType) {
	for _, f := range t.Params.List {
		for _, id := range f.Names {
			u.params[u.info.Defs[id]] = true
		}
	}
}

// used notes a variable that a function literal takes from outside.
func (u *usage) used(id *ast.Ident) {
	v, ok := u.info.Uses[id].(*types.Var)
	if !ok || v.IsField() || len(u.lits) == 0 {
		return
	}
	if in := u.lits[len(u.lits)-1]; v.Pos() < in.Pos() {
		u.captured[v] = true
	}
}

// written notes the variable or field that x is, or lies in.
func (u *usage) written(x ast.Expr) {
	for x != nil {
		switch e := x.(type) {
		case *ast.Ident:
			if v, ok := u.info.ObjectOf(e).(*types.Var); ok {
				u.writes[v] = true
			}
			return
		case *ast.SelectorExpr:
			v, ok := u.info.Uses[e.Sel].(*types.Var)
			if ok {
				u.writes[v] = true
			}
			if s := u.info.Selections[e]; s == nil || s.Indirect() {
				return
			}
			x = e.X // a struct within a struct
		case *ast.IndexExpr:
			if _, array := under(u.info.TypeOf(e.X)).(*types.Array); !array {
				return
			}
			x = e.X
		case *ast.ParenExpr:
			x = e.X
		default:
			return
		}
	}
}

func under(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	return t.Underlying()
}
