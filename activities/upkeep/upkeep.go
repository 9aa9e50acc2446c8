// Package upkeep does, day by day, what archives need over the years: it reads a sample of the stored bytes back, and forgets people
// after the retention.
package upkeep

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/framebridge/framebridge/activities/attempt"
	"github.com/framebridge/framebridge/activities/comparing"
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
	var found findings
	for i, f := range chosen {
		if found.inARow == errorsInARow { // it is not the files
			found.errors += len(chosen) - i
			break
		}
		if err := attempt.Stopping(ctx); err != nil {
			return found.UpkeepResult, err
		}
		before, known, err := t.Ledger.Archive(f.archive).ByteRead(ctx, f.item.SourceID)
		if err != nil {
			return found.UpkeepResult, err
		}
		problem, was := before.Problem, known && !before.At.Before(began)
		if !was {
			problem, was, err = a.read(ctx, t, f)
		}
		if err == nil {
			found.inARow = 0
		}
		switch {
		case ctx.Err() != nil:
			return found.UpkeepResult, ctx.Err()
		case err != nil:
			found.failed(fmt.Errorf("%s: %w", f.item.Path, err))
		case !was:
			found.unread++
		case problem != "":
			found.Problems++
			found.problems = append(found.problems, f.item.Path+": "+problem)
			fallthrough
		default:
			found.Files, found.Bytes = found.Files+1, found.Bytes+f.item.StoredSize
		}
	}
	if found.Files == 0 && found.unread == 0 { // whatever it is that fails, nothing was found that anybody must be told
		return found.UpkeepResult, found.err
	}
	return found.UpkeepResult, a.tell(ctx, t, in.Day, found)
}

// findings are those of a day's sample.
type findings struct {
	workflows.UpkeepResult
	problems []string
	unread   int   // their bytes cannot be read, as those that iconik has archived
	errors   int   // reading them failed
	inARow   int   // of those, since one was read
	err      error // the first
}

const errorsInARow = 10 // after which the others are not tried

func (f *findings) failed(err error) {
	f.errors++
	if f.inARow++; f.err == nil {
		f.err = err
	}
}

