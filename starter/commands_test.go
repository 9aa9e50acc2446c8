package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/plan/account"
)

func TestOneIsPickedByItsNameAsPeopleWriteIt(t *testing.T) {
	all := []candidate{{"1", "Summer Campaign - Archived"}, {"2", "Summer Campaign"}, {"3", "Winter – ARCHIVED"}, {"4", "Café"}, {"5", "Twins"}, {"6", "twins (Archived)"}}
	for text, want := range map[string]string{
		"Summer Campaign": "2", "Summer Campaign - Archived": "1", "winter": "3", "Winter - archived": "3", "cafe\u0301": "4", "CAFÉ": "4", "Twins": "5",
	} {
		got, err := pick("project", all, text, "Archived")
		require.NoError(t, err, text)
		assert.Equal(t, want, got.id, text)
	}
	for text, want := range map[string]string{
		"summer campaign": `2 projects match "summer campaign": choose one by its ID: "Summer Campaign - Archived" (1), "Summer Campaign" (2)`,
		"Sumer Campain":   `there is no project "Sumer Campain"; did you mean "Summer Campaign - Archived", "Summer Campaign"?`,
		"campaign":        `there is no project "campaign"; did you mean "Summer Campaign - Archived", "Summer Campaign"?`,
		"Harbour":         `there is no project "Harbour"`,
		"a":               `there is no project "a"`,
	} {
		_, err := pick("project", all, text, "Archived")
		assert.EqualError(t, err, want)
	}
}

// withRows returns vendors whose ledger knows an archive and two reviews.
func withRows(t *testing.T) *vendors {
	t.Helper()
	v := newVendors(t)
	team := v.frameio.AddTeam("Marketing").ID
	v.frameio.AddProject(team, "Summer Campaign - Archived")
	v.frameio.AddProject(team, "Winter")
	book, err := ledger.Open(t.Context(), v.ledger, ledger.WithKey("a key of 16 characters or more"))
	require.NoError(t, err)
	defer book.Close()
	archived := book.Tenant(tenantA).Archive(v.projectID(t, "Summer Campaign - Archived"))
	_, _, err = archived.Request(t.Context(), "", time.Now())
	require.NoError(t, err)
	_, err = archived.Update(t.Context(), func(a *ledger.Archive) {
		a.Name, a.Status, a.Reason = "Summer Campaign - Archived", ledger.Verified, "2 files verified"
	})
	require.NoError(t, err)
	for id, title := range map[string]string{"r1": "Trailer.mov", "r2": "Teaser.mov"} {
		_, _, err = book.RequestReview(t.Context(), ledger.Review{Tenant: tenantA, ID: id, Click: id, Title: title, Status: ledger.ReviewOpen, CreatedAt: time.Now()}, time.Second)
		require.NoError(t, err)
		_, err = book.Tenant(tenantA).Review(id).Update(t.Context(), func(r *ledger.Review) { r.Status = ledger.ReviewOpen })
		require.NoError(t, err)
	}
	return v
}

func (v *vendors) projectID(t *testing.T, name string) string {
	t.Helper()
	for _, p := range v.frameio.Projects() {
		if p.Name == name {
			return p.ID
		}
	}
	require.Fail(t, "no such project", name)
	return ""
}

