package ordered_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"hash/maphash"
	mathrand "math/rand"
	randv2 "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A choice is something that Go decides at random.
type choice struct {
	name string
	make func(t *testing.T) string
	once bool // every seed gives the same
}

var choices = []choice{
	{name: "select", make: func(*testing.T) string {
		ready := make([]chan int, 4)
		for i := range ready {
			ready[i] = make(chan int, 50)
			for range 50 {
				ready[i] <- i
			}
		}
		var took []byte
		for range 50 {
			select {
			case i := <-ready[0]:
				took = append(took, byte('0'+i))
			case i := <-ready[1]:
				took = append(took, byte('0'+i))
			case i := <-ready[2]:
				took = append(took, byte('0'+i))
			case i := <-ready[3]:
				took = append(took, byte('0'+i))
			}
		}
		return string(took)
	}},
	{name: "range over a small map", make: func(*testing.T) string { return ranged(7) }},
	{name: "range over a large map", make: func(*testing.T) string { return ranged(1000) }},
	{name: "range over a map of the package", make: func(*testing.T) string {
		var b strings.Builder
		for k := range pkgMap {
			b.WriteString(k)
		}
		return b.String()
	}},
	{name: "sync.Map", once: true, make: func(*testing.T) string {
		var m sync.Map
		for i := range 100 {
			m.Store(fmt.Sprint(i), i)
		}
		var b strings.Builder
		m.Range(func(k, _ any) bool { fmt.Fprint(&b, k, " "); return true })
		return b.String()
	}},
	{name: "math/rand", make: func(*testing.T) string { return fmt.Sprint(mathrand.Int63(), mathrand.Perm(9)) }},
	{name: "math/rand/v2", make: func(*testing.T) string { return fmt.Sprint(randv2.Uint64(), randv2.Perm(9)) }},
	{name: "maphash", make: func(*testing.T) string { return fmt.Sprint(maphash.String(maphash.MakeSeed(), "x")) }},
	{name: "crypto/rand", make: func(*testing.T) string {
		var id [16]byte
		_, _ = rand.Read(id[:])
		return fmt.Sprintf("%x %s", id, rand.Text())
	}},
	{name: "a key of ECDSA", make: func(t *testing.T) string {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		return fmt.Sprint(key.X, key.Y)
	}},
	{name: "a key of RSA", make: func(t *testing.T) string {
		key, err := rsa.GenerateKey(rand.Reader, 1024)
		require.NoError(t, err)
		return key.N.String()
	}},
	{name: "os.CreateTemp", make: func(t *testing.T) string {
		f, err := os.CreateTemp(t.TempDir(), "x*y")
		require.NoError(t, err)
		require.NoError(t, f.Close())
		return filepath.Base(f.Name())
	}},
	{name: "who is first", once: false, make: func(*testing.T) string {
		var wg sync.WaitGroup
		var order []int
		for i := range 20 {
			wg.Go(func() { order = append(order, i) })
		}
		wg.Wait()
		return fmt.Sprint(order)
	}},
}

func ranged(n int) string {
	m := map[string]int{}
	for i := range n {
		m[fmt.Sprint(i)] = i
	}
	var b strings.Builder
	for k := range m {
		b.WriteString(k + " ")
	}
	return b.String()
}

// choose makes all choices with a seed, the first of each process behind what happens
// there once, and returns them by name.
func choose(t *testing.T, seed uint64) (made []string) {
	inBubble(t, seed, nil, func(t *testing.T) {
		chosenOnce.Do(func() {
			done := make(chan int)
			for range 3 {
				go func() { done <- mathrand.Int() + randv2.Int() }()
				<-done
			}
		})
		time.Sleep(time.Nanosecond)
		for _, c := range choices {
			made = append(made, fmt.Sprintf("%s: %q", c.name, c.make(t)))
		}
	})
	return made
}

var chosenOnce sync.Once

func TestChoicesComeFromTheSeed(t *testing.T) {
	needsOrdered(t)
	first, second := choose(t, 1), choose(t, 2)
	require.Equal(t, first, choose(t, 1), "the first run of a process is like the later ones")
	require.Equal(t, second, choose(t, 2))
	for i, c := range choices {
		require.Equal(t, c.once, first[i] == second[i], "%s\n%s", first[i], second[i])
	}
	require.Equal(t, slices.Concat(first, second), inProcess(t, "TestChildChoices"), "alone in another process")
	require.Equal(t, slices.Concat(first, second), inProcess(t, "Test(Pools.*|Channel.*|ChildChoices)"), "and among other tests")
}

func TestChildChoices(t *testing.T) {
	child(t)
	for _, seed := range []uint64{1, 2} {
		for _, c := range choose(t, seed) {
			tell("%s", c)
		}
	}
}

// TestGoroutinesDrawApart: what one goroutine draws does not depend on how much another
// one draws at the same instant.
func TestGoroutinesDrawApart(t *testing.T) {
	drawn := func(others int) (mine [3]int) {
		inBubble(t, 1, nil, func(*testing.T) {
			var wg sync.WaitGroup
			wg.Go(func() {
				for range others {
					randv2.Int()
				}
			})
			wg.Go(func() {
				for i := range mine {
					mine[i] = randv2.Int()
				}
			})
			wg.Wait()
		})
		return mine
	}
	a := drawn(0)
	require.Equal(t, a, drawn(1000))
	require.NotEqual(t, a[0], a[1])
}
