package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/engine/filter"
	"github.com/tunscript/tunscript/internal/config"
)

func isScript(path string) bool { return strings.HasSuffix(path, ".lua") }

// checkPaths says of arguments that can be no scripts what they seem to be instead.
func checkPaths(c *cobra.Command, paths []string) error {
	for i, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err == nil && info.IsDir():
			return usage(c, fmt.Errorf("%s is a folder: name the script in it", path))
		case err == nil && strings.HasSuffix(path, ".toml"):
			if c.Flags().Lookup("config") != nil {
				return usage(c, fmt.Errorf("%s is a configuration: -c %s", path, path))
			}
			return usage(c, fmt.Errorf("%s is a configuration, and %s takes scripts: name those in it", path, c.Name()))
		case !errors.Is(err, fs.ErrNotExist):
			continue // what else is wrong with it is told when it is read
		}
		if f := c.Flags().Lookup("dump"); f != nil && f.Value.String() == all && !isScript(path) {
			if _, err := filter.Compile(path); err == nil {
				return usage(c, fmt.Errorf("there is no script %q; a filter is joined to its flag: --dump='%s'", path, path))
			}
		}
		if c.Name() == "lab" && i > 0 && !isScript(path) && c.ArgsLenAtDash() < 0 {
			return usage(c, fmt.Errorf("there is no script %q; a command stands after --, as in: %s", path, labUse(paths[:i+1])))
		}
		return noScript(path)
	}
	return nil
}

// labUse is how a lab is written whose last argument should have been a command.
func labUse(args []string) string {
	last := len(args) - 1
	return "tunscript lab " + strings.Join(args[:last], " ") + " -- " + args[last] + " ..."
}

// noScript says that there is no such file, and which one is like it.
func noScript(path string) error {
	beside, _ := filepath.Glob(filepath.Join(globbed(filepath.Dir(path)), "*.lua"))
	names := make([]string, len(beside))
	for i, b := range beside {
		names[i] = filepath.Base(b)
	}
	err := fmt.Errorf("there is no script %q", path)
	base := filepath.Base(path)
	if slices.Contains(names, base+".lua") {
		return fmt.Errorf("%w; did you mean %q?", err, path+".lua")
	}
	if like := config.Nearest(base, names); like != "" {
		return fmt.Errorf("%w; did you mean %q?", err, filepath.Join(filepath.Dir(path), like))
	}
	return fmt.Errorf("%w: check the path", err)
}

// globbed is a folder's name as a pattern that matches it alone.
func globbed(dir string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`).Replace(dir)
}
