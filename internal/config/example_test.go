package config_test

import (
	"errors"
	"fmt"

	"github.com/tunscript/tunscript/internal/config"
)

func ExampleParse() {
	_, err := config.Parse("config.toml", []byte(`
[[device]]
name    = "tun0"
adress  = "192.0.2.1/24"
forward = "tun1"
`))
	if mistakes, ok := errors.AsType[config.Errors](err); ok {
		fmt.Print(mistakes.Show())
	}
	// Output:
	// config.toml:4:1: device[1].adress: unknown key; did you mean "address"?
	//     4 | adress  = "192.0.2.1/24"
	//       | ^^^^^^
	// config.toml:5:11: device[1].forward: there is no device "tun1"; did you mean "tun0"?
	//     5 | forward = "tun1"
	//       |           ^^^^^^
}
