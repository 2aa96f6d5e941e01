package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tunscript/tunscript/internal/config"
)

// A usageError is a mistake in the arguments.
type usageError struct {
	command string // which --help to read; "" is that of the verb
	err     error
}

func (e *usageError) Error() string {
	return fmt.Sprintf("%v\nsee: %s --help", e.err, e.command)
}
func (e *usageError) Unwrap() error { return e.err }

func usage(c *cobra.Command, err error) error { return &usageError{c.CommandPath(), err} }

// meant is the error of verb c, or of a verb that nobody knows one that says which was
// meant.
func meant(c *cobra.Command, err error) error {
	if ue, ok := errors.AsType[*usageError](err); ok && ue.command == "" {
		ue.command = c.CommandPath()
	}
	var verb string
	if err == nil {
		return nil
	}
	if _, scan := fmt.Sscanf(err.Error(), "unknown command %q for", &verb); scan != nil {
		return err
	}
	return noVerb(c.Root(), verb)
}

// noVerb says that c has no such verb, and which one is like it.
func noVerb(c *cobra.Command, verb string) error {
	text := fmt.Sprintf("there is no %q", verb)
	c.SuggestionsMinimumDistance = 2
	like := c.SuggestionsFor(verb)
	for _, sub := range c.Commands() { // top is ctl top
		for _, below := range sub.Commands() {
			if below.Name() == verb && sub.Name() != "completion" {
				like = append([]string{sub.Name() + " " + verb}, like...)
			}
		}
	}
	switch {
	case len(like) > 0:
		text += fmt.Sprintf("; did you mean %q?", like[0])
	case strings.HasSuffix(verb, ".lua"):
		text += "; to try a script: tunscript lab " + verb
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

// takes is for Args: from least to most arguments, of which the verb's Use says what
// they are.
func takes(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) > most && most == 0:
			return usage(c, fmt.Errorf("%s takes no arguments, and there is %q", c.Name(), args[0]))
		case len(args) > most:
			return usage(c, fmt.Errorf("%q is one too many: %s", args[most], c.UseLine()))
		case len(args) < least:
			return usage(c, fmt.Errorf("something is missing: %s", c.UseLine()))
		}
		return nil
	}
}

// flagError is what is wrong with a flag of c, in our words.
func flagError(c *cobra.Command, err error) error {
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return usage(c, noFlag(c, e))
	}
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return usage(c, fmt.Errorf("--%s is %q, want %s", e.GetFlag().Name, e.GetValue(), wanted(e.GetFlag())))
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		what, _ := pflag.UnquoteUsage(e.GetFlag())
		return usage(c, fmt.Errorf("--%s wants a value: --%s %s", e.GetFlag().Name, e.GetFlag().Name, what))
	}
	return usage(c, err)
}

func wanted(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int", "int64", "uint64":
		return "a whole number"
	case "float64":
		return "a number"
	case "duration":
		return "a duration, such as 10s or 500ms"
	case "bool":
		return "nothing behind it, or =false"
	}
	return "a " + f.Value.Type()
}

// noFlag says that c has no such flag, and which one is like it.
func noFlag(c *cobra.Command, e *pflag.NotExistError) error {
	name, dashes := e.GetSpecifiedName(), "--"
	if all := e.GetSpecifiedShortnames(); all != "" { // -dump
		name, _, _ = strings.Cut(all, "=")
		dashes = "-"
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	slices.Sort(names)
	text := fmt.Sprintf("there is no %s%s", dashes, name)
	like := ""
	if len(name) > 2 || dashes == "--" {
		like = config.Nearest(name, names)
		if slices.Contains(names, name) {
			like = name
		}
	}
	before := c.Flags().Args()
	switch {
	case c.Name() == "lab" && len(before) > 1 && !isScript(before[len(before)-1]):
		text += "; a command stands after --, as in: " + labUse(before)
	case like != "":
		text += fmt.Sprintf("; did you mean --%s?", like)
	}
	return errors.New(text)
}
