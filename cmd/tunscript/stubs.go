package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tunscript/tunscript/luabind"
	"github.com/tunscript/tunscript/luabind/stub"
)

func stubsCommand() *cobra.Command {
	var dir string
	var luacheck bool
	c := &cobra.Command{
		Use:   "stubs",
		Short: "Write the Lua API for editors",
		Long: "stubs prints the Lua API of this version as a ---@meta file of the Lua language\n" +
			"server: types and meaning of every name. With -o it goes into a folder, for\n" +
			"workspace.library in .luarc.json; a project made by init has it in .tunscript.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			name, text := "tunscript.lua", stub.Meta(luabind.APIReference())
			if luacheck {
				name, text = ".luacheckrc", stub.Luacheck(luabind.APIReference())
			}
			if dir == "" {
				fmt.Fprint(c.OutOrStdout(), text)
				return nil
			}
			path := filepath.Join(dir, name)
			if err := writeFile(path, text); err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), "wrote "+path)
			return nil
		},
	}
	c.Flags().StringVarP(&dir, "out", "o", "", "write to a file in `DIR`")
	c.Flags().BoolVar(&luacheck, "luacheck", false, "the globals for luacheck instead")
	return c
}
