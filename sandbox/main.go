// Command sandbox runs Framebridge on one machine without any account: both vendors simulated with sample media, a real
// Temporal server with its Web UI, an S3 store, a mail catcher, the worker and the starter.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/framebridge/framebridge/clients/mail/mailtest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/sandbox/frameiosim"
	"github.com/framebridge/framebridge/sandbox/samples"
	"github.com/framebridge/framebridge/sandbox/stack"
)

type options struct {
	data, s3, temporal, ledger, generation, host, demo string
	archive, review, once, limits                      bool
	small                                              int
	offline, vendors                                   bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	if err := command().ExecuteContext(ctx); err != nil {
		if ctx.Err() != nil {
			fmt.Fprintln(os.Stderr, "sandbox: stopped during startup")
			os.Exit(130)
		}
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Framebridge on one machine, without any account",
		Long: `sandbox starts everything Framebridge works with on this machine: Frame.io and iconik simulated with a sample project,
an S3 store, a Temporal server with its Web UI, a mail catcher, and Framebridge's worker and starter. Ctrl-C stops all of it.`,
		Example:       "  go run ./sandbox                    starts everything; its page suggests what to try\n  go run ./sandbox --archive          also renames the sample project\n  go run ./sandbox --archive --once   stops when the archive ends\n  go run ./sandbox --review           plays a review, with the clock moved to its expiry and deletion\n  go run ./sandbox --demo account     plays the migration of a whole account",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o, cmd.OutOrStdout()) },
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w (--help shows all flags)", err) })
	f := cmd.Flags()
	f.StringVar(&o.data, "data", "", "keep everything in `DIR` for the next start (default: a temporary folder)")
	f.BoolVar(&o.archive, "archive", false, "rename the sample project, which starts its archive")
	f.BoolVar(&o.review, "review", false, "send the sample clip to review and play the people's part")
	f.BoolVar(&o.once, "once", false, "with --archive, --review or --demo: stop when it ends")
	f.BoolVar(&o.limits, "rate-limits", false, "make the simulators enforce the vendors' rate limits")
	f.IntVar(&o.small, "small-files", 0, "seed a second project of `N` small files")
	f.StringVar(&o.generation, "generation", "v4", "Frame.io's API: v4 or legacy (V2)")
	f.StringVar(&o.s3, "s3", "", "use a real S3 store instead of the built-in one: `http://ACCESS:SECRET@host:port`")
	f.StringVar(&o.temporal, "temporal", "", "`host:port` of a running Temporal server")
	f.BoolVar(&o.offline, "offline", false, "download nothing: build Temporal's server if there is no temporal command")
	f.StringVar(&o.demo, "demo", "", "`account`: 40 projects of all kinds, and the migration of all of them, played")
	f.BoolVar(&o.vendors, "vendors", false, "without Framebridge, and with nothing set up: to install it yourself")
	f.StringVar(&o.host, "host", "", "with --vendors: `name` of this machine for others, which then reach the simulators")
	f.StringVar(&o.ledger, "ledger", "", "`DSN` of the ledger's database (default: SQLite in the data folder)")
	return cmd
}

// validate returns an error if the flags do not fit together.
func (o options) validate() error {
	switch {
	case o.generation != "legacy" && o.generation != "v4":
		return fmt.Errorf("--generation must be v4 or legacy, not %q", o.generation)
	case o.demo != "" && o.demo != "account":
		return fmt.Errorf("--demo must be account, not %q", o.demo)
	case o.archive && o.review, o.demo != "" && (o.archive || o.review):
		return errors.New("use one of --archive, --review and --demo")
	case o.demo != "" && !o.vendors && (o.generation != "v4" || o.s3 != ""):
		return errors.New("--demo account needs Frame.io V4 and the built-in store: leave --generation and --s3 out")
	case o.host != "" && !o.vendors:
		return errors.New("--host needs --vendors: what it opens to others has no accounts of its own")
	}
	return nil
}

