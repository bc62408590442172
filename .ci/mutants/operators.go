package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
)

var (
	boundaries = map[token.Token]string{token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">"}
	negations  = map[token.Token]string{token.EQL: "!=", token.NEQ: "==", token.LEQ: ">", token.GTR: "<=", token.LSS: ">=", token.GEQ: "<"}
	opposites  = map[token.Token]string{token.ADD: "-", token.SUB: "+", token.MUL: "/", token.QUO: "*", token.REM: "*"}
)

// binary mutates a comparison or arithmetic of numbers, or returns "".
func (w *rewriter) binary(e *ast.BinaryExpr) string {
	if w.skipped[e] || w.info.Types[e].Value != nil {
		return ""
	}
	if negation, ok := negations[e.Op]; ok {
		return w.comparison(e, negation)
	}
	opposite, ok := opposites[e.Op]
	number := w.number(e)
	if !ok || number == "" {
		return ""
	}
	id := w.add("ARITHMETIC_BASE", e.OpPos)
	// A function, so that only one of both is computed.
	return fmt.Sprintf("func() %s { if mutantOn_(%d) { return (%s) %s (%s) }; return (%s) %s (%s) }()",
		number, id, w.raw(e.X), opposite, w.raw(e.Y), w.rewritten(e.X), e.Op, w.rewritten(e.Y))
}

func (w *rewriter) comparison(e *ast.BinaryExpr, negation string) string {
	var out, off strings.Builder
	change := func(kind, op string) {
		id := w.add(kind, e.OpPos)
		fmt.Fprintf(&out, "mutantOn_(%d) && ((%s) %s (%s)) || ", id, w.raw(e.X), op, w.raw(e.Y))
		fmt.Fprintf(&off, "mutantOff_(%d) && ", id)
	}
	if boundary, ok := boundaries[e.Op]; ok {
		change("CONDITIONALS_BOUNDARY", boundary)
	}
	change("CONDITIONALS_NEGATION", negation)
	return fmt.Sprintf("(%s%s((%s) %s (%s)))", &out, &off, w.rewritten(e.X), e.Op, w.rewritten(e.Y))
}

// negative mutates -x, or returns "".
func (w *rewriter) negative(e *ast.UnaryExpr) string {
	number := w.number(e)
	if e.Op != token.SUB || w.skipped[e] || number == "" {
		return ""
	}
	return fmt.Sprintf("%s(mutantNegative_(%d, %s(%s)))", number, w.add("INVERT_NEGATIVES", e.OpPos), number, w.rewritten(e.X))
}

// count mutates x++ and x--, or returns "".
func (w *rewriter) count(s *ast.IncDecStmt) string {
	number := w.number(s.X)
	unsigned := strings.HasPrefix(number, "uint")
	if number == "" || unsigned && w.posts[s] {
		return ""
	}
	id, other, step := w.add("INCREMENT_DECREMENT", s.TokPos), token.DEC, "1"
	if s.Tok == token.DEC {
		other, step = token.INC, "-1"
	}
	if unsigned {
		return fmt.Sprintf("if mutantOn_(%d) { %s%s } else { %[2]s%[4]s }", id, w.raw(s.X), other, s.Tok)
	}
	return fmt.Sprintf("%s += %s(mutantStep_(%d, %s))", w.rewritten(s.X), number, id, step)
}

// switches is the file that turns one mutant on, and notes which are reached.
const switches = `

import (
	"os"
	"strconv"
	"syscall"
)

var mutant_, mutantsReached_ = mutantsInit_()
var mutantsSeen_ [100000]bool

func mutantsInit_() (id, fd int) {
	id, _ = strconv.Atoi(os.Getenv("MUTANTS_ID"))
	file := os.Getenv("MUTANTS_REACHED")
	if file == "" {
		return id, -1
	}
	fd, err := syscall.Open(file, syscall.O_APPEND|syscall.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	return id, fd
}

func mutantOff_(id int) bool { return mutant_ != id }

func mutantOn_(id int) bool {
	if mutantsReached_ >= 0 && !mutantsSeen_[id] {
		mutantsSeen_[id] = true
		syscall.Write(mutantsReached_, []byte(strconv.Itoa(id)+"\n"))
	}
	return mutant_ == id
}

func mutantNegative_[T ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64](id int, x T) T {
	if mutantOn_(id) {
		return x
	}
	return -x
}

func mutantStep_(id, by int) int {
	if mutantOn_(id) {
		return -by
	}
	return by
}
`