// choose is the sample of a day: a thirtieth of the month's share.
func (a *Activities) choose(ctx context.Context, t *tenant.Tenant, day string) ([]stored, error) {
	var archives, all []string
	total := int64(0)
	for row, err := range t.Ledger.AllArchives(ctx) {
		if err != nil {
			return nil, err
		}
		all = append(all, row.ID)
		for it, err := range t.Ledger.Archive(row.ID).Freed(ctx) {
			if err != nil {
				return nil, err
			}
			total += it.StoredSize
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
	show := func(id string, items iter.Seq2[ledger.Item, error]) error {
		for it, err := range items {
			if err != nil {
				return err
			}
			if it.State == ledger.ItemVerified && it.Checksum != "" && it.FileID != "" {
				s.show(stored{archive: id, item: it}, chance)
			}
		}
		return nil
	}
	slices.Sort(archives)
	slices.Sort(all)
	for _, id := range archives {
		if err := show(id, t.Ledger.Archive(id).AllItems(ctx)); err != nil {
			return nil, err
		}
	}
	for _, id := range all { // whatever becomes of the archive: what was deleted in Frame.io is nowhere else
		if err := show(id, t.Ledger.Archive(id).Freed(ctx)); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(s.chosen, func(x, y stored) int {
		return cmp.Or(cmp.Compare(x.archive, y.archive), cmp.Compare(x.item.Seq, y.item.Seq), cmp.Compare(x.item.SourceID, y.item.SourceID))
	})
	return s.chosen, nil
}

// read reads one file back. was is false where its bytes cannot be read, as those that iconik has archived.
func (a *Activities) read(ctx context.Context, t *tenant.Tenant, f stored) (found string, was bool, err error) {
	file, found, err := stands(ctx, t, f.item)
	switch {
	case err != nil, found == "" && (file.Status != "CLOSED" || file.URL == ""):
		a.files.WithLabelValues(t.ID, "unread").Inc()
		return "", false, err
	}
	now := transfer.StoredObject{Size: -1}
	if found == "" {
		now, err = transfer.ReadBack(ctx, a.Objects, func(ctx context.Context, fresh bool) (transfer.Location, error) {
			if fresh {
				again, err := t.Iconik.Files.File(ctx, f.item.AssetID, file.ID, iconik.FileOptions{})
				if err != nil {
					return transfer.Location{}, err
				}
				file = again
			}
			return transfer.Location{URL: file.URL}, nil
		})
		var refused *transfer.SourceError
		switch {
		case errors.As(err, &refused) && refused.Status >= 400 && !refused.Retryable():
			found = fmt.Sprintf("the storage refuses to give the file's object (%d)", refused.Status)
		case err != nil:
			a.files.WithLabelValues(t.ID, "unread").Inc()
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

// stands is the file in iconik that was stored, or a copy of it that iconik or people have put on another storage, where that is the only
// one; found says what is wrong where there is none.
func stands(ctx context.Context, t *tenant.Tenant, it ledger.Item) (file *iconik.File, found string, err error) {
	file, err = t.Iconik.Files.File(ctx, it.AssetID, it.FileID, iconik.FileOptions{})
	gone := iconik.Gone(file, err)
	switch {
	case err != nil && !gone:
		return file, "", err
	case !gone && !comparing.HasBytes(*file):
		return file, "the file is " + file.Status + " in iconik", nil
	case !gone:
		return file, "", nil
	}
	others, err := t.Iconik.Files.SignedFiles(ctx, it.AssetID, it.VersionID)
	if err != nil && !rest.IsNotFound(err) {
		return file, "", err
	}
	for i, f := range others {
		if f.ID != it.FileID && f.FormatID == it.FormatID && comparing.HasBytes(f) && f.Size == it.StoredSize && f.Checksum == comparing.Checksum(it) {
			return &others[i], "", nil
		}
	}
	return file, "the file is no longer in iconik", nil
}

const problemsNamed = 20 // in the audit log and the mail

// tell writes the day's sample into the audit log, and mails what is not as it was copied.
func (a *Activities) tell(ctx context.Context, t *tenant.Tenant, day string, of findings) error {
	text := fmt.Sprintf("%s (%s) read back, %s", english.Count(of.Files, "file"), report.Size(of.Bytes), english.Count(of.Problems, "problem"))
	if n := of.unread + of.errors; n > 0 {
		text += fmt.Sprintf(", %d could not be read now", n)
	}
	if of.err != nil {
		text += fmt.Sprintf(" (%v)", of.err)
		a.Log.WarnContext(ctx, "stored files could not be read back", "tenant", t.Config.Name, "files", of.errors, "error", of.err)
	}
	problems := of.problems
	named := problems[:min(len(problems), problemsNamed)]
	if len(named) > 0 {
		text += ": " + strings.Join(named, "; ")
	}
	if _, err := a.Ledger.AppendAudit(ctx, ledger.AuditEntry{Tenant: t.ID, Actor: ledger.Actor{Kind: ledger.ActorSystem}, Action: "fixity sample", ObjectKind: "tenant", ObjectID: t.ID, Detail: ledger.AuditText(text)}); err != nil || len(problems) == 0 {
		return err
	}
	a.Log.ErrorContext(ctx, "stored files no longer match the copy", "tenant", t.Config.Name, "problems", len(problems), "first", problems[0])
	body := fmt.Sprintf("Framebridge reads a sample of the archived files back (archive.fixity_sample). On %s, %d of %s no longer match the copy:\n\n%s\n\nWhat to do: restore the files from your storage's backup or versions, or run `starter retry` on the archive while Frame.io still has the originals. Until then, do not reclaim the project.\n",
		day, len(problems), english.Count(of.Files, "file"), strings.Join(named, "\n"))
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
	rows, entries, err := people.Pseudonymize(ctx, t.Ledger, time.Now().Add(-t.Config.PersonalData.Retention))
	if err != nil || rows+entries == 0 {
		return workflows.UpkeepResult{}, err
	}
	_, err = a.Ledger.AppendAudit(ctx, ledger.AuditEntry{Tenant: t.ID, Actor: ledger.Actor{Kind: ledger.ActorSystem}, Action: "people forgotten", ObjectKind: "tenant", ObjectID: t.ID,
		Detail: ledger.AuditText(fmt.Sprintf("%s and %s older than %s", english.Count(rows, "row"), english.Count(entries, "audit entry"), english.Duration(t.Config.PersonalData.Retention)))})
	return workflows.UpkeepResult{Files: int64(rows + entries)}, err
}