func TestListsAndStatesNeedNoTemporal(t *testing.T) {
	v := withRows(t)
	id := v.projectID(t, "Summer Campaign - Archived")
	for _, c := range []struct {
		args string
		want []string
	}{
		{"projects", []string{"ID", id, "Summer Campaign - Archived", "Marketing", "active", "verified", "Winter"}},
		{"archives", []string{"PROJECT", id, "verified", "2 files verified"}},
		{"reviews", []string{"TITLE", "Trailer.mov", "Teaser.mov", "open"}},
		{"status|summer campaign", []string{"verified", "2 files verified"}},
		{"status|" + strings.ToUpper(id), []string{"verified"}},
		{"plan|winter", []string{"Winter", "Size", "0 B", "Nothing blocks this archive."}},
		{"review|show|trailer.MOV", []string{"Review", "r1", "open", "0 to iconik"}},
	} {
		began := time.Now()
		out, code := v.run(t, "", strings.Split(c.args, "|")...)
		assert.Equal(t, 0, code, "%s: %s", c.args, out)
		for _, w := range c.want {
			assert.Contains(t, out, w, c.args)
		}
		assert.Less(t, time.Since(began), saidWithin, c.args)
	}
	for args, key := range map[string]string{"projects": "projects", "archives": "archives", "reviews": "reviews", "status|Summer Campaign": "items", "review|show|r1": "reviewers"} {
		out, code := v.run(t, "", append(strings.Split(args, "|"), "--json")...)
		assert.Equal(t, 0, code, out)
		var got map[string]any
		require.NoError(t, json.Unmarshal([]byte(out), &got), out)
		assert.Contains(t, got, key)
	}
	out, code := v.run(t, "", "status", tenantB)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, out, "there is no archive \""+tenantB+"\"")
	out, code = v.run(t, "", "plan", tenantB)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, out, "Frame.io has no project with the ID "+tenantB)
	out, code = v.run(t, "", "status", "Winter")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, out, "the project has not been archived yet: run `starter archive \"Winter\"`")
	out, code = v.run(t, "", "status", "Sumer Campaign")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, out, `did you mean "Summer Campaign - Archived"?`)
	out, code = v.run(t, "", "review", "show", "Traaler.mov")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, out, `did you mean "Trailer.mov"`)
}

// saidWithin is the longest that a command takes on a machine that is busy with other tests. On an idle one, it is under five seconds.
const saidWithin = 30 * time.Second

// Neither a port with no listener nor one that accepts connections and stays silent keeps a person waiting.
func TestWithoutTemporalEveryCommandSaysSo(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	var all sync.WaitGroup // each takes seconds of waiting
	for _, address := range []string{"127.0.0.1:1", silent.Addr().String()} {
		v := withRows(t)
		raw, err := os.ReadFile(v.config)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(v.config, []byte(strings.Replace(string(raw), "temporal: {address: \"127.0.0.1:1\"}", "temporal: {address: \""+address+"\"}", 1)), 0o600))
		for _, args := range []string{"archive|Summer Campaign", "retry|Summer Campaign", "cancel|Summer Campaign", "review|stop|r1", "review|sync|r1", "review|extend|r1|" + time.Now().AddDate(0, 1, 0).Format("2006-01-02")} {
			all.Go(func() {
				began := time.Now()
				out, code := v.run(t, "", strings.Split(args, "|")...)
				assert.Equal(t, exitUnreachable, code, "%s: %s", args, out)
				assert.Contains(t, out, address, args)
				assert.Less(t, time.Since(began), saidWithin, args)
			})
		}
	}
	all.Wait()
}

// A plan under rate limits takes minutes, during which it reports that it continues.
func TestAPersonIsNotLeftInSilence(t *testing.T) {
	r, w := io.Pipe()
	stop := sayEvery(t.Context(), time.Millisecond, w, "still reading")
	line, err := bufio.NewReader(r).ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "still reading: 0 seconds so far\n", line)
	r.Close()
	stop()
}

func TestUsageErrorsSayWhatToType(t *testing.T) {
	v := newVendors(t)
	for args, want := range map[string]string{
		"archiv":                   "did you mean archive",
		"config|chek":              "did you mean check?",
		"review|stpo|r1":           "did you mean stop?",
		"plan":                     "Usage: starter plan PROJECT",
		"status|a|b":               "one project",
		"review|extend|r1":         "a date such as",
		"review|show":              "one review",
		"archive|x|--detached":     "unknown flag: --detached",
		"archives|x":               "Usage: starter archives",
		"archives|--tenant|nobody": `no tenant "nobody"`,
		"config|init":              "already exists",
	} {
		out, code := v.run(t, "", strings.Split(args, "|")...)
		assert.Equal(t, exitUsage, code, "%s: %s", args, out)
		assert.Contains(t, out, want, args)
	}
}

