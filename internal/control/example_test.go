package control_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/control"
	"github.com/tunscript/tunscript/tundev"
)

// A run with a socket, and somebody who asks it.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	dev, _ := tundev.Pipe(tundev.Config{Name: "tun0"})
	eng, err := engine.New(engine.Config{Devices: []engine.DeviceConfig{{Device: dev}}})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()

	s, err := control.Listen(filepath.Join(dir, "ctl"), control.Host{Engine: eng, Stop: func() { eng.Close() }})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	s.Start()

	ctx := context.Background()
	c, err := control.Dial(ctx, filepath.Join(dir, "ctl"))
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	st, err := c.Stats(ctx)
	fmt.Println(st.Devices[0].Name, st.Devices[0].Received, err)
	// Output: tun0 0 <nil>
}
