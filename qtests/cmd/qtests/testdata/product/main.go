// Command product stands for a program that is released: it imports the library, prints
// what Go decides at random, and tries to order a bubble all the same.
package main

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"github.com/go-qtests/qtests/qtests/breaker"
	"github.com/go-qtests/qtests/qtests/internal/ordered"
)

func main() {
	b, err := breaker.New(breaker.Config{Name: "product"})
	if err != nil {
		panic(err)
	}
	fmt.Println("breaker:", b.State())
	m := map[int]bool{}
	for i := range 100 {
		m[i] = true
	}
	fmt.Print("map:")
	for k := range m {
		fmt.Print(" ", k)
	}
	fmt.Println("\nrand:", rand.Uint64())
	fmt.Println("maphash:", maphash.String(maphash.MakeSeed(), "x"))
	fmt.Println("select:", chosen())
	fmt.Println("ordered:", ordered.Available())
	// A bubble takes a test.
	testing.Main(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "bubble", F: func(t *testing.T) {
		synctest.Test(t, func(*testing.T) {
			synctest.Wait()
			fmt.Println("arm:", ordered.Arm(1, true, nil))
			fmt.Println("in the bubble:", rand.Uint64(), chosen())
		})
	}}}, nil, nil)
}

// chosen returns which of two ready cases ran, 100 times.
func chosen() string {
	a, b := make(chan bool, 100), make(chan bool, 100)
	for range 100 {
		a <- true
		b <- true
	}
	var took []byte
	for range 100 {
		select {
		case <-a:
			took = append(took, 'a')
		case <-b:
			took = append(took, 'b')
		}
	}
	return string(took)
}
