package control

import (
	"log/slog"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/reload"
	"github.com/tunscript/tunscript/tundev/link"
)

// A Host is the run that a server lets others into.
type Host struct {
	Engine  *engine.Engine
	Links   []*link.Device  // those of its devices that are tunnels
	Scripts *reload.Scripts // nil: there are none to reload
	// Set gives an option of a script a value: "loss" or "gate.loss". The next load of
	// the script that it names reads it; undo takes it back.
	Set  func(key, value string) (script string, undo func(), err error)
	Stop func()       // ends the run
	Log  *slog.Logger // who changed something; nil: nobody is told
}
