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
	err := meant(root, root.ExecuteContext(context.Background()))
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

// meant is err, or of a verb that nobody knows an error that says which one was meant.
func meant(root *cobra.Command, err error) error {
	var verb string
	if err == nil {
		return nil
	}
	if _, scan := fmt.Sscanf(err.Error(), "unknown command %q for", &verb); scan != nil {
		return err
	}
	return noVerb(root, verb)
}

func noVerb(c *cobra.Command, verb string) error {
	text := fmt.Sprintf("there is no %q", verb)
	c.SuggestionsMinimumDistance = 2
	if like := c.SuggestionsFor(verb); len(like) > 0 {
		text += fmt.Sprintf("; did you mean %q?", like[0])
	}
	return usage(c, errors.New(text))
}

// onlyVerbs makes c a command that does nothing but by its verbs.
func onlyVerbs(c *cobra.Command) *cobra.Command {
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return noVerb(c, args[0])
		}
		return c.Help()
	}
	return c
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
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usage(c, err) })
	root.AddCommand(demoCommand(), labCommand(), runCommand(), replayCommand(), checkCommand(), testCommand(), benchCommand(),
		ctlCommand(), devCommand(), doctorCommand(), initCommand(), stubsCommand(), versionCommand(), keeperCommand())
	return root
}

// statusError is an exit status that says nothing more: that of a command in a lab.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// A usageError is a mistake in the arguments.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string {
	return fmt.Sprintf("%v\nsee: %s --help", e.err, e.command)
}
func (e *usageError) Unwrap() error { return e.err }

func usage(c *cobra.Command, err error) error { return &usageError{c.CommandPath(), err} }

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
