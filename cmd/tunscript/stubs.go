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
			"server: types and meaning of every name. With -o it goes into a folder, with a\n" +
			"file for each module that ships, for workspace.library in .luarc.json; a project\n" +
			"made by init has them in .tunscript.",
		Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			r := luabind.APIReference()
			files := stubFiles(r, "")
			if luacheck {
				files = []projectFile{{".luacheckrc", stub.Luacheck(r)}}
			}
			if dir == "" {
				fmt.Fprint(c.OutOrStdout(), files[0].text)
				return nil
			}
			if err := writeProject(dir, files, true); err != nil {
				return err
			}
			for _, f := range files {
				fmt.Fprintln(c.OutOrStdout(), "wrote "+filepath.Join(dir, f.name))
			}
			return nil
		},
	}
	c.Flags().StringVarP(&dir, "out", "o", "", "write to a file in `DIR`")
	c.Flags().BoolVar(&luacheck, "luacheck", false, "the globals for luacheck instead")
	return c
}
