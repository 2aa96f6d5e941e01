// Command tunscript runs Lua scripts on packets. One file a verb; what a verb
// does is in the packages below internal, and only flags, output and exit codes
// are here.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/engine"
	"github.com/tunscript/tunscript/internal/config"
	"github.com/tunscript/tunscript/internal/control"
	"github.com/tunscript/tunscript/internal/lab"
	"github.com/tunscript/tunscript/internal/setup"
	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/tundev"
)

// Exit codes.
const (
	exitOK        = 0
	exitFailed    = 1 // while running
	exitUsage     = 2 // arguments or configuration
	exitScript    = 3 // a script does not load
	exitPrivilege = 4 // a right is missing
)

func main() { os.Exit(run(os.Args[1:])) }

// run is the command from arguments to exit code.
func run(args []string) int {
	root := rootCommand()
	root.SetArgs(dashes(args))
	c, err := root.ExecuteContextC(context.Background())
	err = meant(c, err)
	var status statusError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &status):
		return int(status)
	}
	show(os.Stderr, err)
	return exitCode(err)
}

// dashes spells -run, as go test has it, as what it would otherwise not be: --run.
func dashes(args []string) []string {
	if len(args) == 0 || args[0] != "test" {
		return args
	}
	args = slices.Clone(args)
	for i, a := range args {
		if a == "-run" || strings.HasPrefix(a, "-run=") {
			args[i] = "-" + a
		}
	}
	return args
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "tunscript",
		Short: "Lua scripts that see, change, drop and answer packets",
		Long: "tunscript reads packets from TUN and TAP devices and calls your Lua handlers,\n" +
			"which let them pass, drop, change or answer them. Start with: tunscript demo",
		SilenceErrors: true, SilenceUsage: true,
		// No template for it: with text/template in it the linker can leave nothing out,
		// which is 5 MB more of program and 3 MB more in memory.
		Version: strings.TrimPrefix(version(), "tunscript "),
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(demoCommand(), labCommand(), runCommand(), replayCommand(), checkCommand(), testCommand(), benchCommand(),
		ctlCommand(), devCommand(), doctorCommand(), initCommand(), stubsCommand(), versionCommand(), keeperCommand())
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Run, c.RunE = nil, help
		case "completion":
			onlyVerbs(c).Short = "Write what completes verbs and flags in a shell"
			for _, shell := range c.Commands() {
				shell.Args = takes(0, 0)
			}
		}
	}
	return root
}

// help is the verb of that name; cobra's says of an unknown verb so, and status 0.
func help(c *cobra.Command, args []string) error {
	about, rest, err := c.Root().Find(args)
	switch {
	case err != nil && len(args) > 0:
		return noVerb(c.Root(), args[0])
	case len(rest) > 0:
		return noVerb(about, rest[0])
	}
	about.InitDefaultHelpFlag()
	return about.Help()
}

// statusError is an exit status that says nothing more: that of a command in a lab.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// interrupted is the status of what ^C has ended.
const interrupted = statusError(128 + int(syscall.SIGINT))

// exitCode sorts an error into the codes.
func exitCode(err error) int {
	var (
		ue  *usageError
		ce  config.Errors
		c1  *config.Error
		ge  *engine.ConfigError
		se  *luabind.ScriptError
		he  *engine.HandlerError
		ex  *engine.ExitError
		oe  *luabind.OptionError
		st  *setup.SettingError
		ctl *control.Error
	)
	switch {
	case errors.As(err, &ex):
		return ex.Status
	case errors.As(err, &he):
		return exitFailed
	case errors.As(err, &ctl):
		return controlCode(ctl.Kind)
	case errors.Is(err, control.ErrNotRunning):
		return exitFailed
	case errors.As(err, &oe), errors.As(err, &st):
		return exitUsage
	case errors.As(err, &se):
		return exitScript
	case errors.Is(err, lab.ErrPrivilege), errors.Is(err, fs.ErrPermission):
		return exitPrivilege
	case errors.Is(err, tundev.ErrBadConfig), errors.Is(err, tundev.ErrBadName): // that only the device's maker could see
		return exitUsage
	case errors.As(err, &ue), errors.As(err, &ce), errors.As(err, &c1), errors.As(err, &ge):
		return exitUsage
	}
	// What cobra says of an unknown command or a wrong number of arguments has no
	// type of its own; it comes before anything ran.
	var started runError
	if errors.As(err, &started) {
		return exitFailed
	}
	return exitUsage
}

// controlCode sorts an error of another run.
func controlCode(k control.Kind) int {
	switch k {
	case control.KindUsage:
		return exitUsage
	case control.KindScript:
		return exitScript
	}
	return exitFailed
}

// A runError is an error of a run that had begun.
type runError struct{ err error }

func (e runError) Error() string { return e.err.Error() }
func (e runError) Unwrap() error { return e.err }

// show prints an error with what helps to find its place: a caret, a traceback.
func show(w io.Writer, err error) {
	var ce config.Errors
	var c1 *config.Error
	var d engine.Detailed
	switch {
	case errors.As(err, &ce):
		fmt.Fprint(w, ce.Show())
	case errors.As(err, &c1):
		fmt.Fprint(w, c1.Show())
	case errors.As(err, &d) && d.Detail() != "":
		fmt.Fprintln(w, "tunscript: "+lines(d.Detail())) // begins with the error itself
	default:
		var ex *engine.ExitError
		if !errors.As(err, &ex) {
			fmt.Fprintln(w, "tunscript: "+lines(err.Error()))
		}
	}
}
