package lab_test

import (
	"context"
	"fmt"
	"os"

	"github.com/tunscript/tunscript/internal/lab"
)

// A verb that lives in a lab. Everything before Enter runs twice.
func Example() {
	verb := func() (status int, err error) {
		status, inside, err := lab.Enter(lab.Options{})
		if err != nil || !inside {
			return status, err // an error here is one of privilege, mostly: exit with 4
		}
		// Inside: make the device, start the engine, then
		return lab.Command{Args: os.Args[1:], Device: "tun0"}.Run(context.Background())
	}
	_ = verb
}

// Two namespaces in one process.
func ExampleNamespace_Do() {
	far, err := lab.NewNamespace()
	if err != nil {
		fmt.Println(err) // no right to make a network namespace: run it in a lab ...
		return
	}
	defer far.Close()
	err = far.Do(func() error {
		return nil // open a TUN device or a socket: it belongs to far
	})
	if err != nil {
		fmt.Println(err)
	}
}
