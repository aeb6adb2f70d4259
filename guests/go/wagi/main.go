// Wagi guest in Go: shows the request and the root directory, and lets four goroutines sleep and meet.
package main

import (
	"fmt"
	"io"
	"os"
	"sort"
	"time"
)

func main() {
	body, err := io.ReadAll(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "cannot read the body:", err)
		os.Exit(1)
	}
	fmt.Print("content-type: text/plain\nx-guest: go-wagi\n\n")
	fmt.Printf("%s %s\nargs=%q\nbody=%d\n", os.Getenv("REQUEST_METHOD"), os.Getenv("PATH_INFO"), os.Args, len(body))
	if names, err := rootNames(); err == nil {
		fmt.Printf("root=%q\n", names)
	}
	fmt.Println("sum =", sumOfGoroutines(4))
	fmt.Fprintln(os.Stderr, "go guest done")
}

func rootNames() ([]string, error) {
	entries, err := os.ReadDir("/")
	names := []string{}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	sort.Strings(names)
	return names, err
}

// The Go scheduler waits in poll_oneoff while all of them sleep.
func sumOfGoroutines(count int) int {
	numbers := make(chan int)
	for i := range count {
		go func() {
			time.Sleep(5 * time.Millisecond)
			numbers <- i
		}()
	}
	sum := 0
	for range count {
		sum += <-numbers
	}
	return sum
}
