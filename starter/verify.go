package main

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/custody"
	"github.com/framebridge/framebridge/custody/verify"
	"github.com/framebridge/framebridge/english"
)

func verifyCommand() *cobra.Command {
	var keys []string
	var store string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify FILE…",
		Short: "Verify reports, hash lists and audit extracts, offline",
		Long: `verify examines the proof that Framebridge hands out: the reports of archives and migrations (JSON or page), deletion certificates,
ASC MHL hash lists and their chain, and extracts of the audit log. It needs no network and no configuration, and names what differs.

Reports, certificates and chains are signed if report.signing_key was set, and a chain's signature covers its hash lists. Give the
public key with --key, in base64 as GET /report-keys shows it, or as the name of a file that contains it; without it, a file is
checked against the key that it names itself. Files that you give together are compared: hash lists with their account's JSON report
or hash list, whose signature covers them, too, and extracts of the same audit log with each other. With --store, the stored files
are read in full and checked against the report or the hash list.

Exit code: 0 everything matches and is proven, 1 something differs, 3 something could not be proven.`,
		Example: "  starter verify report.json --key u6m0X1…=\n  starter verify ascmhl/0001_Spring_2026-11-29_101500Z.mhl --store /Volumes/Archive/Spring\n  starter verify audit.jsonl",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(fmt.Errorf("name at least one file"))
			}
			trusted, err := publicKeys(keys)
			if err != nil {
				return usage(err)
			}
			results := make([]verify.Result, len(args))
			for i, name := range args {
				if results[i], err = verify.File(name, verify.Options{Trusted: trusted, Store: store}); err != nil {
					return err
				}
			}
			verify.Together(results)
			return verified(cmd.OutOrStdout(), results, asJSON)
		},
	}
	cmd.Flags().StringSliceVar(&keys, "key", nil, "a trusted public key in base64, or a file that contains it; can be repeated")
	cmd.Flags().StringVar(&store, "store", "", "folder with the stored files, as the hash list names them")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// publicKeys parses keys that are given literally or as files.
func publicKeys(given []string) ([]ed25519.PublicKey, error) {
	var out []ed25519.PublicKey
	for _, text := range given {
		key, err := custody.ParseKey(text)
		if err != nil {
			raw, ferr := os.ReadFile(text)
			if ferr != nil {
				return nil, fmt.Errorf("--key %s: %w", text, err)
			}
			if key, err = custody.ParseKey(strings.TrimSpace(string(raw))); err != nil {
				return nil, fmt.Errorf("--key %s: the file is %w", text, err)
			}
		}
		out = append(out, key)
	}
	return out, nil
}

// printable replaces characters that could control a terminal, because names come from outside.
func printable(r rune) rune {
	if unicode.IsControl(r) {
		return '�'
	}
	return r
}

// verified prints the results. It returns an error if something differs or is not proven.
func verified(out io.Writer, results []verify.Result, asJSON bool) error {
	problems, warnings := 0, 0
	for _, r := range results {
		problems, warnings = problems+len(r.Problems), warnings+len(r.Warnings)
	}
	if asJSON {
		if err := printJSON(out, map[string]any{"files": results}); err != nil {
			return err
		}
	} else {
		for _, r := range results {
			fmt.Fprintf(out, "%s (%s)\n", r.File, r.Kind)
			if r.Of != "" {
				fmt.Fprintf(out, "  %-10s  %s\n", "of", strings.Map(printable, r.Of))
			}
			for _, lines := range []struct {
				mark string
				of   []string
			}{{"ok", r.Checked}, {"DIFFERS", r.Problems}, {"not proven", r.Warnings}} {
				for _, line := range lines.of {
					fmt.Fprintf(out, "  %-10s  %s\n", lines.mark, strings.Map(printable, line))
				}
			}
		}
	}
	switch {
	case problems > 0:
		return &exitError{exitFailed, english.Count(problems, "thing") + " " + english.Verb(problems, "differ")}
	case warnings > 0:
		return &exitError{exitExceptions, ""}
	}
	return nil
}
