// Package upkeep does, day by day, what archives need over the years: it reads a sample of the stored bytes back, and forgets people
// after the retention.
package upkeep

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/tenant"
	"github.com/framebridge/framebridge/clients/iconik"
	"github.com/framebridge/framebridge/clients/mail"
	"github.com/framebridge/framebridge/clients/rest"
	"github.com/framebridge/framebridge/english"
	"github.com/framebridge/framebridge/ledger"
	"github.com/framebridge/framebridge/ledger/people"
	"github.com/framebridge/framebridge/report"
	"github.com/framebridge/framebridge/transfer"
	"github.com/framebridge/framebridge/workflows"
)

// Options is what the upkeep of a worker's tenants shares.
type Options struct {
	Ledger  *ledger.Ledger
	Objects *http.Client // for signed URLs: no credentials
	Log     *slog.Logger
	// Tenant returns a tenant by its id.
	Tenant func(id string) (*tenant.Tenant, error)
}

// Activities are the steps, in methods named like the activities.
type Activities struct {
	Options
	files *prometheus.CounterVec
	bytes *prometheus.CounterVec
}

// New returns the upkeep of a worker.
func New(o Options) *Activities {
	return &Activities{Options: o,
		files: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "framebridge_fixity_files_total", Help: "Stored files that were read back, by what was found: ok, problem or unread."}, []string{"tenant", "found"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "framebridge_fixity_bytes_total", Help: "Stored bytes that were read back."}, []string{"tenant"})}
}

// Metrics are what the upkeep counts.
func (a *Activities) Metrics() []prometheus.Collector {
	return []prometheus.Collector{a.files, a.bytes}
}

// stored is a file in the sample.
type stored struct {
	archive string
	item    ledger.Item
	key     float64
}

// sample keeps, of all that it is shown, a choice in which a file's chance is that of its bytes (Efraimidis and Spirakis, A-Res), until
// their bytes reach the target.
type sample struct {
	chosen []stored
	bytes  int64
	target int64
}

func (s *sample) Len() int           { return len(s.chosen) }
func (s *sample) Less(i, j int) bool { return s.chosen[i].key > s.chosen[j].key } // the first to go on top
func (s *sample) Swap(i, j int)      { s.chosen[i], s.chosen[j] = s.chosen[j], s.chosen[i] }
func (s *sample) Push(x any)         { s.chosen = append(s.chosen, x.(stored)) }
func (s *sample) Pop() any {
	last := s.chosen[len(s.chosen)-1]
	s.chosen = s.chosen[:len(s.chosen)-1]
	return last
}

func (s *sample) show(f stored, chance *rand.Rand) {
	f.key = -math.Log(1-chance.Float64()) / float64(max(f.item.StoredSize, 1))
	if len(s.chosen) > 0 && s.bytes >= s.target && f.key >= s.chosen[0].key {
		return
	}
	heap.Push(s, f)
	s.bytes += f.item.StoredSize
	for len(s.chosen) > 1 && s.bytes-s.chosen[0].item.StoredSize >= s.target {
		s.bytes -= heap.Pop(s).(stored).item.StoredSize
	}
}

