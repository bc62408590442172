package points

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/go-qtests/qtests/qtests/internal/site"
)

// methods of sync and sync/atomic, and what they do. Those that only read are in readers.
var methods = map[string]site.Op{
	"Lock": site.Lock, "Unlock": site.Unlock, "RLock": site.RLock, "RUnlock": site.RUnlock,
	"TryLock": site.TryLock, "TryRLock": site.TryLock, "Add": site.Add, "Done": site.Done, "Go": site.Add,
	"Wait": site.Wait, "Do": site.Do, "Signal": site.Signal, "Broadcast": site.Broadcast,
	"Get": site.Get, "Put": site.Put, "Load": site.Load, "Store": site.Store, "Swap": site.Swap,
	"CompareAndSwap": site.Compare, "And": site.Add, "Or": site.Add, "Delete": site.Store,
	"LoadOrStore": site.Swap, "LoadAndDelete": site.Swap, "CompareAndDelete": site.Compare, "Range": site.Load,
	"Clear": site.Store,
}

func reads(op site.Op) bool { return op == site.Load || op == site.RLock }

// ofSync reports whether t is a type of sync or sync/atomic.
func ofSync(t types.Type) bool {
	if n, ok := types.Unalias(t).(*types.Named); ok && n.Obj().Pkg() != nil {
		return isSync(n.Obj().Pkg())
	}
	return false
}

func isSync(p *types.Package) bool { return p.Path() == "sync" || p.Path() == "sync/atomic" }

// call handles a call. It reports whether its parts are to be walked.
func (r *rewriter) call(c *ast.CallExpr) bool {
	switch fun := ast.Unparen(c.Fun).(type) {
	case *ast.Ident:
		if b, ok := r.info.Uses[fun].(*types.Builtin); ok {
			r.builtin(b.Name(), c.Args)
			return false
		}
	case *ast.SelectorExpr:
		if r.info.Selections[fun] == nil {
			return r.callOfPackage(fun, c.Args)
		}
		if !r.methodOfLast(fun, c.Args) {
			r.method(fun)
			r.walkAll(c.Args)
		}
		return false
	}
	return true
}

func (r *rewriter) walkAll(all []ast.Expr) {
	for _, x := range all {
		r.walk(x)
	}
}

func (r *rewriter) builtin(name string, args []ast.Expr) {
	if len(args) == 0 {
		return
	}
	t := r.info.TypeOf(args[0])
	_, isChan := under(t).(*types.Chan)
	switch {
	case name == "close":
		r.channel(args[0], site.Close)
	case (name == "len" || name == "cap") && isChan:
		r.channel(args[0], site.Len)
	case (name == "delete" || name == "clear") && isMap(t):
		r.wrap(args[0], "qtestsM(", r.site(site.MapWrite, false, args[0], nil))
	case name == "len" && isMap(t):
		r.wrap(args[0], "qtestsM(", r.site(site.MapRead, true, args[0], nil))
	case name == "new" || name == "make":
	default:
		r.walk(args[0])
	}
	r.walkAll(args[1:])
}

// callOfPackage handles a call of a function of another package: those of sync/atomic use
// what their first argument points to.
func (r *rewriter) callOfPackage(fun *ast.SelectorExpr, args []ast.Expr) bool {
	fn, ok := r.info.Uses[fun.Sel].(*types.Func)
	if !ok || fn.Pkg() == nil || fn.Pkg().Path() != "sync/atomic" || len(args) == 0 || !isPointer(r.info.TypeOf(args[0])) {
		return true
	}
	op := site.Other
	for name, o := range methods {
		if strings.HasPrefix(fn.Name(), name) { // of the functions only one does
			op = o
		}
	}
	pointee := under(r.info.TypeOf(args[0])).(*types.Pointer).Elem()
	if last := args[len(args)-1]; !r.isSimple(last) && r.hasOwnType(last) && r.isSimple(args[0]) {
		r.walkAll(args[:len(args)-1])
		r.behind(last, r.of(args[0]), r.site(op, false, args[0], r.info.TypeOf(last)))
		return false
	}
	r.wrap(args[0], "qtestsR(", r.site(op, reads(op), args[0], pointee))
	r.walkAll(args[1:])
	return false
}

