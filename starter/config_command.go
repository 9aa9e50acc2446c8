package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/config"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/version"
)

//go:embed framebridge.example.yaml
var exampleConfig []byte

func configCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Write, check and show the configuration", Args: subcommand, RunE: showHelp}
	var force, asJSON bool
	initialize := &cobra.Command{
		Use: "init", Short: "Write a minimal example configuration for Frame.io V4", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return writeExample(cmd.OutOrStdout(), o.config, force) },
	}
	initialize.Flags().BoolVar(&force, "force", false, "overwrite an existing file")
	check := &cobra.Command{
		Use: "check", Short: "Check the configuration without calling any service", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(o.config)
			if err != nil {
				return err
			}
			for _, w := range cfg.Warnings {
				fmt.Fprintln(cmd.OutOrStdout(), "warning:", w)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is valid, with %s. Next: starter setup\n", o.config, english.Count(len(cfg.Tenants), "tenant"))
			return err
		},
	}
	show := &cobra.Command{
		Use: "show", Short: "Show every setting and where it comes from, with secrets masked", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return showConfig(cmd.OutOrStdout(), o.config, asJSON) },
	}
	show.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.AddCommand(initialize, check, show)
	return cmd
}

func writeExample(out io.Writer, path string, force bool) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if errors.Is(err, os.ErrExist) {
		return &exitError{exitUsage, path + " already exists: choose another file with --config, or overwrite it with --force"}
	} else if err != nil {
		return err
	}
	_, err = f.Write(exampleConfig)
	if err = errors.Join(err, f.Close()); err == nil {
		_, err = fmt.Fprintf(out, "Wrote %s. Fill it in, then run: starter config check --config %s\n", path, path)
	}
	return err
}

func showConfig(out io.Writer, path string, asJSON bool) error {
	settings, err := config.Explain(path)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, settings)
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, s := range settings {
		value := s.Value
		if kind := reflect.ValueOf(value).Kind(); kind == reflect.Slice || kind == reflect.Map || kind == reflect.Struct {
			raw, err := json.Marshal(value)
			if err != nil {
				return err
			}
			value = string(raw)
		}
		fmt.Fprintf(w, "%s\t%v\t%s\n", s.Key, value, s.From)
	}
	return w.Flush()
}

func versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(version.Get())
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "framebridge", version.Get())
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
