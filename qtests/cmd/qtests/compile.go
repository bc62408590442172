package main

import (
	"bufio"
	"bytes"
	"context"
	"strings"

	"github.com/go-qtests/qtests/qtests/cmd/qtests/internal/store"
)

const progressEvery = 50 // packages

// compile compiles the standard library under the overlay, unless it is noted that it
// has been, and says so when it takes work. flags are those that change the result.
//
// What the go command cannot compile is no error here: go test meets it again, and
// says it better.
func (t *tool) compile(ctx context.Context, o *orderedGo, flags []string) {
	key := store.Key(append(append(o.Building(), o.file), flags...)...)
	if o.overlay.IsCompiled(key) {
		return
	}
	version := o.Setting("GOVERSION")
	unlock, err := o.store.Lock(ctx, "std", func() {
		t.say("waiting for another process that compiles the standard library for the ordered runtime")
	})
	if err != nil { // the end of ctx, or a store that cannot be written to: go test compiles what it needs
		return
	}
	defer unlock()
	if o.overlay.IsCompiled(key) {
		return
	}
	flags = append([]string{"-overlay=" + o.file}, flags...)
	list, _ := o.Output(ctx, "list", append(flags[:len(flags):len(flags)], "std")...)
	p := &progress{tool: t, total: bytes.Count(list, []byte("\n")), version: version}
	if !p.run(ctx, o, flags) {
		return
	}
	proof, err := o.Output(ctx, "list", append(flags, "-export", "-f={{.Export}}", "runtime")...)
	if err != nil {
		return
	}
	how := strings.Join(append([]string{o.Setting("GOOS") + "/" + o.Setting("GOARCH")}, flags[1:]...), " ")
	note := store.Compiled{How: how, Cache: o.Setting("GOCACHE"), Proof: strings.TrimSpace(string(proof))}
	_ = o.store.SetCompiled(o.overlay, key, note) // without the note the next run looks again
}

// progress tells how far a compilation is, once there is something to compile.
type progress struct {
	*tool
	version     string
	done, total int
}

// run compiles, and reports whether all went well.
func (p *progress) run(ctx context.Context, o *orderedGo, flags []string) bool {
	cmd := o.Command(ctx, "build", append(append([]string{"-v"}, flags...), "std")...)
	gently(cmd)
	stderr, err := cmd.StderrPipe()
	if err != nil || cmd.Start() != nil {
		return false
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if line := lines.Text(); !strings.ContainsAny(line, " #:") { // -v names each package on a line
			p.compiling()
		}
	}
	if cmd.Wait() != nil || lines.Err() != nil {
		return false
	}
	if p.done > 0 {
		p.say("the standard library is compiled")
	}
	return true
}

func (p *progress) compiling() {
	if p.done == 0 {
		p.say("compiling the standard library of %s for the ordered runtime, once …", p.version)
	}
	p.done++
	if p.done%progressEvery == 0 {
		p.say("%d of %d packages", p.done, p.total)
	}
}