// method handles the receiver of a method, or a field that is called.
func (r *rewriter) method(fun *ast.SelectorExpr) {
	s := r.info.Selections[fun]
	fn, ok := s.Obj().(*types.Func)
	if !ok || s.Kind() != types.MethodVal {
		if s.Kind() == types.FieldVal {
			r.read(fun)
		}
		return
	}
	op, known := methods[fn.Name()]
	recv := r.info.TypeOf(fun.X)
	switch {
	case fn.Pkg() == nil || !isSync(fn.Pkg()) || !known:
		r.receiver(fun.X, fn)
	case isPointer(recv):
		r.wrap(fun.X, "qtestsR(", r.site(op, reads(op), fun.X, nil))
	case types.IsInterface(recv):
		r.wrap(fun.X, "qtestsI(", r.site(op, reads(op), fun.X, nil))
	case r.info.Types[fun.X].Addressable():
		r.insert(fun.X.Pos(), "qtestsR(&")
		r.place(fun.X)
		r.insert(fun.X.End(), ", "+r.site(op, reads(op), fun.X, nil)+")")
	default:
		r.walk(fun.X)
	}
}

// behind puts a point behind the evaluation of an argument, for what addr points to.
func (r *rewriter) behind(x ast.Expr, addr, at string) {
	r.insert(x.Pos(), "qtestsV("+addr+", ")
	r.walk(x)
	r.insert(x.End(), ", "+at+")")
}

// methodOfLast handles a method of sync/atomic whose last argument calls something, as in
// n.Store(n.Load() + 1): its point comes behind that. It reports whether it was one.
func (r *rewriter) methodOfLast(fun *ast.SelectorExpr, args []ast.Expr) bool {
	fn, ok := r.info.Selections[fun].Obj().(*types.Func)
	if !ok || len(args) == 0 || fn.Pkg() == nil || !isSync(fn.Pkg()) {
		return false
	}
	op, known := methods[fn.Name()]
	last := args[len(args)-1]
	if !known || r.isSimple(last) || !r.hasOwnType(last) || !r.isSimple(fun.X) || isFunction(r.info.TypeOf(last)) {
		return false
	}
	addr := "&" + r.of(fun.X)
	if isPointer(r.info.TypeOf(fun.X)) {
		addr = r.of(fun.X)
		r.walk(fun.X)
	} else if r.info.Types[fun.X].Addressable() {
		r.place(fun.X)
	} else {
		return false
	}
	r.walkAll(args[:len(args)-1])
	r.behind(last, addr, r.site(op, false, fun.X, r.info.TypeOf(last)))
	return true
}

func isFunction(t types.Type) bool {
	_, ok := under(t).(*types.Signature)
	return ok
}

// receiver walks into the receiver of a method, which takes its address where it is no
// pointer and the method wants one.
func (r *rewriter) receiver(x ast.Expr, fn *types.Func) {
	sig := fn.Type().(*types.Signature)
	if isPointer(sig.Recv().Type()) && !isPointer(r.info.TypeOf(x)) {
		r.place(x)
		return
	}
	r.walk(x)
}

// deferred handles a deferred method of sync that takes nothing, whose point comes when it
// is called. It reports whether the call was one.
func (r *rewriter) deferred(c *ast.CallExpr) bool {
	fun, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr)
	if !ok || len(c.Args) > 0 {
		return false
	}
	s := r.info.Selections[fun]
	if s == nil || s.Kind() != types.MethodVal || s.Obj().Pkg() == nil || !isSync(s.Obj().Pkg()) {
		return false
	}
	op, known := methods[fun.Sel.Name]
	sig := s.Obj().Type().(*types.Signature)
	addr := "&" + r.of(fun.X)
	switch {
	case !known || sig.Results().Len() > 0 || !r.isSimple(fun.X) || types.IsInterface(r.info.TypeOf(fun.X)):
		return false
	case isPointer(r.info.TypeOf(fun.X)):
		addr = r.of(fun.X)
	case !r.info.Types[fun.X].Addressable():
		return false
	}
	r.replace(c.Pos(), c.End(), "qtestsD("+addr+", "+r.of(fun)+", "+r.site(op, reads(op), fun.X, nil)+")")
	return true
}