func TestWhatIsNotThereIsAFailure(t *testing.T) {
	v := newVendors(t)
	for _, args := range []string{"status|nope", "plan|nope", "review|show|nope", "migrate|status|nope"} {
		out, code := v.run(t, "", strings.Split(args, "|")...)
		assert.Equal(t, exitFailed, code, "%s: %s", args, out)
		assert.Contains(t, out, "there is no ", args)
		assert.Contains(t, out, `"nope"`, args)
	}
}

func TestTheShellCompletes(t *testing.T) {
	completing = time.Minute // the machine is busy with other tests
	v := newVendors(t)
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		out, code := v.run(t, "", "completion", shell)
		assert.Equal(t, 0, code)
		assert.Contains(t, out, "starter", shell)
	}
	out, err := runCommand("__complete", "archives", "--config", v.config, "--tenant", "")
	require.NoError(t, err)
	assert.Contains(t, out, "Marketing\t"+tenantA)
	v.frameio.AddProject(v.frameio.Teams()[0].ID, "Summer Campaign")
	for _, verb := range []string{"archive", "plan", "status", "retry", "cancel"} {
		out, err = runCommand("__complete", verb, "--config", v.config, "")
		require.NoError(t, err)
		assert.Contains(t, out, "Summer Campaign\tHarbour Films", verb)
	}
	dir := filepath.Join(t.TempDir(), "man")
	_, code := v.run(t, "", "man", dir)
	assert.Equal(t, 0, code)
	page, err := os.ReadFile(filepath.Join(dir, "starter-review-extend.1"))
	require.NoError(t, err)
	assert.Contains(t, string(page), "Move a review's expiry")
	assert.FileExists(t, filepath.Join(dir, "starter.1"))
}

// An unset shell variable does not add a whole account to a migration.
func TestAnAddOfNothingIsOfTheMigrationsOwn(t *testing.T) {
	for _, take := range []account.Selection{{}, {Name: ""}, {Workspaces: []string{}}} {
		assert.Nil(t, otherSelection(take))
	}
	for _, take := range []account.Selection{{Name: "*"}, {Status: "any"}, {Workspaces: []string{"Films"}}, {OlderThan: "2026-01-01"}} {
		assert.Equal(t, &take, otherSelection(take))
	}
}

func TestWithoutItsLedgerACommandIsUnreachable(t *testing.T) {
	v := withRows(t)
	file := strings.TrimPrefix(v.ledger, "sqlite:")
	require.NoError(t, os.Remove(file))
	require.NoError(t, os.Mkdir(file, 0o700)) // not even root opens that as a database
	for _, args := range []string{"archives", "status|Winter", "reviews", "projects", "audit", "archive|Winter|--detach", "reclaim|status|Winter", "migrate|status", "console", "serve"} {
		out, code := v.run(t, "", strings.Split(args, "|")...)
		assert.Equal(t, exitUnreachable, code, "%s: %s", args, out)
		assert.Contains(t, out, "ledger", args)
	}
}

// failing fails to write, as a full disk does.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestACommandWhoseOutputIsLostHasFailed(t *testing.T) {
	v := withRows(t)
	for _, args := range []string{"archives", "plan|Winter", "plan|Winter|--json", "migrate|plan", "review|show|r1", "status|Summer Campaign", "audit|--verify", "console", "help", "completion|bash"} {
		cmd := command()
		cmd.SetOut(failing{})
		cmd.SetArgs(append(strings.Split(args, "|"), "--config", v.config, "--log-level", "error"))
		assert.ErrorIs(t, run(t.Context(), cmd), syscall.ENOSPC, args)
	}
}
