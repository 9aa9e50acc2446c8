// Package upkeep does daily what archives need over the years: it reads a sample of the stored bytes back, and forgets people
// when the retention has passed.
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

// Options is what a worker's upkeep of all tenants shares.
type Options struct {
	Ledger  *ledger.Ledger
	Objects *http.Client // no credentials: for signed URLs
	Log     *slog.Logger
	// Tenant returns a tenant by ID.
	Tenant func(id string) (*tenant.Tenant, error)
}

// Activities holds the upkeep's activities; each method is registered under its own name.
type Activities struct {
	Options
	files *prometheus.CounterVec
	bytes *prometheus.CounterVec
}

// New returns a worker's upkeep activities.
func New(o Options) *Activities {
	return &Activities{Options: o,
		files: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "framebridge_fixity_files_total", Help: "Stored files that were read back, by what was found: ok, problem or unread."}, []string{"tenant", "found"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "framebridge_fixity_bytes_total", Help: "Stored bytes that were read back."}, []string{"tenant"})}
}

// Metrics returns the upkeep's collectors.
func (a *Activities) Metrics() []prometheus.Collector {
	return []prometheus.Collector{a.files, a.bytes}
}

// stored is a file in the sample.
type stored struct {
	archive string
	item    ledger.Item
	key     float64
}

// sample keeps a random selection of the files it is shown, in which a file's chance is proportional to its bytes (Efraimidis
// and Spirakis, A-Res), until the selected bytes reach the target.
type sample struct {
	chosen []stored
	bytes  int64
	target int64
}

func (s *sample) Len() int           { return len(s.chosen) }
func (s *sample) Less(i, j int) bool { return s.chosen[i].key > s.chosen[j].key } // the first to be dropped is on top
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

// SampleBytes reads a day's share of archive.fixity_sample back and reports what differs from what was copied. The same day
// selects the same files, so that another attempt continues where one ended.
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
		if found.inARow == errorsInARow { // the cause is not the files
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
	if found.Files == 0 && found.unread == 0 { // whatever is failing, nothing was found that people must be told
		return found.UpkeepResult, found.err
	}
	return found.UpkeepResult, a.tell(ctx, t, in.Day, found)
}

// findings are the results of a day's sample.
type findings struct {
	workflows.UpkeepResult
	problems []string
	unread   int   // their bytes cannot be read, for example because iconik has archived them
	errors   int   // reading them failed
	inARow   int   // consecutive errors, since the last file that was read
	err      error // the first one
}

const errorsInARow = 10 // after which the rest is not tried

func (f *findings) failed(err error) {
	f.errors++
	if f.inARow++; f.err == nil {
		f.err = err
	}
}

// choose returns a day's sample: one thirtieth of the month's share.
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
	for _, id := range all { // whatever the state of the archive: what was deleted in Frame.io exists nowhere else
		if err := show(id, t.Ledger.Archive(id).Freed(ctx)); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(s.chosen, func(x, y stored) int {
		return cmp.Or(cmp.Compare(x.archive, y.archive), cmp.Compare(x.item.Seq, y.item.Seq), cmp.Compare(x.item.SourceID, y.item.SourceID))
	})
	return s.chosen, nil
}

// read reads one file back. was is false if its bytes cannot be read, for example because iconik has archived them.
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

// stands returns the stored file in iconik, or, if only that is left, a copy that iconik or people have put on another storage.
// found says what is wrong if there is neither.
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

// tell writes the day's sample to the audit log, and mails what differs from what was copied.
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

// ForgetPeople removes people from everything that ended longer ago than personal_data.retention.
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
