package userline

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"runtime"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A log is a test that has Output, or one that has not.
type log struct {
	lines []string
	out   *bytes.Buffer
}

func (l *log) Helper() {}
func (l *log) Logf(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

type logWithOutput struct{ log }

func (l *logWithOutput) Output() io.Writer { return l.out }

// deep calls f from the standard library.
func deep(f func()) {
	sort.Slice([]int{1, 2}, func(int, int) bool { f(); return false })
}

func TestOf(t *testing.T) {
	require.Regexp(t, `^userline_test\.go:\d+$`, Of(Stack()))
	deep(func() { require.Regexp(t, `^userline_test\.go:\d+$`, Of(Stack())) })
	line := make(chan string)
	go func() { line <- Of(Stack()) }()
	require.Regexp(t, `^userline_test\.go:\d+$`, <-line)
	require.Empty(t, Of(nil))
	require.Empty(t, Of(Stack()[2:]), "the testing package and the runtime")
}

func TestLogf(t *testing.T) {
	with := &logWithOutput{log{out: &bytes.Buffer{}}}
	deep(func() { Logf(with, "a %d", 1) })
	require.Equal(t, []string{"a 1"}, with.lines, "it may want to see it")
	before := OutputOfT
	t.Cleanup(func() { OutputOfT = before })
	OutputOfT = func(t any) io.Writer {
		if t, ok := t.(*logWithOutput); ok {
			return t.out
		}
		return nil
	}
	with.lines = nil
	deep(func() { Logf(with, "a %d\nb", 1) })
	require.Regexp(t, `^userline_test\.go:\d+: a 1\n    b\n$`, with.out.String())
	require.Empty(t, with.lines)
	without := &log{}
	Logf(without, "a %d", 1)
	require.Equal(t, []string{"a 1"}, without.lines)
}

// A told is a test that notes what it is told.
type told struct{ errors []string }

func (*told) Helper()                        {}
func (*told) Logf(string, ...any)            {}
func (x *told) Errorf(f string, args ...any) { x.errors = append(x.errors, fmt.Sprintf(f, args...)) }

// A failure is told at its line by those who can, and else by the test itself.
func TestErrorf(t *testing.T) {
	x := new(told)
	Errorf(x, "%d", 1)
	require.Equal(t, []string{"1"}, x.errors)
	before := FailT
	defer func() { FailT = before }()
	var at, text string
	FailT = func(_ any, line, what string) bool { at, text = line, what; return true }
	Errorf(x, "%d", 2)
	require.Equal(t, []string{"1"}, x.errors)
	require.Regexp(t, `^userline_test.go:\d+$`, at)
	require.Equal(t, "2", text)
}

// Where no line is the user's, the first one of another module counts.
func TestLinesOfOtherModules(t *testing.T) {
	at := func(f any) uintptr { return reflect.ValueOf(f).Pointer() + 1 }
	require.Regexp(t, `^require.go:\d+$`, Of([]uintptr{at(strings.ToUpper), at(require.Equal), at(assert.Equal)}))
	require.Regexp(t, `^userline_test.go:\d+$`, Of([]uintptr{at(require.Equal), at(TestErrorf)}))
	require.Empty(t, Of([]uintptr{at(strings.ToUpper)}))
	require.Empty(t, Of(nil))
}

// With -trimpath a file has no directory that says whose it is: the names of packages do.
func TestStandardByName(t *testing.T) {
	const user, library = false, true
	for function, want := range map[string]bool{
		"sort.Slice": library, "sync.(*Once).doSlow": library, "database/sql.(*DB).Query": library, "runtime.goexit": library, "testing.tRunner": library,
		"main.main": user, "main.TestShop.func1": user, "example.com/shop.Buy": user, "example%2ecom.Buy": user, "gopkg.in/yaml%2ev3.Marshal": user,
		"sample.Buy": user, "sample/cart.(*Cart).Add": user, "samples.Buy": library,
	} {
		require.Equal(t, want, standardByName(function, "sample/shop"), function)
	}
	require.Equal(t, library, standardByName("sample.Buy", ""), "where the module is not known")
	_, file, _, _ := runtime.Caller(0)
	require.Equal(t, !filepath.IsAbs(file), trimmed)
	before := trimmed
	defer func() { trimmed = before }()
	trimmed = true
	at := func(f any) uintptr { return reflect.ValueOf(f).Pointer() + 1 }
	require.Regexp(t, `^userline_test.go:\d+$`, Of([]uintptr{at(sort.Ints), at(fmt.Sprint), at(TestErrorf)}))
}

func TestFilesOfOtherModules(t *testing.T) {
	for file, want := range map[string]bool{
		"/root/go/pkg/mod/example.com/shop@v1.2.3/cart/cart.go": true, "/home/me/shop/vendor/example.com/cart/cart.go": true, "example.com/shop@v1.2.3/cart/cart.go": true,
		"/home/me/shop/cart.go": false, "example.com/shop/cart.go": false, "/home/me@work/cart.go": false,
	} {
		require.Equal(t, want, ofOtherModule(file), file)
	}
}
