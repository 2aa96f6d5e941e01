package setup

import (
	"time"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/config"
)

// Check finds what would keep c from starting, without opening a device: what
// this version cannot do, scripts that do not load or whose top level raises,
// filters that do not compile.
func Check(c *config.Config, opt Options) error {
	if err := Supported(c); err != nil {
		return err
	}
	opt.checking = true
	programs, err := Scripts(c, opt)
	if err != nil {
		return err
	}
	devices, err := Pretend(c)
	if err != nil {
		return err
	}
	ec := Engine(c, opt)
	ec.Devices, ec.Programs = devices, programs
	ec.Clock, ec.Workers = engine.Virtual(time.Unix(0, 0)), 1
	eng, err := engine.New(ec)
	if err != nil {
		Close(devices)
		return err
	}
	defer eng.Close()
	return eng.Check()
}