func run(ctx context.Context, o options, out io.Writer) error {
	if err := o.validate(); err != nil {
		return err
	}
	if o.vendors && o.temporal != "" { // needs no build, and so no checkout
		return vendors(ctx, stack.Options{Part: stack.Vendors}, o, out)
	}
	root, err := stack.Root()
	if err != nil {
		return err
	}
	front, err := stack.OpenFront()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The sandbox's page is %s. It shows the progress of the startup.\n", front.URL)
	note := func(text string) {
		front.Note(text)
		fmt.Fprintln(out, text)
	}
	program, err := build(ctx, root, o, front, note)
	if err != nil {
		return err
	}
	if o.vendors {
		return vendors(ctx, stack.Options{Part: stack.VendorsAndTemporal, Root: root, TemporalProgram: program}, o, out)
	}
	dir, forget, err := o.folder()
	if err != nil {
		return err
	}
	defer forget()
	began := time.Now()
	s, err := stack.Start(ctx, stack.Options{Generation: o.generation, Root: root, Dir: dir, Persist: o.data != "", RateLimits: o.limits,
		S3: o.s3, Temporal: o.temporal, LedgerDSN: o.ledger, FixedPorts: true, TemporalProgram: program, Front: front, Archive: o.settings(), Signs: o.demo != ""})
	if err != nil {
		return err
	}
	defer func() {
		fmt.Fprintln(out, "stopping …")
		s.Stop()
	}()
	fresh := s.Frameio.Empty()
	project, err := seed(s, o)
	if err != nil {
		return err
	}
	clip, err := seedReview(s)
	if err != nil {
		return err
	}
	s.Clip = clip
	sayWhere(out, s, dir, time.Since(began))
	if o.demo != "" && fresh { // a kept account has already been played
		if err := playAccount(ctx, s, dir, out); err != nil || o.once {
			return err
		}
	}
	return play(ctx, s, o, project, clip, out)
}

