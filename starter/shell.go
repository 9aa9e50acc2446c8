package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/framebridge/framebridge/config"
)

// completeTenants lets the shell complete --tenant with the configuration's names.
func completeTenants(root *cobra.Command, o *options) {
	_ = root.RegisterFlagCompletionFunc("tenant", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		cfg, err := config.Load(o.config)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var all []cobra.Completion
		for _, t := range cfg.Tenants {
			all = append(all, cobra.CompletionWithDesc(t.Name, t.ID))
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	})
}

// manCommand is for packages; people find `starter COMMAND --help`.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages into a folder",
		Hidden: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("man takes the folder for the pages")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o750); err != nil {
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true // the same source gives the same pages
			return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "Framebridge", Manual: "Framebridge"}, args[0])
		},
	}
}
