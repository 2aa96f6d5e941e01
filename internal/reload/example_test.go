package reload_test

import (
	"fmt"
	"log"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/reload"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
)

// A script that is saved with a mistake, and then mended.
func Example() {
	saved := `on("udp", function() return "drop" end)`
	load := func(int) (engine.Program, error) {
		return luabind.LoadString("gate.lua", saved, luabind.Options{Name: "gate"})
	}
	gate, err := load(0)
	if err != nil {
		log.Fatal(err)
	}
	dev, _ := tundev.Pipe(tundev.Config{Name: "tun0"})
	eng, err := engine.New(engine.Config{
		Devices:  []engine.DeviceConfig{{Device: dev}},
		Programs: []engine.ProgramConfig{{Program: gate}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	scripts := reload.New(eng, []engine.Program{gate}, load)

	saved = `on("udp", function() return "drop" edn)`
	fmt.Println(scripts.All())
	saved = `on("udp", function() return "drop", "mended" end)`
	fmt.Println(scripts.One("gate"))
	// Output:
	// [] gate.lua:1:36: 'end' expected near 'edn'; did you mean 'end'?
	// <nil>
}