// folder returns where everything is kept. forget removes the folder unless the user chose it.
func (o options) folder() (dir string, forget func(), err error) {
	if o.data != "" {
		dir, err = filepath.Abs(o.data)
		return dir, func() {}, err
	}
	dir, err = os.MkdirTemp("", "framebridge-sandbox-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

// play does what the flags ask for, and waits for Ctrl-C.
func play(ctx context.Context, s *stack.Stack, o options, project samples.Project, clip string, out io.Writer) error {
	if o.review {
		go showMails(ctx, s.Mail, out)
		if err := demonstrate(ctx, s, clip, out); err != nil || o.once {
			return err
		}
		fmt.Fprintln(out, "Ctrl-C stops everything.")
		<-ctx.Done()
		return nil
	}
	if !o.archive {
		fmt.Fprintf(out, "Start at %s. Ctrl-C stops everything.\n", s.PageURL)
		go showMails(ctx, s.Mail, out)
		<-ctx.Done()
		return nil
	}
	go showMails(ctx, s.Mail, out)
	name := strings.TrimSuffix(project.Name, archived) + archived
	fmt.Fprintf(out, "Renaming %q to %q: Frame.io's webhook starts the archive.\n", project.Name, name)
	s.Frameio.Rename(project.ID, name)
	if err := follow(ctx, s, project.ID, out); err != nil {
		return err
	}
	if !o.once {
		fmt.Fprintln(out, "Ctrl-C stops everything.")
		<-ctx.Done()
	}
	return nil
}

// sayWhere prints what runs where.
func sayWhere(out io.Writer, s *stack.Stack, dir string, took time.Duration) {
	fmt.Fprintf(out, "\nEverything is running after %s.\n\n", took.Round(10*time.Millisecond))
	for _, line := range [][2]string{{"The sandbox's page", s.PageURL}, {"Frame.io (simulated)", s.FrameioURL}, {"iconik (simulated)", s.IconikURL}, {"Temporal's Web UI", s.TemporalUI},
		{"Framebridge's API", s.APIURL + stack.Prefix + " (bearer token " + stack.APIKey + ")"}, {"configuration", s.Config}, {"logs", filepath.Join(dir, "*.log")}} {
		if line[1] != "" {
			fmt.Fprintf(out, "  %-21s %s\n", line[0], line[1])
		}
	}
	fmt.Fprintln(out)
}

// build compiles what must be compiled, and looks for a Temporal server that need not be.
func build(ctx context.Context, root string, o options, front *stack.Front, note func(string)) (*stack.TemporalProgram, error) {
	var program *stack.TemporalProgram
	if o.temporal == "" {
		front.Now("looking for a Temporal server")
		if program = stack.FindTemporal(ctx, o.offline, note); program != nil {
			note(fmt.Sprintf("Temporal's server is %s %s (%s).", program.Path, program.From, program.Version))
			if !program.Skips {
				note("It cannot move a workflow's clock: “Jump to the deletion” and the end of --review need a newer version.")
			}
		}
	}
	line := stack.OnTerminal(os.Stderr)
	err := stack.Build(ctx, root, func(text string, done bool) {
		front.Now(text)
		line(text, done)
	}, stack.Programs(o.temporal == "" && program == nil)...)
	front.Now("starting the vendors, Temporal, the worker and the starter")
	return program, err
}

const (
	sampleName = "Harbour Lights"
	editor     = "ellen@harbour.example"
	archived   = " - Archived"
)

// seed creates the sample projects unless they exist, and registers the webhooks with the vendors.
func seed(s *stack.Stack, o options) (samples.Project, error) {
	var project samples.Project
	if !s.Frameio.Empty() {
		for _, p := range s.Frameio.Projects() {
			s.RegisterWebhooks(p.TeamID)
			if project.ID == "" || strings.HasPrefix(p.Name, sampleName) {
				project = samples.Project{ID: p.ID, Name: p.Name, TeamID: p.TeamID}
			}
		}
		return project, nil
	}
	s.Iconik.AddUser(samples.SamUser, "Sam", "Sandbox")
	s.Iconik.AddUser(editor, "Ellen", "Editor")
	s.Iconik.AddUser("paul@harbour.example", "Paul", "Producer")
	if o.demo != "" {
		project, teams, err := samples.Account(s.Frameio)
		for _, team := range teams {
			s.RegisterWebhooks(team)
		}
		return project, err
	}
	team := s.Frameio.AddTeam("Harbour Films")
	project, err := samples.Harbour(s.Frameio, team.ID)
	if err != nil {
		return project, err
	}
	if o.small > 0 {
		if _, err := samples.Small(s.Frameio, team.ID, "Small Files", o.small, 0); err != nil {
			return project, err
		}
	}
	cold := s.Frameio.AddProject(team.ID, "Cold Storage")
	if _, err := s.Frameio.AddFile(cold.RootID, frameiosim.File{Name: "A003C001.mov", Type: "video/quicktime", Body: samples.Media("25.mov"), FPS: 25, Frames: 75}); err != nil {
		return project, err
	}
	s.Frameio.Archive(cold.ID, "archived")
	s.RegisterWebhooks(team.ID)
	return project, nil
}

func showMails(ctx context.Context, m *mailtest.Server, out io.Writer) {
	shown := 0
	for ctx.Err() == nil {
		for _, mail := range m.Messages()[shown:] {
			fmt.Fprintf(out, "  mail to %s: %s\n", strings.Join(mail.To, ", "), mail.Subject)
			shown++
		}
		time.Sleep(50 * time.Millisecond)
	}
}

type status struct {
	Status string `json:"status"`
	Reason string `json:"reason"`
	Items  struct{ Total, Copied, Verified, Skipped, Failed int64 }
	Bytes  struct{ Total, Done int64 }
	URL    string `json:"temporal_url"`
	Iconik struct {
		Collection string `json:"collection_id"`
	} `json:"iconik"`
}

// follow prints the archive's progress until it ends.
func follow(ctx context.Context, s *stack.Stack, project string, out io.Writer) error {
	began, last := time.Now(), ""
	url := s.APIURL + "/api/v1/services/frameio/archives/" + project
	for {
		var st status
		code, err := get(ctx, url+"?tenant-id="+stack.Tenant, &st)
		if err != nil && ctx.Err() == nil {
			return err
		}
		line := fmt.Sprintf("  %-26s %2d/%d files  %5.1f/%.1f MiB  %d verified", english.State(st.Status), st.Items.Copied, st.Items.Total, float64(st.Bytes.Done)/(1<<20), float64(st.Bytes.Total)/(1<<20), st.Items.Verified)
		if code == http.StatusOK && line != last {
			fmt.Fprintln(out, line)
			last = line
		}
		switch st.Status {
		case "verified", "verified_with_exceptions":
			took := time.Since(began)
			awaitMail(ctx, s.Mail)
			fmt.Fprintf(out, "\n%s\nFinished after %s. Have a look:\n  %s\n  %s\n  %s/report.html\n\n", st.Reason, took.Round(100*time.Millisecond),
				s.IconikURL+"/collection/"+st.Iconik.Collection, st.URL, s.PageURL+"/archives/"+project)
			return nil
		case "incomplete", "failed", "cancelled":
			return errors.New(english.State(st.Status) + ": " + st.Reason)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// awaitMail waits until the mail at the end of an archive has been shown.
func awaitMail(ctx context.Context, m *mailtest.Server) {
	for end := time.Now().Add(3 * time.Second); len(m.Messages()) == 0 && ctx.Err() == nil && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
}

func get(ctx context.Context, url string, v any) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+stack.APIKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return resp.StatusCode, nil
	}
	return resp.StatusCode, json.NewDecoder(resp.Body).Decode(v)
}
