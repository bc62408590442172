package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-qtests/qtests/qtests/internal/ordered"
	"github.com/go-qtests/qtests/qtests/internal/patch"
)

func TestExplain(t *testing.T) {
	misfit := &patch.Misfit{Version: "go1.27.3", File: "f.go", What: "func f", Err: errors.New("none fits")}
	require.NoError(t, explain(nil, "go1.27.3", "go1.26.8"))
	require.Equal(t, misfit, explain(misfit, "go1.27.3", "go1.27.3"))
	require.Equal(t, misfit, explain(misfit, "go1.26.8", "go1.27.3"))
	err := explain(misfit, "go1.27.3", "go1.26.8")
	require.ErrorIs(t, err, misfit)
	require.ErrorContains(t, err, "compiled by go1.26.8")
}

// TestPlacesOfAnotherGo: the doctor lists each place, and at those of the files that are not there what is wrong.
func TestPlacesOfAnotherGo(t *testing.T) {
	places, err := changes{}.Places(t.TempDir(), runtime.Version())
	require.Error(t, err)
	wrong := 0
	for _, p := range places {
		if p.Err != nil {
			wrong++
		}
	}
	require.Positive(t, wrong)
}

// TestPlayed says on which runtime it runs. TestOrderedRuntime runs it.
func TestPlayed(t *testing.T) { t.Logf("ordered: %t", ordered.Available()) }

// TestOrderedRuntime takes the changes as they are through the Go at hand, which lies in
// the module cache when the go command has downloaded it.
func TestOrderedRuntime(t *testing.T) {
	inPlainRun(t)
	if testing.Short() {
		t.Skip("compiles the standard library")
	}
	here, err := os.Getwd()
	require.NoError(t, err)
	p := at(here)
	doctor := finish(t, p.command(os.Args[0], "real", "doctor"))
	require.Equal(t, 0, doctor.status, doctor.stdout+doctor.stderr)
	require.Regexp(t, `\n  fits    runtime/proc\.go:\d+  `, doctor.stdout)

	args := []string{"test", "-v", "-run=^TestPlayed$", "."}
	require.Contains(t, p.gocmd(t, args...).stdout, "ordered: false\n")
	got := finish(t, p.command(os.Args[0], "real", args...))
	require.Equal(t, 0, got.status, got.stdout+got.stderr)
	require.Contains(t, got.stdout, "ordered: true\n")
	require.Contains(t, finish(t, p.command(os.Args[0], "real", args...)).stdout, "(cached)")

	variables := finish(t, p.command(os.Args[0], "real", "env", "-shell=sh"))
	plain := finish(t, p.command("sh", "", "-c", variables.stdout+"go "+strings.Join(args[:2], " ")+" '"+args[2]+"' ."))
	require.Contains(t, plain.stdout, "ordered: true\n", plain.stderr)
}

// TestChangedFunctionDoesNotFit takes a function away from the sources at hand.
func TestChangedFunctionDoesNotFit(t *testing.T) {
	const file = "runtime/proc.go"
	text, err := os.ReadFile(filepath.Join(goroot(t), "src", "runtime", "proc.go"))
	require.NoError(t, err)
	changed := strings.Replace(string(text), "\nfunc ready(", "\nfunc readyOtherwise(", 1)
	require.NotEqual(t, string(text), changed)
	temp := t.TempDir()
	other := otherGOROOT(t, filepath.Join(temp, "go"), file, changed)
	p := program{dir: many(t), env: []string{"GOROOT=" + other, "QTESTS_CACHE=" + filepath.Join(temp, "store")}}
	got := finish(t, p.command(os.Args[0], "real", "test", "./ok"))
	require.Equal(t, 1, got.status)
	require.Empty(t, got.stdout)
	require.Regexp(t, `^qtests: the ordered runtime does not fit go1\.\S+: runtime/proc\.go: ready.*\n$`, got.stderr)
	require.NoDirExists(t, filepath.Join(temp, "store"))
}
