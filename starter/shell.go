package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/framebridge/framebridge/config"
)

// completeTenants makes the shell complete --tenant with the configured names.
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

// completing is how long the shell waits for names.
var completing = 3 * time.Second

// completeProjects makes the shell complete the names of Frame.io's projects. On errors it stays silent.
func completeProjects(root *cobra.Command, o *options) {
	names := func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 || cmd.Context() == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completing)
		defer cancel()
		s, done, err := fromLedger(ctx, o)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		defer done()
		t, err := pickTenant(s.Config(), o.tenant)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		list, err := s.Projects(ctx, t)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var all []cobra.Completion
		for _, p := range list {
			all = append(all, cobra.CompletionWithDesc(p.Name, p.Team))
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	}
	for _, cmd := range root.Commands() {
		if strings.HasSuffix(cmd.Use, " PROJECT") {
			cmd.ValidArgsFunction = names
		}
	}
}

// manCommand returns the hidden command for package builds. People use `starter COMMAND --help`.
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
			root.DisableAutoGenTag = true // the same source always gives the same pages
			return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "Framebridge", Manual: "Framebridge"}, args[0])
		},
	}
}