// SampleBytes reads a day's share of archive.fixity_sample back, and says what is not as it was copied. The same day chooses the same
// files, so that another attempt goes on where one ended.
func (a *Activities) SampleBytes(ctx context.Context, in workflows.UpkeepDay) (workflows.UpkeepResult, error) {
	t, err := a.Tenant(in.Tenant)
	if err != nil {
		return workflows.UpkeepResult{}, err
	}
	if t.Config.Archive.FixitySample == 0 {
		return workflows.UpkeepResult{Off: true}, nil
	}
	chosen, err := a.choose(ctx, t, in.Day)
	if err != nil {
		return workflows.UpkeepResult{}, err
	}
	began := attempt.Of(ctx).Scheduled()
	var out workflows.UpkeepResult
	var problems []string
	unread := 0
	for _, f := range chosen {
		if err := attempt.Stopping(ctx); err != nil {
			return out, err
		}
		before, known, err := t.Ledger.Archive(f.archive).ByteRead(ctx, f.item.SourceID)
		if err != nil {
			return out, err
		}
		found, was := before.Problem, known && !before.At.Before(began)
		if !was {
			if found, was, err = a.read(ctx, t, f); err != nil {
				return out, fmt.Errorf("reading %q back: %w", f.item.Path, err)
			}
		}
		switch {
		case !was:
			unread++
		case found != "":
			out.Problems++
			problems = append(problems, f.item.Path+": "+found)
			fallthrough
		default:
			out.Files, out.Bytes = out.Files+1, out.Bytes+f.item.StoredSize
		}
	}
	return out, a.tell(ctx, t, in.Day, out, problems, unread)
}

// choose is the sample of a day: a thirtieth of the month's share.
func (a *Activities) choose(ctx context.Context, t *tenant.Tenant, day string) ([]stored, error) {
	var archives []string
	total := int64(0)
	for row, err := range t.Ledger.AllArchives(ctx) {
		if err != nil {
			return nil, err
		}
		if row.Status != ledger.Verified && row.Status != ledger.VerifiedWithExceptions || row.ContinuedAs != "" {
			continue
		}
		sums, err := t.Ledger.Archive(row.ID).Progress(ctx)
		if err != nil {
			return nil, err
		}
		archives = append(archives, row.ID)
		total += sums.BytesDone
	}
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(t.ID + day))
	chance := rand.New(rand.NewPCG(seed.Sum64(), 0)) //nolint:gosec // a day's sample is the same whenever it is drawn, and nobody's secret
	s := &sample{target: total / 100 * int64(t.Config.Archive.FixitySample) / 30}
	slices.Sort(archives)
	for _, id := range archives {
		for it, err := range t.Ledger.Archive(id).AllItems(ctx) {
			if err != nil {
				return nil, err
			}
			if it.State == ledger.ItemVerified && it.Checksum != "" && it.FileID != "" {
				s.show(stored{archive: id, item: it}, chance)
			}
		}
	}
	slices.SortFunc(s.chosen, func(x, y stored) int {
		return cmp.Or(cmp.Compare(x.archive, y.archive), cmp.Compare(x.item.Seq, y.item.Seq))
	})
	return s.chosen, nil
}

// read reads one file back. was is false where its bytes cannot be read, as those that iconik has archived.
func (a *Activities) read(ctx context.Context, t *tenant.Tenant, f stored) (found string, was bool, err error) {
	file, err := t.Iconik.Files.File(ctx, f.item.AssetID, f.item.FileID, iconik.FileOptions{})
	switch {
	case rest.IsNotFound(err) || err == nil && file.Status == "DELETED":
		found = "the file is no longer in iconik"
	case err != nil:
		return "", false, err
	case file.Status != "CLOSED" || file.URL == "":
		a.files.WithLabelValues(t.ID, "unread").Inc()
		return "", false, nil
	}
	now := transfer.StoredObject{Size: -1}
	if found == "" {
		now, err = transfer.ReadBack(ctx, a.Objects, func(ctx context.Context, fresh bool) (transfer.Location, error) {
			if fresh {
				again, err := t.Iconik.Files.File(ctx, f.item.AssetID, f.item.FileID, iconik.FileOptions{})
				if err != nil {
					return transfer.Location{}, err
				}
				file = again
			}
			return transfer.Location{URL: file.URL}, nil
		})
		switch {
		case err != nil:
			return "", false, err
		case now.Size < 0:
			found = "the storage does not have the file's object (404)"
		case now.Size != f.item.StoredSize:
			found = fmt.Sprintf("%d bytes in the storage, %d bytes copied", now.Size, f.item.StoredSize)
		case now.XXH64 != f.item.Checksum:
			found = fmt.Sprintf("the xxHash64 is %s instead of %s", now.XXH64, f.item.Checksum)
		}
	}
	verdict := "ok"
	if found != "" {
		verdict = "problem"
	}
	a.files.WithLabelValues(t.ID, verdict).Inc()
	a.bytes.WithLabelValues(t.ID).Add(float64(max(now.Size, 0)))
	return found, true, t.Ledger.Archive(f.archive).PutByteRead(ctx, ledger.ByteRead{SourceID: f.item.SourceID, At: time.Now(), ETag: now.ETag, Size: now.Size, Checksum: now.XXH64, Problem: found})
}

