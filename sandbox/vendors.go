package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/sandbox/stack"
)

// vendors runs both simulators as they are before Framebridge is set up, and prints what an installation needs.
func vendors(ctx context.Context, so stack.Options, o options, out io.Writer) error {
	dir, forget, err := o.folder()
	if err != nil {
		return err
	}
	defer forget()
	so.Dir, so.Persist, so.Generation, so.RateLimits, so.S3, so.Host, so.FixedPorts = dir, o.data != "", o.generation, o.limits, o.s3, o.host, true
	s, err := stack.Start(ctx, so)
	if err != nil {
		return err
	}
	defer s.Stop()
	if s.Frameio.Empty() {
		s.Iconik.AddUser(samples.SamUser, "Sam", "Sandbox")
		s.Iconik.AddUser(editor, "Ellen", "Editor")
		if o.demo != "" {
			_, _, err = samples.Account(s.Frameio)
		} else {
			_, err = samples.Harbour(s.Frameio, s.Frameio.AddTeam("Harbour Films").ID)
		}
		if err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\nFrame.io and iconik as they are before Framebridge is set up. Frame.io has the project %q in the workspace \"Harbour Films\".\n\n", sampleName)
	for _, line := range [][2]string{{"Frame.io (simulated)", s.FrameioURL}, {"iconik (simulated)", s.IconikURL}, {"mail server", s.MailURL()}, {"Temporal", s.TemporalAddress}, {"Temporal's Web UI", s.TemporalUI}} {
		if line[1] != "" {
			fmt.Fprintf(out, "  %-21s %s\n", line[0], line[1])
		}
	}
	fmt.Fprintf(out, "\nInstall Framebridge as the administrator's manual says. In the shell where you run it, these lines stand for the credentials\nthat the manual has you create, and for the vendors' addresses:\n\n")
	for _, line := range s.Environment() {
		key, value, _ := strings.Cut(line, "=")
		fmt.Fprintf(out, "export %s='%s'\n", key, value)
	}
	fmt.Fprint(out, "\nCtrl-C stops everything.\n")
	go showMails(ctx, s.Mail, out)
	<-ctx.Done()
	return nil
}