const problemsNamed = 20 // in the audit log and the mail

// tell writes the day's sample into the audit log, and mails what is not as it was copied.
func (a *Activities) tell(ctx context.Context, t *tenant.Tenant, day string, out workflows.UpkeepResult, problems []string, unread int) error {
	if out.Files == 0 && unread == 0 {
		return nil
	}
	text := fmt.Sprintf("%s (%s) read back, %s", english.Count(out.Files, "file"), report.Size(out.Bytes), english.Count(out.Problems, "problem"))
	if unread > 0 {
		text += fmt.Sprintf(", %d could not be read now", unread)
	}
	named := problems[:min(len(problems), problemsNamed)]
	if len(named) > 0 {
		text += ": " + strings.Join(named, "; ")
	}
	if _, err := a.Ledger.AppendAudit(ctx, ledger.AuditEntry{Tenant: t.ID, Actor: ledger.Actor{Kind: ledger.ActorSystem}, Action: "fixity sample", ObjectKind: "tenant", ObjectID: t.ID, Detail: ledger.AuditText(text)}); err != nil || len(problems) == 0 {
		return err
	}
	a.Log.ErrorContext(ctx, "stored files are not as they were copied", "tenant", t.Config.Name, "problems", len(problems), "first", problems[0])
	body := fmt.Sprintf("Framebridge reads a sample of the archived files back (archive.fixity_sample). On %s, %s of %d not as copied:\n\n%s\n\nWhat to do: restore the files from your storage's backup or versions, or run `starter retry` on the archive while Frame.io still has the originals. Do not reclaim the project in Frame.io before.\n",
		day, english.Count(len(problems), "file"), out.Files, strings.Join(named, "\n"))
	return t.Mail.SendOnce(ctx, "", mail.Message{ID: "fixity:" + t.ID + ":" + day, To: tenant.Recipients("", t.Config.Archive.Notify), Subject: "Archived files have changed in the storage", Text: body})
}

// ForgetPeople takes people out of what ended longer ago than personal_data.retention.
func (a *Activities) ForgetPeople(ctx context.Context, in workflows.UpkeepDay) (workflows.UpkeepResult, error) {
	t, err := a.Tenant(in.Tenant)
	if err != nil {
		return workflows.UpkeepResult{}, err
	}
	if t.Config.PersonalData.Retention == 0 {
		return workflows.UpkeepResult{Off: true}, nil
	}
	rows, entries, err := people.Pseudonymise(ctx, t.Ledger, time.Now().Add(-t.Config.PersonalData.Retention))
	if err != nil || rows+entries == 0 {
		return workflows.UpkeepResult{}, err
	}
	_, err = a.Ledger.AppendAudit(ctx, ledger.AuditEntry{Tenant: t.ID, Actor: ledger.Actor{Kind: ledger.ActorSystem}, Action: "people forgotten", ObjectKind: "tenant", ObjectID: t.ID,
		Detail: ledger.AuditText(fmt.Sprintf("%s and %s older than %s", english.Count(rows, "row"), english.Count(entries, "audit entry"), english.Duration(t.Config.PersonalData.Retention)))})
	return workflows.UpkeepResult{Files: int64(rows + entries)}, err
}
